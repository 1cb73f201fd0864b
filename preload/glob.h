/*
 * glob.h - a list of patterns, as VPROF_NVTX has it. fnmatch() may allocate, and knows locales.
 */
#ifndef VPROF_PRELOAD_GLOB_H
#define VPROF_PRELOAD_GLOB_H

#include <stddef.h>

/* Does `text` fit the pattern? `*` stands for anything, `?` for one byte. */
static inline int vprof_glob(const char *pattern, const char *pattern_end, const char *text, const char *text_end)
{
	const char *star = NULL, *again = NULL;

	while (text < text_end) {
		if (pattern < pattern_end && *pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (pattern < pattern_end && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++again;
		} else {
			return 0;
		}
	}
	while (pattern < pattern_end && *pattern == '*')
		pattern++;
	return pattern == pattern_end;
}

/* Does it fit one of the patterns of a list, with commas between? */
static inline int vprof_glob_list(const char *list, const char *text, size_t length)
{
	const char *end;

	for (;; list = end + 1) {
		for (end = list; *end && *end != ','; end++)
			;
		if (end > list && vprof_glob(list, end, text, text + length))
			return 1;
		if (!*end)
			return 0;
	}
}

#endif
