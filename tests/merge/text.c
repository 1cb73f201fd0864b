/*
 * text.c - numbers and JSON strings that are written without printf are those of printf.
 */
#include <inttypes.h>
#include "tests/tap.h"
#include "tools/text.h"

static int same(const char *got, const char *end, const char *wanted)
{
	size_t size = end - got;

	if (size == strlen(wanted) && !memcmp(got, wanted, size))
		return 1;
	printf("# got %.*s, wanted %s\n", (int)size, got, wanted);
	return 0;
}

static int number_right(uint64_t value)
{
	char got[64], wanted[64];

	snprintf(wanted, sizeof(wanted), "%" PRIu64, value);
	if (!same(got, put_u64(got, value), wanted))
		return 0;
	snprintf(wanted, sizeof(wanted), "%" PRId64, (int64_t)value);
	if (!same(got, put_i64(got, (int64_t)value), wanted))
		return 0;
	snprintf(wanted, sizeof(wanted), "0x%" PRIx64, value);
	if (!same(got, put_hex(got, value), wanted))
		return 0;
	snprintf(wanted, sizeof(wanted), "%" PRIu64 ".%03u", value / 1000, (unsigned int)(value % 1000));
	return same(got, put_us(got, value), wanted);
}

static int numbers_right(void)
{
	uint64_t random = 1;

	for (uint64_t value = 0; value < 100000; value++)
		if (!number_right(value))
			return 0;
	for (uint64_t power = 1; power; power = power > UINT64_MAX / 10 ? 0 : power * 10)
		for (int i = -2; i <= 2; i++)
			if (!number_right(power + i))
				return 0;
	for (int i = 0; i < 1000000; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		if (!number_right(random >> (i % 64)))
			return 0;
	}
	return number_right(UINT64_MAX);
}

static int json_right(const char *text, const char *wanted)
{
	struct buffer buffer = { 0 };
	int right;

	buffer_add_json(&buffer, text);
	right = !buffer.error && same(buffer.data, buffer.data + buffer.used, wanted);
	buffer_free(&buffer);
	return right;
}

int main(void)
{
	char got[256], text[100];
	int right = 1;

	ok(numbers_right(), "numbers, signed and hexadecimal ones, microseconds");
	memset(text, 'x', sizeof(text));
	for (size_t size = 0; size <= 64; size++)
		right &= put_padded(got, text, size) == got + size && !memcmp(got, text, size);
	ok(right, "padded copies");
	ok(json_right("a\"b\\c\n\x01\x7f", "a\\\"b\\\\c\\u000a\\u0001\\u007f"), "escapes");
	ok(json_right("k\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\xa5", "k\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\xa5"),
	   "UTF-8 stays");
	ok(json_right("\xe2\x82", "\\ufffd\\ufffd"), "a cut character");
	ok(json_right("\xc0\xaf\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"),
	   "overlong forms and surrogates");
	return done_testing();
}
