/*
 * env_check.c - a row for each variable that does not take any text.
 */
#include "tools/env_check.h"

#include <string.h>
#include "tools/gpu_words.h"
#include "vprof/times.h"

/* Is it one of these words, each of which ends with a blank? */
static int is_word(const char *text, const char *words)
{
	const char *at = *text && !strchr(text, ' ') ? strstr(words, text) : NULL;

	return at && (at == words || at[-1] == ' ') && at[strlen(text)] == ' ';
}

static int is_place(const char *text)
{
	return is_word(text, "auto shm out ");
}

static int is_when_full(const char *text)
{
	return is_word(text, "drop-oldest stop ");
}

static int is_capture(const char *text)
{
	return is_word(text, "always off profiler ") || (!strncmp(text, "range:", 6) && text[6]);
}

static int is_sample(const char *text)
{
	struct gpu_words words;

	return !gpu_words_read_sample(text, &words);
}

/* The library needs units. */
static int is_window(const char *text)
{
	struct gpu_words words;
	uint64_t ns;
	const char *end = is_word(text, "off always ") ? "" : vprof_parse_time(text, &ns);

	if (end && *end == '/')
		end = vprof_parse_time(end + 1, &ns);
	return end && !*end && !gpu_words_read_window(text, &words);
}

/* What stands behind one of the words of VPROF_SNAP_ON; NULL: it is none. */
static const char *behind_trigger(const char *text)
{
	static const char *const words[] = { "slow_step:", "hang:", "idle:", "cooldown:" };
	uint64_t n;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);
		const char *end;

		if (strncmp(text, words[i], length))
			continue;
		end = i ? NULL : vprof_parse_number(text + length, &n);
		if (end && *end == 'x')
			return n > 1000 ? end + 1 : NULL;
		return vprof_parse_time(text + length, &n);
	}
	return NULL;
}

static int is_triggers(const char *text)
{
	if (!*text || !strcmp(text, "none"))
		return 1;
	for (;; text++) {
		text = behind_trigger(text);
		if (!text || *text != ',')
			return text && !*text;
	}
}

static const struct form {
	enum env_row row;
	int (*takes)(const char *text);
	const char *allowed;
} forms[] = {
	{ ENV_ROW_ring_at, is_place, "auto, shm, out" },
	{ ENV_ROW_capture, is_capture, "always, off, profiler, range:PATTERNS" },
	{ ENV_ROW_snap_on, is_triggers,
	  "none, slow_step:2x, slow_step:TIME, hang:TIME, idle:TIME, cooldown:TIME (with commas between; as in 10s, "
	  "200ms)" },
	{ ENV_ROW_spill_full, is_when_full, "drop-oldest, stop" },
	{ ENV_ROW_gpu, is_sample, GPU_WORDS_SAMPLES },
	{ ENV_ROW_gpu_eager, is_window, GPU_WORDS_WINDOWS },
};

static const struct bounds {
	enum env_row row;
	uint64_t least, most;
	const char *allowed;
} bounds[] = {
	{ ENV_ROW_ring_mb, 1, 65536, "1 to 65536" },
	{ ENV_ROW_gpu_twins, 0, 256, "0 to 256" },
	{ ENV_ROW_gpu_parts, 0, 8, "0 to 8" },
};

const char *env_values(enum env_row row)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].row == row)
			return forms[i].allowed;
	return NULL;
}

const char *env_check(enum env_row row, const char *text)
{
	uint64_t n;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].row == row)
			return forms[i].takes(text) ? NULL : forms[i].allowed;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (bounds[i].row == row)
			return !cli_parse_count(text, &n) && n >= bounds[i].least && n <= bounds[i].most ? NULL :
			       bounds[i].allowed;
	return NULL;
}
