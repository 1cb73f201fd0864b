/*
 * demangle.c - kernel names for people, by libiberty.
 *
 * A name in a ring is what some program gave the driver, so it may be anything:
 * libiberty's own limit on recursion stays on, and a result that gets absurdly
 * long (mangling can repeat a part by reference, so a few bytes can stand for
 * terabytes) is given up while it is being made, by a jump out of libiberty.
 */
#include "tools/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include "tools/text.h"

enum { DEMANGLED_MAX = 16384 };

struct pieces {
	struct buffer text;
	jmp_buf too_long;
};

static void take_piece(const char *piece, size_t size, void *argument)
{
	struct pieces *pieces = argument;

	if (size > DEMANGLED_MAX - pieces->text.used)
		longjmp(pieces->too_long, 1);
	buffer_add(&pieces->text, piece, size);
}

static int demangle_into(struct pieces *pieces, const char *name, int options)
{
	if (setjmp(pieces->too_long))
		return 0;
	return cplus_demangle_v3_callback(name, options, take_piece, pieces) && pieces->text.used &&
	       !pieces->text.error;
}

/* NULL: not mangled, too long, or no memory. */
static char *demangle(const char *name, int more)
{
	struct pieces *pieces = calloc(1, sizeof(*pieces));
	char *text = NULL;

	if (!pieces)
		return NULL;
	if (demangle_into(pieces, name, DMGL_PARAMS | DMGL_ANSI | more))
		text = strndup(pieces->text.data, pieces->text.used);
	buffer_free(&pieces->text);
	free(pieces);
	return text;
}

char *demangle_full(const char *name)
{
	char *text = demangle(name, 0);

	return text ? text : strdup(name);
}

/* Place after the operator's own sign when `s` is at one, so that its brackets are not taken for a list. */
static const char *skip_operator(const char *s)
{
	static const char *const signs[] = { "()", "[]", "<=>", "->*", "->", "<<=", ">>=", "<<",
					     ">>", "<=", ">=", "<", ">" };
	static const char word[] = "operator";

	if (strncmp(s, word, sizeof(word) - 1))
		return s;
	s += sizeof(word) - 1;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (!strncmp(s, signs[i], strlen(signs[i])))
			return s + strlen(signs[i]);
	return s;
}

/* Cuts lists out of `text`, in place. */
static void strip_lists(char *text)
{
	static const char anonymous[] = "(anonymous namespace)::";
	const char *s = text, *after;
	char *out = text;
	int depth = 0;

	while (*s) {
		after = depth || (s > text && s[-1] != ':') ? s : skip_operator(s);
		if (after > s) {
			memmove(out, s, after - s);
			out += after - s;
			s = after;
			continue;
		}
		if (!depth && !strncmp(s, anonymous, sizeof(anonymous) - 1)) {
			s += sizeof(anonymous) - 1;
			continue;
		}
		if (!depth && *s == '(')
			break;
		if (*s == '<' || *s == '(' || *s == '{')
			depth++;
		if (!depth)
			*out++ = *s;
		if ((*s == '>' && s > text && s[-1] != '-') || *s == ')' || *s == '}')
			depth -= depth > 0;
		s++;
	}
	*out = '\0';
}

char *demangle_short(const char *name)
{
	char *text = demangle(name, DMGL_RET_DROP);

	if (!text)
		return strdup(name);
	strip_lists(text);
	if (*text)
		return text;
	free(text);
	return strdup(name);
}
