/*
 * text.h - a growing byte buffer, and numbers into it without printf.
 *
 * The put_ functions write at `p` and return the place after what they wrote;
 * the caller has made room before (buffer_room() gives it), which costs one
 * check for a whole record. Nothing here writes a NUL.
 */
#ifndef VPROF_TOOLS_TEXT_H
#define VPROF_TOOLS_TEXT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Makes what is in the buffer good for put_padded(), and gives the rest of its room back: there may be many. */
void buffer_fit(struct buffer *buffer);

/*
 * Adds `text` as the inside of a JSON string: quotes, backslashes and control
 * characters escaped, bytes that are no UTF-8 replaced by U+FFFD.
 */
void buffer_add_json(struct buffer *buffer, const char *text);

extern const char text_pairs[201]; /* "00" to "99" */

/* A number from 10^8 on; inner part of put_u64(). */
char *put_large(char *p, uint64_t value);

static inline char *put_text(char *p, const char *text, size_t size)
{
	memcpy(p, text, size);
	return p + size;
}

/*
 * The same for a text of some dozens of bytes that is copied often: by blocks, reading
 * and writing up to TEXT_PAD - 1 bytes beyond its end. The text must lie in memory with
 * that much more (buffer_fit() sees to it), and so must `p`.
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

/* A number below 10000 with four digits. */
static inline char *put_four(char *p, uint32_t value)
{
	return put_pair(put_pair(p, value / 100), value % 100);
}

/* A number below 10000 without leading zeros: four digits in a register, moved up over the zeros. */
static inline char *put_small(char *p, uint32_t value)
{
	int size = 1 + (value >= 10) + (value >= 100) + (value >= 1000);
	uint16_t high, low;
	uint32_t digits;

	memcpy(&high, text_pairs + 2 * (value / 100), 2);
	memcpy(&low, text_pairs + 2 * (value % 100), 2);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	digits = ((uint32_t)low << 16 | high) >> 8 * (4 - size);
#else
	digits = ((uint32_t)high << 16 | low) << 8 * (4 - size);
#endif
	memcpy(p, &digits, 4);
	return p + size;
}

/* Writes up to 3 bytes beyond the number's end. */
static inline char *put_u64(char *p, uint64_t value)
{
	if (value < 10) {
		*p = '0' + value;
		return p + 1;
	}
	if (value < 10000)
		return put_small(p, value);
	if (value < 100000000) {
		p = put_small(p, (uint32_t)value / 10000);
		return put_four(p, (uint32_t)value % 10000);
	}
	return put_large(p, value);
}

/* A number that may be below zero; the same. */
static inline char *put_i64(char *p, int64_t value)
{
	if (value >= 0)
		return put_u64(p, (uint64_t)value);
	*p++ = '-';
	return put_u64(p, -(uint64_t)value);
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

/* The eight hexadecimal digits of `value`, first one in the lowest byte. */
static inline uint64_t text_hex8(uint32_t value)
{
	uint64_t x = __builtin_bswap32(value), letters;

	/* One nibble a byte, the high one of each pair first. */
	x = (x | x << 16) & 0x0000ffff0000ffffull;
	x = (x | x << 8) & 0x00ff00ff00ff00ffull;
	x = (x >> 4 | x << 8) & 0x0f0f0f0f0f0f0f0full;
	letters = (x + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
	return x + 0x3030303030303030ull + letters * ('a' - '9' - 1);
}

/* "0x" and the digits; writes up to 16 bytes beyond its end. */
static inline char *put_hex(char *p, uint64_t value)
{
	int digits = value ? (67 - __builtin_clzll(value)) / 4 : 1;
	uint64_t text;

	value <<= 64 - 4 * digits; /* the first digit to the top: no zeros to skip */
	p = put_literal(p, "0x");
	text = htole64(text_hex8(value >> 32));
	memcpy(p, &text, 8);
	text = htole64(text_hex8((uint32_t)value));
	memcpy(p + 8, &text, 8);
	return p + digits;
}

#endif
