/*
 * gpu_words.c - "sample:64" and "2ms/200ms", as VPROF_GPU and VPROF_GPU_EAGER take them.
 */
#include "tools/gpu_words.h"

#include <stdarg.h>
#include <string.h>
#include "tools/cli.h"
#include "vprof/ring.h"

enum { LEAST_NS = 1000, ALWAYS_US = 1000000 };

int gpu_words_read_sample(const char *text, struct gpu_words *words)
{
	uint64_t n = VPROF_GPU_OFF;

	words->has_gpu = 1;
	if (!strcmp(text, "all"))
		n = VPROF_GPU_ALL;
	else if (!strcmp(text, "sample"))
		n = VPROF_GPU_SAMPLE;
	else if (!strncmp(text, "sample:", 7) && (cli_parse_count(text + 7, &n) || !n || n > INT32_MAX))
		return -1;
	else if (strncmp(text, "sample:", 7) && strcmp(text, "off"))
		return -1;
	words->gpu = (uint32_t)n;
	return 0;
}

int gpu_words_read_window(const char *text, struct gpu_words *words)
{
	const char *slash = strchr(text, '/');
	int64_t open = 0, period = 0;
	char first[32];

	words->has_window = 1;
	words->window_us = words->period_us = !strcmp(text, "always") ? ALWAYS_US : 0;
	if (words->window_us || !strcmp(text, "off"))
		return 0;
	if (!slash || (size_t)(slash - text) >= sizeof(first))
		return -1;
	memcpy(first, text, (size_t)(slash - text));
	first[slash - text] = '\0';
	if (cli_parse_time(first, &open) || cli_parse_time(slash + 1, &period) || open < LEAST_NS || open > period ||
	    period / 1000 > UINT32_MAX)
		return -1;
	words->window_us = (uint32_t)(open / 1000);
	words->period_us = (uint32_t)(period / 1000);
	return 0;
}

int gpu_words_read_spans(const char *text, struct gpu_words *words)
{
	words->has_spans = 1;
	words->spans = !strcmp(text, "on");
	return words->spans || !strcmp(text, "off") ? 0 : -1;
}

/* ---- for people ---- */

__attribute__((format(printf, 3, 4)))
static void add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	if (used && used + 2 < size)
		used += (size_t)snprintf(text + used, size - used, "; ");
	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

char *gpu_words_on(char *text, size_t size, const struct gpu_words *words)
{
	*text = '\0';
	if (words->has_gpu && words->gpu == VPROF_GPU_ALL)
		add(text, size, "the nodes of graphs, every launch");
	else if (words->has_gpu && words->gpu)
		add(text, size, "the nodes of graphs, one launch in %u", words->gpu);
	if (words->has_spans && words->spans)
		add(text, size, "%slaunches of graphs as a whole", *text ? "other " : "");
	if (words->has_window && words->window_us && words->window_us >= words->period_us)
		add(text, size, "what is put onto streams");
	else if (words->has_window && words->window_us)
		add(text, size, "what is put onto streams, for %g ms in every %g ms", words->window_us / 1e3,
		    words->period_us / 1e3);
	return text;
}

char *gpu_words_off(char *text, size_t size, const struct gpu_words *words)
{
	*text = '\0';
	if (words->has_gpu && !words->gpu)
		add(text, size, "the nodes of graphs");
	if (words->has_spans && !words->spans)
		add(text, size, "launches of graphs as a whole");
	if (words->has_window && !words->window_us)
		add(text, size, "what is put onto streams");
	return text;
}
