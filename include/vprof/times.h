/*
 * times.h - numbers and times as people write them in the environment: 1.5, 200ms. For the library, which takes
 * them, and the tools, which tell of a wrong one before a program starts.
 */
#ifndef VPROF_TIMES_H
#define VPROF_TIMES_H

#include <stdint.h>
#include <string.h>

#define VPROF_NS_A_SECOND 1000000000ull

/* "1.5" and what stands behind it; thousandths in `value`. NULL: no number. */
static inline const char *vprof_parse_number(const char *text, uint64_t *value)
{
	uint64_t n = 0, part = 1000;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && n < 1000000000; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == text)
		return NULL;
	n *= 1000;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++) {
			part /= 10;
			n += part * (uint64_t)(*p - '0');
		}
	*value = n;
	return p;
}

/* A time such as 1.5s, 200ms, 10us, not 0; what stands behind it, NULL: none. */
static inline const char *vprof_parse_time(const char *text, uint64_t *ns)
{
	static const struct { char unit[4]; uint64_t ns; } units[] = {
		{ "us", 1000 }, { "ms", 1000000 }, { "s", VPROF_NS_A_SECOND }, { "m", 60 * VPROF_NS_A_SECOND },
	};
	uint64_t n;
	const char *end = vprof_parse_number(text, &n);
	size_t length = end ? strspn(end, "abcdefghijklmnopqrstuvwxyz") : 0;

	for (unsigned i = 0; end && i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].unit) == length && !strncmp(end, units[i].unit, length)) {
			*ns = n * (units[i].ns / 1000);
			return *ns ? end + length : NULL;
		}
	return NULL;
}

#endif
