/*
 * text.h - a growing byte buffer, and numbers into it without printf.
 *
 * The put_ functions write at `p` and return the place after what they wrote;
 * the caller has made room before (buffer_room() gives it), which costs one
 * check for a whole record. Nothing here writes a NUL.
 */
#ifndef VPROF_TOOLS_TEXT_H
#define VPROF_TOOLS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	PUT_U64_MAX = 20,  /* most bytes of put_u64() */
	PUT_US_MAX = 24,   /* of put_us() */
	PUT_HEX_MAX = 18,  /* of put_hex() */
};

struct buffer {
	char *data;
	size_t used, size;
	int error;         /* -ENOMEM once it could not grow; what came after is lost */
};

/* Makes room for `need` bytes after data + used and returns that place, NULL without memory. */
char *buffer_grow(struct buffer *buffer, size_t need);
void buffer_free(struct buffer *buffer);

static inline char *buffer_room(struct buffer *buffer, size_t need)
{
	if (__builtin_expect(buffer->size - buffer->used >= need, 1))
		return buffer->data + buffer->used;
	return buffer_grow(buffer, need);
}

/* The record that was written from buffer_room() on ends at `end`. */
static inline void buffer_end(struct buffer *buffer, const char *end)
{
	buffer->used = end - buffer->data;
}

/* For what is written once and not per record. */
void buffer_add(struct buffer *buffer, const char *text, size_t size);
__attribute__((format(printf, 2, 3))) void buffer_print(struct buffer *buffer,
							 const char *format, ...);

/* Makes what is in the buffer good for put_padded(). */
void buffer_pad(struct buffer *buffer);

/*
 * Adds `text` as the inside of a JSON string: quotes, backslashes and control
 * characters escaped, bytes that are no UTF-8 replaced by U+FFFD.
 */
void buffer_add_json(struct buffer *buffer, const char *text);

extern const char text_pairs[201]; /* "00" to "99" */

static inline char *put_text(char *p, const char *text, size_t size)
{
	memcpy(p, text, size);
	return p + size;
}

/*
 * The same for a text of some dozens of bytes that is copied often: by blocks, reading
 * and writing up to TEXT_PAD - 1 bytes beyond its end. The text must lie in memory with
 * that much more (buffer_pad() sees to it), and so must `p`.
 */
enum { TEXT_PAD = 32 };

static inline char *put_padded(char *p, const char *text, size_t size)
{
	char *end = p + size;

	do {
		memcpy(p, text, TEXT_PAD);
		p += TEXT_PAD;
		text += TEXT_PAD;
	} while (p < end);
	return end;
}

#define put_literal(p, literal) put_text(p, literal, sizeof(literal) - 1)

static inline char *put_pair(char *p, uint32_t value)
{
	memcpy(p, text_pairs + 2 * value, 2);
	return p + 2;
}

/* A number below 10000 without leading zeros. */
static inline char *put_small(char *p, uint32_t value)
{
	if (value >= 1000) {
		p = put_pair(p, value / 100);
		return put_pair(p, value % 100);
	}
	if (value >= 100) {
		*p = '0' + value / 100;
		return put_pair(p + 1, value % 100);
	}
	if (value >= 10)
		return put_pair(p, value);
	*p = '0' + value;
	return p + 1;
}

/* A number below 10000 with four digits. */
static inline char *put_four(char *p, uint32_t value)
{
	return put_pair(put_pair(p, value / 100), value % 100);
}

static inline char *put_u64(char *p, uint64_t value)
{
	if (value < 10000)
		return put_small(p, value);
	if (value < 100000000) {
		p = put_small(p, (uint32_t)value / 10000);
		return put_four(p, (uint32_t)value % 10000);
	}
	p = put_u64(p, value / 100000000);
	value %= 100000000;
	return put_four(put_four(p, value / 10000), value % 10000);
}

/* Nanoseconds as microseconds with three decimals. */
static inline char *put_us(char *p, uint64_t ns)
{
	uint32_t rest = ns % 1000;

	p = put_u64(p, ns / 1000);
	p[0] = '.';
	p[1] = '0' + rest / 100;
	return put_pair(p + 2, rest % 100);
}

static inline char *put_hex(char *p, uint64_t value)
{
	int digits = value ? (67 - __builtin_clzll(value)) / 4 : 1;

	p = put_literal(p, "0x");
	for (int i = digits - 1; i >= 0; i--, value >>= 4)
		p[i] = "0123456789abcdef"[value & 15];
	return p + digits;
}

#endif
