/*
 * demangle.c - kernel names for people, by libiberty.
 *
 * A name in a ring is what some program gave the driver, so it may be anything:
 * libiberty's own limit on recursion stays on, and a result that is absurdly
 * long (mangling can repeat a part by reference, so a few bytes can stand for
 * megabytes) is not used.
 */
#include "tools/demangle.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

enum { DEMANGLED_MAX = 16384 };

/* NULL: not mangled. */
static char *demangle(const char *name, int more)
{
	char *text = cplus_demangle(name, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI | more);

	if (text && strlen(text) > DEMANGLED_MAX) {
		free(text);
		return NULL;
	}
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
