/*
 * ps.h - one look at what a traced process does (vprof ps).
 *
 * A look reads the live page, the lane table, the chunk that each lane writes, and the definitions
 * when there are new ones: it takes about as long as there are threads, however large the ring is.
 */
#ifndef VPROF_TOOLS_PS_H
#define VPROF_TOOLS_PS_H

#include "tools/clock.h"
#include "tools/targets.h"

/* The call that tells most: the one that has been under way longest, else the newest. */
struct ps_call {
	uint16_t kind;         /* 0: none */
	uint16_t call;
	int open;              /* it has not returned */
	uint64_t t0;
	uint32_t tid;
	char comm[16];
};

struct ps_row {
	struct target *target;
	struct clock clock;
	uint64_t now_ns;       /* CLOCK_MONOTONIC of the look; of a process that is gone, when it was last heard of */
	uint64_t age_ns;       /* since the ring was made */
	uint32_t threads;      /* that have a lane */
	uint64_t records;      /* made so far, those included that are overwritten */
	uint64_t back_ns;      /* how far back from now_ns the ring reaches, with its spill; 0: no record */
	int whole;             /* up to its beginning: nothing is overwritten */
	uint64_t lost;         /* sum of the losses */
	int windowed;          /* it knows windows: */
	struct vprof_window window; /* the newest, and its number; 0: there was none */
	uint64_t window_number;
	uint64_t switch_ns;    /* until a START or STOP that is yet to come; 0: none */
	struct ps_call call;
	double rate;           /* records a second; below 0: not known. Set by ps_rate(), or by the caller */
};

/* Reads all of it. 0 or a negative errno; ps_forget() frees either way. */
int ps_look(struct ps_row *row, struct target *target);
void ps_forget(struct ps_row *row);

/* From one look to the next. */
void ps_rate(struct ps_row *row, uint64_t records_before, uint64_t ns_before);
/* Since the ring was made. */
void ps_rate_in_all(struct ps_row *row);

/* CLOCK_MONOTONIC of ticks of the row's process. */
uint64_t ps_ns(const struct ps_row *row, uint64_t ticks);

void ps_print_text(const struct ps_row *rows, size_t count, FILE *out);
void ps_print_json(const struct ps_row *rows, size_t count, FILE *out);

#endif
