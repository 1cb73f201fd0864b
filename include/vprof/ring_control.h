/*
 * ring_control.h - how a process is told from outside what to record, and what became of it.
 *
 * Part of ring.h. Two ways, and whoever wants something at once uses both:
 *
 * THE WORD. Every hooked call reads `word` with one relaxed load. Any process that may write the file
 * may store it at any time: the bits (VPROF_GROUP_BIT) of the groups that are recorded, 0 for nothing;
 * `groups` to switch on, 0 to switch off. Bits that are no group mean nothing.
 *
 * REQUESTS. What takes more than a word (from a moment on, for so long, so many steps, a mark) is
 * written as a request, which the process's housekeeping thread takes up. A controller
 *   1. takes `lock` by compare-and-exchange from 0 to its pid (of a holder that no longer lives, or has
 *      had it for more than 100 ms, from that to its own);
 *   2. fills request[(doorbell + 1) % VPROF_REQUESTS]: serial = 0, the other fields, `check`, then
 *      serial = doorbell + 1 by release store. What stands there is lost unless served.serial has passed
 *      it, for which a controller may wait some milliseconds;
 *   3. stores doorbell = that serial (release), wakes it (futex(2), FUTEX_WAKE, shared), and gives the
 *      lock back.
 * One that dies in between leaves a request that is not rung for, or a lock that is taken over. It
 * never waits for the process: one that is stopped or gone answers later or never, which
 * `served.serial` tells. The process never waits for a controller.
 */
#ifndef VPROF_RING_CONTROL_H
#define VPROF_RING_CONTROL_H

/* What a request asks for. Append-only. */
enum vprof_request_verb {
	VPROF_REQUEST_START = 1,   /* record, from at_ns on, until a limit is reached or a STOP comes */
	VPROF_REQUEST_STOP = 2,    /* record nothing, from at_ns on; forgets a START that is yet to come */
	VPROF_REQUEST_MARK = 3,    /* a mark in the program's timeline, with `text` */
	VPROF_REQUEST_SPILL = 4,   /* keep everything in the spill, from now on; count 0: no longer */
};

enum { VPROF_REQUESTS = 8, VPROF_REQUEST_TEXT = 120 };

struct vprof_request {
	uint64_t serial;           /* from 1; 0 while it is written */
	uint64_t at_ns;            /* CLOCK_MONOTONIC; past or 0: at once */
	uint32_t verb;             /* enum vprof_request_verb */
	uint32_t groups;           /* START: the bits to record; 0: control.groups */
	uint64_t for_ns;           /* START: the limits, 0: none. Time, */
	uint64_t launches;         /* launches of kernels and graphs, exact where nothing was recorded before, */
	uint64_t steps;            /* steps of the program (vprof/steps.h), */
	uint64_t bytes;            /* of records */
	uint32_t pid;              /* of the controller */
	uint32_t check;            /* vprof_request_check() */
	uint64_t count;            /* SPILL: 1 or 0 */
	char text[VPROF_REQUEST_TEXT]; /* MARK: NUL-terminated */
};
VPROF_AT(vprof_request, at_ns, 8);
VPROF_AT(vprof_request, verb, 16);
VPROF_AT(vprof_request, groups, 20);
VPROF_AT(vprof_request, for_ns, 24);
VPROF_AT(vprof_request, launches, 32);
VPROF_AT(vprof_request, steps, 40);
VPROF_AT(vprof_request, bytes, 48);
VPROF_AT(vprof_request, pid, 56);
VPROF_AT(vprof_request, check, 60);
VPROF_AT(vprof_request, count, 64);
VPROF_AT(vprof_request, text, 72);
VPROF_SIZE(vprof_request, 192);

/* Over all other fields but serial: a request that is torn or garbage does not have it. Never 0. */
static inline uint32_t vprof_request_check(const struct vprof_request *request)
{
	const unsigned char *bytes = (const unsigned char *)request;
	uint32_t sum = 2166136261u;

	for (size_t i = offsetof(struct vprof_request, at_ns); i < sizeof(*request); i++)
		if (i < offsetof(struct vprof_request, check) ||
		    i >= offsetof(struct vprof_request, check) + sizeof(request->check))
			sum = (sum ^ bytes[i]) * 16777619u;
	return sum ? sum : 1;
}

/* Control page. Writers: the library at creation, then anyone. */
struct vprof_ring_control {
	uint32_t word;             /* which groups are recorded */
	uint32_t groups;           /* what VPROF_TRACE chose; constant. 0 before minor 1: write 1 */
	/* From minor 2 on. */
	uint32_t doorbell;         /* serial of the newest request, its low 32 bits; a futex */
	uint32_t lock;             /* pid of the controller that writes a request; 0: nobody */
	/* From minor 3 on. */
	uint32_t gpu;              /* launches that get stamps: 0 none, 1 all, N one in N (ring_gpu.h) */
	uint32_t gpu_spans;        /* 1: whole graphs get a stamp on each side */
	uint32_t gpu_window_us;    /* of eager operations: stamped for so long, */
	uint32_t gpu_period_us;    /* once in so long; 0: never */
	uint32_t reserved[8];
	struct vprof_request request[VPROF_REQUESTS]; /* by serial % VPROF_REQUESTS */
};
VPROF_AT(vprof_ring_control, word, 0);
VPROF_AT(vprof_ring_control, groups, 4);
VPROF_AT(vprof_ring_control, doorbell, 8);
VPROF_AT(vprof_ring_control, lock, 12);
VPROF_AT(vprof_ring_control, gpu, 16);
VPROF_AT(vprof_ring_control, request, 64);
VPROF_SIZE(vprof_ring_control, 1600);

/* Why recording began or ended. Append-only. */
enum vprof_window_reason {
	VPROF_WINDOW_NONE = 0,
	VPROF_WINDOW_BEGIN = 1,    /* with the ring (VPROF_CAPTURE=always) */
	VPROF_WINDOW_REQUEST = 2,
	VPROF_WINDOW_WORD = 3,     /* somebody stored the word; seen by housekeeping, so up to a round late */
	VPROF_WINDOW_PROFILER = 4, /* cuProfilerStart, cuProfilerStop */
	VPROF_WINDOW_RANGE = 5,    /* a range that matches VPROF_CAPTURE began or ended */
	VPROF_WINDOW_TIME = 6,     /* a limit of the request: time, */
	VPROF_WINDOW_LAUNCHES = 7,
	VPROF_WINDOW_STEPS = 8,
	VPROF_WINDOW_BYTES = 9,
};

/* A stretch in which something was recorded. Writer: whoever switches, under a lock of the process. */
struct vprof_window {
	uint64_t start_ticks;      /* 0: nothing here */
	uint64_t stop_ticks;       /* 0: still open */
	uint16_t started, stopped; /* enum vprof_window_reason */
	uint32_t groups;           /* what was recorded */
	uint64_t serial;           /* of the request that started it, or 0 */
	uint64_t launches, steps;  /* made in it, where that was counted for a limit; else 0 */
};
VPROF_AT(vprof_window, stop_ticks, 8);
VPROF_AT(vprof_window, started, 16);
VPROF_AT(vprof_window, groups, 20);
VPROF_AT(vprof_window, serial, 24);
VPROF_AT(vprof_window, launches, 32);
VPROF_SIZE(vprof_window, 48);

enum { VPROF_WINDOWS = 32 };

/* Part of the live page. Writer: housekeeping, and the windows' writers. */
struct vprof_served {
	uint64_t serial;           /* of the newest request taken up (not: carried out, when it is for later) */
	uint64_t ns;               /* CLOCK_MONOTONIC, when */
	uint64_t window_count;     /* windows so far; the newest is window[(window_count - 1) % VPROF_WINDOWS] */
	uint64_t pending_ns;       /* CLOCK_MONOTONIC of a START or STOP that is yet to come; 0: none */
	struct vprof_window window[VPROF_WINDOWS];
};
VPROF_AT(vprof_served, ns, 8);
VPROF_AT(vprof_served, window_count, 16);
VPROF_AT(vprof_served, pending_ns, 24);
VPROF_AT(vprof_served, window, 32);
VPROF_SIZE(vprof_served, 1568);

#endif
