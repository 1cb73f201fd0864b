/*
 * glob.h - a list of patterns, as VPROF_NVTX has it. fnmatch() may allocate, and knows locales.
 */
#ifndef VPROF_PRELOAD_GLOB_H
#define VPROF_PRELOAD_GLOB_H

#include <stddef.h>
#include <string.h>

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

enum { VPROF_GLOB_TEXT = 1024 };

/* Does a name fit, by itself or as DOMAIN/NAME? Of either at most VPROF_GLOB_TEXT bytes count; domain:
   NULL for none. */
static inline int vprof_glob_named(const char *list, const char *domain, size_t domain_length, const char *name,
				   size_t length)
{
	char whole[VPROF_GLOB_TEXT * 2 + 1];

	if (vprof_glob_list(list, name, length))
		return 1;
	if (!domain)
		return 0;
	if (domain_length > VPROF_GLOB_TEXT)
		domain_length = VPROF_GLOB_TEXT;
	if (length > VPROF_GLOB_TEXT)
		length = VPROF_GLOB_TEXT;
	memcpy(whole, domain, domain_length);
	whole[domain_length] = '/';
	memcpy(whole + domain_length + 1, name, length);
	return vprof_glob_list(list, whole, domain_length + 1 + length);
}

#endif
