/*
 * text.c - the slow half of text.h: growing, printf, JSON escapes.
 */
#include "tools/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char text_pairs[201] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

char *put_large(char *p, uint64_t value)
{
	uint32_t rest = value % 100000000;

	p = put_u64(p, value / 100000000);
	return put_four(put_four(p, rest / 10000), rest % 10000);
}

char *buffer_grow(struct buffer *buffer, size_t need)
{
	size_t size = buffer->size ? buffer->size : 4096;
	char *data;

	while (size - buffer->used < need) {
		if (size > SIZE_MAX / 2)
			goto err;
		size *= 2;
	}
	data = realloc(buffer->data, size);
	if (!data)
		goto err;
	buffer->data = data;
	buffer->size = size;
	return data + buffer->used;
err:
	buffer->error = -ENOMEM;
	return NULL;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

void buffer_add(struct buffer *buffer, const char *text, size_t size)
{
	char *p = buffer_room(buffer, size);

	if (p)
		buffer_end(buffer, put_text(p, text, size));
}

void buffer_fit(struct buffer *buffer)
{
	char *data = buffer_room(buffer, TEXT_PAD);

	if (!data)
		return;
	memset(data, 0, TEXT_PAD);
	data = realloc(buffer->data, buffer->used + TEXT_PAD);
	if (!data)
		return;
	buffer->data = data;
	buffer->size = buffer->used + TEXT_PAD;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *p;
	int size;

	va_start(args, format);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	p = size < 0 ? NULL : buffer_room(buffer, (size_t)size + 1);
	if (!p)
		return;
	va_start(args, format);
	vsnprintf(p, (size_t)size + 1, format, args);
	va_end(args);
	buffer_end(buffer, p + size);
}

/* Length of the UTF-8 character at `s`, 0 when there is none (RFC 3629: no surrogates, no overlong forms). */
static int utf8_size(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* of the first byte; of the second */
		int size;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (s[1] < forms[i].low || s[1] > forms[i].high)
			return 0;
		for (int k = 2; k < forms[i].size; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].size;
	}
	return 0;
}

void buffer_add_json(struct buffer *buffer, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *p = buffer_room(buffer, 6 * strlen(text) + 1);
	int size;

	if (!p)
		return;
	while (*s) {
		if (*s == '"' || *s == '\\') {
			*p++ = '\\';
			*p++ = *s++;
		} else if (*s < 0x20 || *s == 0x7f) {
			p = put_literal(p, "\\u00");
			*p++ = "0123456789abcdef"[*s >> 4];
			*p++ = "0123456789abcdef"[*s++ & 15];
		} else if (*s < 0x80) {
			*p++ = *s++;
		} else if ((size = utf8_size(s))) {
			p = put_text(p, (const char *)s, size);
			s += size;
		} else {
			p = put_literal(p, "\\ufffd");
			s++;
		}
	}
	buffer_end(buffer, p);
}
