/*
 * text.h - building short texts in buffers of our own: no stdio, no allocation.
 */
#ifndef VPROF_PRELOAD_TEXT_H
#define VPROF_PRELOAD_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PATH_TEXT = 1024 };

/* `text` is NUL-terminated after every call; `cut` is set when something did not fit. */
struct vprof_text {
	char *text;
	size_t size, length;
	int cut;
};

/*
 * Not strcmp() and strncmp(): a program may bring its own, and one with AddressSanitizer looks up functions,
 * and so has us look, before its own works. And a process that only loads us need not bind them.
 */
static inline int vprof_text_same(const char *a, const char *b)
{
	for (; *a == *b; a++, b++)
		if (!*a)
			return 1;
	return 0;
}

/* The rest of `text` behind `prefix`; NULL: it begins otherwise. */
static inline const char *vprof_text_behind(const char *text, const char *prefix)
{
	for (; *prefix; prefix++, text++)
		if (*text != *prefix)
			return NULL;
	return text;
}

/* Initialises a struct vprof_text over an array. */
#define VPROF_TEXT(buffer) { .text = (buffer), .size = sizeof(buffer) }

static inline void vprof_text_put(struct vprof_text *t, const char *more)
{
	size_t length = strlen(more), room = t->size - 1 - t->length;

	if (length > room) {
		length = room;
		t->cut = 1;
	}
	memcpy(t->text + t->length, more, length);
	t->length += length;
	t->text[t->length] = 0;
}

static inline void vprof_text_number(struct vprof_text *t, uint64_t n)
{
	char digits[21], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	vprof_text_put(t, p);
}

#endif
