/*
 * order.c - writes a request into many rings and waits for the answers.
 */
#include "tools/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tools/now.h"

enum { LATE_NS = 10000000 }; /* for processes that switch after the stamp */

int order_is_done(enum order_result result)
{
	return result == ORDER_DONE || result == ORDER_WORD;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&t, NULL);
}

static void set_failure(struct order_target *one, int error)
{
	one->result = ORDER_REFUSED;
	snprintf(one->why, sizeof(one->why), "%s", error == -EBUSY ? "other controllers keep it busy" :
		 error == -ENOTSUP ? "its library times nothing on the GPU" :
		 error == -EIO ? "its file was cut short meanwhile" : strerror(-error));
}

static uint64_t count_misunderstood(const struct order_target *one)
{
	return __atomic_load_n(&one->controller.live->loss[VPROF_LOSS_REQUEST], __ATOMIC_RELAXED);
}

/* Before anything is written: is there somebody to write to? */
static void prepare(const struct order *order, struct order_target *one)
{
	const struct target *target = one->target;

	one->result = ORDER_WAITING;
	if (!process_lives(target->state)) {
		one->result = ORDER_GONE;
	} else if (order->skip_idle && !order->all && !target->named && target_is_idle(target)) {
		one->result = ORDER_SKIPPED;
	} else if (controller_open(&one->controller, &target->ring, one->why, sizeof(one->why))) {
		one->result = ORDER_REFUSED;
	} else if (!controller_takes_requests(&target->ring)) {
		one->result = ORDER_OLD;
	} else if (target->state == PROCESS_STOPPED) {
		one->result = ORDER_STOPPED;
	} else if (!target->ring.live.housekeeping_tid) {
		one->result = ORDER_SILENT;
	}
}

/* What the word is to be; a ring of minor 0 does not say what its process was to record. */
static uint32_t word_of(const struct order *order, const struct order_target *one)
{
	const struct ring *ring = &one->target->ring;

	if (!order->word)
		return 0;
	if (order->request.groups)
		return order->request.groups;
	return ring->header.minor || ring->control.groups ? ring->control.groups : 1;
}

static void store_word(const struct order *order, struct order_target *one)
{
	controller_set_word(&one->controller, word_of(order, one));
	if (one->controller.lost)
		set_failure(one, -EIO);
}

static void write_one(const struct order *order, struct order_target *one)
{
	int error = 0;

	if (one->result != ORDER_WAITING && one->result != ORDER_STOPPED && one->result != ORDER_SILENT)
		return;
	one->misunderstood = count_misunderstood(one);
	one->unkept = order->gpu.has_gpu && order->gpu.gpu && !controller_gpu(&one->controller, &one->target->ring);
	if (gpu_words_given(&order->gpu))
		error = controller_set_gpu(&one->controller, &one->target->ring, &order->gpu);
	if (!error && order->spill.verb)
		error = controller_request(&one->controller, &order->spill, &one->serial);
	if (!error)
		error = controller_request(&one->controller, &order->request, &one->serial);
	if (error)
		set_failure(one, error);
	else if (order->now && order->word >= 0)
		store_word(order, one);
}

/* Looks who has answered; returns how many have yet to. */
static size_t look(struct order_target *list, size_t count)
{
	size_t waiting = 0;

	for (size_t i = 0; i < count; i++) {
		struct order_target *one = &list[i];
		int served;

		if (one->result != ORDER_WAITING)
			continue;
		served = controller_served(&one->controller, one->serial);
		if (one->controller.lost)
			set_failure(one, -EIO);
		else if (!served)
			waiting++;
		else
			one->result = count_misunderstood(one) > one->misunderstood ? ORDER_MISUNDERSTOOD : ORDER_DONE;
	}
	return waiting;
}

static void wait_for_all(const struct order *order, struct order_target *list, size_t count)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + order->wait_ns, step = 20000;

	while (look(list, count) && now_ns(CLOCK_MONOTONIC) < end) {
		sleep_ns(step);
		step = step < 500000 ? step * 2 : step;
	}
}

static void set_orphan(struct order_target *one)
{
	one->result = ORDER_GONE;
	snprintf(one->why, sizeof(one->why),
		 "its process has another ring, or none: this is a copy, or of what ran before an exec");
}

/* What became of those that have not answered; the word serves where it is enough. */
static void settle(const struct order *order, struct order_target *one)
{
	struct target *target = one->target;

	if (one->result == ORDER_WAITING) {
		ring_reread(&target->ring, RING_LIVE | RING_ANCHORS);
		target->state = process_state(&target->ring);
		if (target->state == PROCESS_STOPPED)
			one->result = ORDER_STOPPED;
		else if (!process_lives(target->state))
			one->result = ORDER_GONE;
		else if (target->state == PROCESS_ALIVE && !process_has_ring(&target->ring))
			set_orphan(one);
	}
	if (order->word < 0 || (!order->now && !order->stay))
		return;
	switch (one->result) {
	case ORDER_STOPPED:
		store_word(order, one);
		break;
	case ORDER_WAITING:
	case ORDER_SILENT:
	case ORDER_OLD:
		one->result = ORDER_WORD;
		store_word(order, one);
		break;
	default:
		break;
	}
}

static void stamp(struct order *order)
{
	order->request.at_ns = order->now ? 0 : now_ns(CLOCK_MONOTONIC) + order->lead_ns;
}

/* Have all that took it up carried it out? */
static int all_switched(const struct order *order, const struct order_target *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].result == ORDER_DONE && controller_pending(&list[i].controller) == order->request.at_ns)
			return 0;
	return 1;
}

/* Until the stamp, and a little more, so that what was asked for holds when the command is over. */
static void stay(const struct order *order, const struct order_target *list, size_t count)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), at = order->request.at_ns;

	if (!order->stay || order->now)
		return;
	if (at > now)
		sleep_ns(at - now);
	while (!all_switched(order, list, count) && now_ns(CLOCK_MONOTONIC) < at + LATE_NS)
		sleep_ns(50000);
}

static int carry_out(struct order *order, struct order_target *list, size_t count)
{
	size_t chosen = 0, done = 0;

	for (size_t i = 0; i < count; i++)
		prepare(order, &list[i]);
	stamp(order);
	for (size_t i = 0; i < count; i++)
		write_one(order, &list[i]);
	wait_for_all(order, list, count);
	stay(order, list, count);
	look(list, count);
	for (size_t i = 0; i < count; i++)
		settle(order, &list[i]);
	order_print(order, list, count);
	for (size_t i = 0; i < count; i++) {
		chosen += list[i].result != ORDER_SKIPPED;
		done += order_is_done(list[i].result);
		controller_close(&list[i].controller);
	}
	return !done ? CLI_FAILED : done < chosen ? ORDER_SOME : CLI_OK;
}

/* The dead of a folder are no news; those that were named are. */
static size_t choose(const struct targets *targets, struct order_target *list)
{
	size_t count = 0;

	for (size_t i = 0; i < targets->count; i++)
		if (process_lives(targets->list[i].state) || targets->list[i].named)
			list[count++].target = &targets->list[i];
	return count;
}

int order_run(struct order *order, int argc, char **argv)
{
	struct order_target *list = NULL;
	struct targets targets;
	int code = CLI_FAILED;
	size_t count = 0;

	if (targets_find(&targets, order->program, argc, argv))
		goto out;
	list = calloc(targets.count + 1, sizeof(*list));
	if (!list) {
		fprintf(stderr, "%s: no memory\n", order->program);
		goto out;
	}
	count = choose(&targets, list);
	if (!count && !targets.failed)
		fprintf(stderr, "%s: none of the %zu processes here lives (see vprof ps)\n", order->program,
			targets.count);
	code = carry_out(order, list, count);
	if (code == CLI_OK && targets.failed)
		code = ORDER_SOME;
	if (cli_finish(order->program) != CLI_OK)
		code = CLI_FAILED;
out:
	free(list);
	targets_close(&targets);
	return code;
}
