/*
 * order.h - one request to many processes, at one moment, and what came of it.
 *
 * A START or STOP has one stamp for all, a few milliseconds ahead, so that their windows agree:
 * each process switches at that moment by itself. Then the command waits, for a bounded time, until
 * each has taken its request up, and reports those that have not, and why.
 * Where a request finds nobody to take it up (no housekeeping thread, an older library), or not in
 * time, and no more than on or off was asked for, the word is stored, which holds from the next
 * call on.
 */
#ifndef VPROF_TOOLS_ORDER_H
#define VPROF_TOOLS_ORDER_H

#include "tools/cli.h"
#include "tools/controller.h"
#include "tools/targets.h"

/* Exit codes beside those of cli.h: 0 all, 1 none. */
enum { ORDER_SOME = 3 };

struct order {
	const char *program;   /* "vprof start" */
	const char *verb, *done; /* "start", "started" */
	struct vprof_request request; /* at_ns is set by order_run() */
	struct vprof_request spill;   /* goes before it when its verb is not 0 */
	struct gpu_words gpu;         /* stored before either, as far as they are given */
	uint64_t lead_ns;      /* the stamp: so long after the requests are written */
	int stay;              /* until the stamp has passed */
	int now;               /* no stamp: at once */
	int word;              /* what the word says in the end: 0, 1 (on), -1 it is not enough */
	int all;               /* processes that have used no GPU too */
	int skip_idle;         /* else these are left out */
	uint64_t wait_ns;      /* for answers */
	int json;
};

enum order_result {
	ORDER_SKIPPED,         /* it has used no GPU */
	ORDER_DONE,            /* taken up */
	ORDER_WORD,            /* by the word alone */
	ORDER_WAITING,         /* not taken up yet */
	ORDER_STOPPED,         /* it is stopped, and takes it up when it goes on */
	ORDER_SILENT,          /* it has nobody to take it up */
	ORDER_OLD,             /* its library knows no requests */
	ORDER_GONE,            /* it has ended */
	ORDER_MISUNDERSTOOD,   /* it counted a request that it did not understand */
	ORDER_REFUSED,         /* the ring cannot be written, see why */
};

struct order_target {
	struct target *target;
	struct controller controller;
	uint64_t serial, misunderstood;
	enum order_result result;
	int unkept;            /* graphs were not timed until now: those that there are cannot be */
	char why[256];
};

/* The whole of such a command behind its options; returns its exit code. */
int order_run(struct order *order, int argc, char **argv);

/* What it has to say, from order_print.c. */
void order_print(const struct order *order, const struct order_target *list, size_t count);
int order_is_done(enum order_result result);

#endif
