/*
 * capture.c - VPROF_CAPTURE: when a process records by itself.
 *
 * Always, never (until told from outside), between cuProfilerStart and cuProfilerStop, or while a
 * range that fits a pattern is open in any thread. The last two count what is open: the first to
 * open switches recording on, the last to close switches it off. What is asked from outside holds
 * until the next of these.
 *
 * Threads that open and close at one time may store the word in either order; so whoever stores it looks at
 * the count again.
 */
#include <string.h>
#include "preload/capture.h"
#include "preload/config.h"
#include "preload/control.h"
#include "preload/glob.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"

enum mode { ALWAYS, OFF, PROFILER, RANGE, BAD };

static enum mode mode;
int vprof_captures_ranges;
static const char *patterns; /* RANGE */
static uint32_t open_count;  /* starts of the profiler, or ranges; any thread */

static const char range_word[] = "range:";

static enum mode mode_of(const char *text)
{
	static const char *const words[] = { [ALWAYS] = "always", [OFF] = "off", [PROFILER] = "profiler" };

	for (enum mode m = ALWAYS; m < RANGE; m++)
		if (!strcmp(text, words[m]))
			return m;
	return !strncmp(text, range_word, sizeof(range_word) - 1) && text[sizeof(range_word) - 1] ? RANGE : BAD;
}

void vprof_capture_init(void)
{
	mode = mode_of(vprof_config.capture);
	vprof_captures_ranges = mode == RANGE;
	patterns = mode == RANGE ? vprof_config.capture + sizeof(range_word) - 1 : NULL;
}

void vprof_capture_complain(void)
{
	if (mode != BAD)
		return;
	vprof_log("VPROF_CAPTURE=%s is not always, off, profiler or range:PATTERN; always holds", vprof_config.capture);
	mode = ALWAYS;
}

static enum vprof_window_reason reason_of(void)
{
	return mode == PROFILER ? VPROF_WINDOW_PROFILER : mode == RANGE ? VPROF_WINDOW_RANGE : VPROF_WINDOW_BEGIN;
}

static int is_open(void)
{
	return mode == ALWAYS || __atomic_load_n(&open_count, __ATOMIC_SEQ_CST) != 0;
}

static uint32_t groups_of(int opened)
{
	return opened ? (uint32_t)vprof_config.trace : 0;
}

void vprof_capture_begin(void)
{
	vprof_windows_begin(groups_of(is_open()), reason_of());
}

/* Without a ring of ours there is nothing to switch; when one is made it looks at the count. */
static void follow(void)
{
	int opened;

	if (!vprof_ring_is_ours())
		return;
	do {
		/* The switch makes the limit void that holds now, and not one that comes between. */
		uint64_t limit = vprof_launches_number();

		opened = is_open();
		vprof_switch(groups_of(opened), reason_of(), 0);
		TESTPOINT("capture_switched");
		vprof_launches_free(limit);
	} while (is_open() != opened);
}

void vprof_capture_catch_up(void)
{
	if ((mode == PROFILER || mode == RANGE) && is_open() != (vprof_window_open() != 0))
		follow();
}

static void open_one(void)
{
	if (__atomic_add_fetch(&open_count, 1, __ATOMIC_SEQ_CST) == 1)
		follow();
}

/* A stop without a start is none. */
static void close_one(void)
{
	uint32_t seen = __atomic_load_n(&open_count, __ATOMIC_RELAXED);

	do {
		if (!seen)
			return;
	} while (!__atomic_compare_exchange_n(&open_count, &seen, seen - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (seen == 1)
		follow();
}

/* ---- the profiler ---- */

void vprof_capture_profiler(int start)
{
	if (mode != PROFILER || vprof_in_vfork_child)
		return;
	if (start)
		open_one();
	else
		close_one();
}

/* ---- ranges ---- */

int vprof_capture_fits(const struct vprof_said *said)
{
	const struct vprof_name *domain = said->domain;

	return vprof_captures_ranges && vprof_glob_named(patterns, domain ? domain->text : NULL,
							   domain ? domain->length : 0, said->text, said->length);
}

int vprof_capture_enter_slow(const struct vprof_said *said)
{
	if (!vprof_capture_fits(said))
		return 0;
	open_one();
	return 1;
}

void vprof_capture_leave(void)
{
	close_one();
}

void vprof_capture_child(uint32_t ranges)
{
	if (mode == RANGE)
		open_count = ranges;
}
