/*
 * control.c - requests, limits, windows and the profiler's mode without any CUDA: threads record as
 * wrappers do, while others switch, all at once.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "preload/capture.h"
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"
#include "tests/control/send.h"
#include "tests/preload/folder.h"
#include "tests/preload/shim.h"
#include "tests/tap.h"

enum { THREADS = 4, STORM_MS = 1500, PATIENCE_MS = 20000 };

static struct target target;
static uint64_t recorded;
static int working;

static void complete(struct vprof_record r)
{
	r.slot->kind = VPROF_KIND_CALL;
	r.slot->call = 7;
	r.slot->object = 0;
	vprof_publish(r);
}

static void count(struct vprof_record r)
{
	vprof_end(r, 0);
	__atomic_fetch_add(&recorded, 1, __ATOMIC_RELAXED);
}

/* As NAME_slow of a launch: shim/wrap.h. */
static void launch_slow(void)
{
	uint64_t launch = vprof_launch_take();
	struct vprof_record r = { NULL, 0 };

	if (launch != VPROF_LAUNCH_REFUSED && vprof_recording(1))
		r = vprof_begin();
	if (!r.slot) {
		vprof_launch_drop(launch);
		return;
	}
	complete(r);
	vprof_launch_made(launch);
	count(r);
}

static void launch(void)
{
	struct vprof_record r = { NULL, 0 };

	if (!vprof_recording(1))
		return;
	if (!__atomic_load_n(&vprof_state.slow, __ATOMIC_RELAXED))
		r = vprof_begin_quick(vprof_cursor_at());
	if (!r.slot) {
		launch_slow();
		return;
	}
	complete(r);
	count(r);
}

static void *work(void *unused)
{
	while (__atomic_load_n(&working, __ATOMIC_RELAXED))
		launch();
	return unused;
}

static void open_ring(void)
{
	char path[512];

	if (find_ring_of(getpid(), path, sizeof(path)) || send_open(&target, path))
		exit(9);
}

static int ask(struct vprof_request request)
{
	return send_wait(&target, send_request(&target, &request), PATIENCE_MS);
}

static struct vprof_window newest(void)
{
	uint64_t n = __atomic_load_n(&target.live->served.window_count, __ATOMIC_ACQUIRE);
	struct vprof_window none = { 0 };

	return n ? target.live->served.window[(n - 1) % VPROF_WINDOWS] : none;
}

/* A launch is counted after its record is published; one too many is seen in what the next limits have. */
static void wait_recorded(uint64_t wanted)
{
	uint64_t end = send_now() + PATIENCE_MS * 1000000ull;

	while (__atomic_load_n(&recorded, __ATOMIC_RELAXED) < wanted && send_now() < end)
		usleep(1000);
}

static int wait_closed(uint64_t windows)
{
	uint64_t end = send_now() + PATIENCE_MS * 1000000ull;

	while (target.live->served.window_count < windows || !newest().stop_ticks) {
		if (send_now() > end)
			return -1;
		usleep(200);
	}
	return 0;
}

/* ---- exact limits ---- */

static void limits(void)
{
	static const uint64_t most[] = { 1, 2, 3, 50, 1000, 20000 };

	uint64_t sum = __atomic_load_n(&recorded, __ATOMIC_RELAXED), got;

	for (unsigned i = 0; i < ARRAY_SIZE(most); i++) {
		uint64_t windows = target.live->served.window_count;
		int error = ask((struct vprof_request){ .verb = VPROF_REQUEST_START, .launches = most[i] });
		struct vprof_window window;

		error |= wait_closed(windows + 1);
		sum += most[i];
		wait_recorded(sum);
		usleep(60000);
		window = newest();
		ok(!error && window.stopped == VPROF_WINDOW_LAUNCHES && window.launches == most[i],
		   "%d threads, a limit of %u launches ends its window", THREADS, (unsigned)most[i]);
		got = __atomic_load_n(&recorded, __ATOMIC_RELAXED);
		ok(got == sum, "and is kept exactly (%d too many)", (int)(got - sum));
	}
}

/* ---- everything at once ---- */

static void *profile(void *unused)
{
	while (__atomic_load_n(&working, __ATOMIC_RELAXED)) {
		vprof_capture_profiler(1);
		usleep(100);
		vprof_capture_profiler(0);
		usleep(50);
	}
	return unused;
}

static void *control(void *nth)
{
	unsigned state = (unsigned)(uintptr_t)nth;
	intptr_t errors = 0;

	while (__atomic_load_n(&working, __ATOMIC_RELAXED)) {
		struct vprof_request request = { .verb = 1 + (uint32_t)rand_r(&state) % 3, .text = "storm" };

		request.at_ns = rand_r(&state) % 2 ? send_now() + (uint64_t)rand_r(&state) % 2000000 : 0;
		request.for_ns = rand_r(&state) % 2 ? (uint64_t)rand_r(&state) % 3000000 : 0;
		request.launches = rand_r(&state) % 2 ? (uint64_t)rand_r(&state) % 1000 : 0;
		request.bytes = rand_r(&state) % 4 ? 0 : (uint64_t)rand_r(&state) % 1000000;
		errors += ask(request) != 0;
	}
	return (void *)errors;
}

static void *toggle(void *unused)
{
	while (__atomic_load_n(&working, __ATOMIC_RELAXED)) {
		__atomic_store_n(&target.control->word, target.control->groups, __ATOMIC_RELAXED);
		usleep(700);
		__atomic_store_n(&target.control->word, 0, __ATOMIC_RELAXED);
		usleep(300);
	}
	return unused;
}

static int windows_hold(void)
{
	uint64_t end = target.live->served.window_count, last = 0;

	for (uint64_t i = end > VPROF_WINDOWS ? end - VPROF_WINDOWS : 0; i < end; i++) {
		struct vprof_window w = target.live->served.window[i % VPROF_WINDOWS];

		if (!w.start_ticks || w.start_ticks < last || w.stop_ticks < w.start_ticks || !w.groups)
			return 0;
		last = w.stop_ticks;
	}
	return 1;
}

static void storm(void)
{
	pthread_t profiler[2], controller[2], toggler;
	intptr_t errors = 0;

	for (uintptr_t i = 0; i < 2; i++)
		if (pthread_create(&profiler[i], NULL, profile, NULL) ||
		    pthread_create(&controller[i], NULL, control, (void *)(i + 1)))
			exit(9);
	if (pthread_create(&toggler, NULL, toggle, NULL))
		exit(9);
	usleep(STORM_MS * 1000);
	__atomic_store_n(&working, 0, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++) {
		void *more;

		pthread_join(profiler[i], NULL);
		pthread_join(controller[i], &more);
		errors += (intptr_t)more;
	}
	pthread_join(toggler, NULL);
	ok(!errors, "controllers, the profiler and the word, all at once: each request is taken up");
	ok(!target.live->loss[VPROF_LOSS_REQUEST], "and understood");
}

static void calm(void)
{
	uint64_t before;
	int error = ask((struct vprof_request){ .verb = VPROF_REQUEST_STOP });

	ok(!error && !target.control->word && wait_closed(1) == 0, "a stop ends it all");
	ok(windows_hold(), "windows follow each other (%d)", (int)target.live->served.window_count);
	error = ask((struct vprof_request){ .verb = VPROF_REQUEST_START });
	before = recorded;
	for (int i = 0; i < 1000; i++)
		launch();
	ok(!error && recorded - before == 1000, "and nothing of it is left behind (%d)", (int)(recorded - before));
}

int main(void)
{
	pthread_t thread[THREADS];

	if (make_folder("control"))
		return 1;
	strcpy(vprof_config.capture, "profiler");
	vprof_config.ring_mb = 4;
	vprof_capture_init();
	launch();
	open_ring();
	__atomic_store_n(&working, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, NULL))
			return 9;
	limits();
	storm();
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	calm();
	remove_folder();
	return done_testing();
}
