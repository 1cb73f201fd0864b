/*
 * verify.h - GPU times by vprof beside those by CUPTI, kernel by kernel.
 *
 * Two runs of one program, one a side, are two heaps of executions. Those of one kernel launched in one shape, its
 * grid and its block, are a row (and of one graph, where that is asked for), as are copies and sets of
 * one number of bytes: how many there are on each side, and the median of how long they took.
 * CUPTI's side is what is taken to be true: a row is good when vprof's median lies within 5 % or
 * 200 ns of CUPTI's, whichever is more, and weighs what its executions took by CUPTI. The share is
 * the weight of the good rows in that of all.
 *
 * SHAPES part what a name has in common by chance: a kernel that half of its times takes 5 us in one
 * grid, and else 9 us in another, has a median that falls anywhere between, on each side elsewhere. A
 * name of which an execution, on either side, has no known shape is one row, whatever its others have.
 *
 * SEVERAL RUNS of each side tell what differs between the sides from what differs between any two
 * processes: where its tensors lie makes one kernel take 2.6 us in one and 2.8 us in the next. Counts
 * and totals are those of all runs; the median is the mean of the runs' medians. A row is steady on a
 * side when each run has it with a median within the same bounds of that mean. The executions of one
 * pair of runs are held at a time, and of those before it only rows.
 *
 * GRAPHS have other numbers in each run. They are told apart by their order: graph 2 is the second
 * of those that executed, by process in the order of the first execution, then by number, which
 * both sides give in the order of making.
 */
#ifndef VPROF_TOOLS_VERIFY_H
#define VPROF_TOOLS_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include "tools/idmap.h"
#include "vprof/ring.h"

enum verify_side { VERIFY_CUPTI, VERIFY_VPROF, VERIFY_SIDES };
enum verify_kind { VERIFY_KERNEL, VERIFY_COPY, VERIFY_SET, VERIFY_KINDS };

enum { VERIFY_RUNS_MOST = 16 }; /* of each side */

extern const char *const verify_kinds[VERIFY_KINDS]; /* "kernel", "copy", "set" */

/* Of a kernel's launch, both in X, Y and Z; all 0: not known. */
struct verify_shape {
	uint32_t grid[3], block[3];
};

/* One execution. */
struct verify_op {
	uint64_t start_ns, ns;
	int64_t taken_off;     /* vprof: what its time was corrected by, */
	uint16_t class;        /* and its enum vprof_stamp_class */
	uint16_t kind;         /* enum verify_kind */
	uint32_t name;         /* number of its name, see verify_name() */
	uint32_t process;      /* of its side, from 0 */
	uint32_t graph;        /* the executable graph's number, from 1; 0: in none */
	struct verify_shape shape;
};

struct verify_ops {
	struct verify_op *list;
	size_t count;
	uint64_t lost;         /* executions that the side knows it has not */
};

/* One side of a row; medians are 0 where there is no execution. */
struct verify_times {
	uint64_t count, total_ns;
	uint64_t median_ns;    /* mean of the runs' medians; their sum before verify_compare() */
	int64_t taken_off;     /* likewise */
	uint64_t medians_ns[VERIFY_RUNS_MOST];
	uint32_t runs;         /* a bit for each that has an execution */
	uint16_t class;        /* that of most, in the run in which most are of one */
	uint64_t of_class;     /* so many */
};

struct verify_row {
	uint32_t kind, name;
	uint32_t graph;        /* its place in the order, from 1; 0: in none, or not told apart */
	struct verify_shape shape;
	int shaped;            /* there are rows of its name in other shapes */
	struct verify_times side[VERIFY_SIDES];
	int good;
	int steady[VERIFY_SIDES];
};

struct verify {
	char **names;
	size_t name_count;
	struct idmap by_name;  /* hash -> name */
	struct verify_ops ops[VERIFY_SIDES]; /* of the runs that are being read */
	unsigned char *shapeless; /* by name: an execution of any run has no known shape */
	size_t shapeless_count;

	/* From verify_close(): of all runs so far. */
	struct verify_row *rows; /* after verify_compare() the most GPU time first */
	size_t row_count;
	uint32_t runs;         /* of each side */
	int stale;             /* see verify_restart() */
	int reread;            /* all is read again: what there is to say has been said */
	uint64_t graphs[VERIFY_SIDES]; /* of the first runs, or of the first two that differ */
	int graphs_vary;       /* from one run of a side to another */

	/* From verify_compare(). */
	size_t good_count, steady_count[VERIFY_SIDES];
	uint64_t total_ns, good_ns, steady_ns[VERIFY_SIDES]; /* all by CUPTI */
};

struct verify_style {
	uint64_t warm_up;      /* first executions of each row that are left out */
	int by_graph;
};

/* The number of a name, the same for the same text. 0 or -ENOMEM. */
int verify_name(struct verify *verify, const char *text, uint32_t *name);
/* A shape that no launch can have is taken for one that is not known. 0 or -ENOMEM. */
int verify_add(struct verify *verify, enum verify_side side, const struct verify_op *op);

/*
 * What was added since the last call is a run of each side: it becomes rows, those of earlier runs
 * among them. At most VERIFY_RUNS_MOST times. 0 or -ENOMEM.
 */
int verify_close(struct verify *verify, const struct verify_style *style);
/*
 * Where `stale`, a name's shape is not known in one run, and earlier ones had rows of its shapes:
 * forgets all but that, and the runs are to be added once more.
 */
void verify_restart(struct verify *verify);
/* Compares the rows; once, at last. */
void verify_compare(struct verify *verify);

static inline int verify_shape_is_known(const struct verify_shape *shape)
{
	return shape->grid[0] != 0;
}

/* vprof's median less CUPTI's. */
static inline int64_t verify_difference(const struct verify_row *row)
{
	return (int64_t)(row->side[VERIFY_VPROF].median_ns - row->side[VERIFY_CUPTI].median_ns);
}

/* Of the GPU time by CUPTI, 0 to 1; 0 when there is none. */
static inline double verify_share(const struct verify *verify)
{
	return verify->total_ns ? (double)verify->good_ns / (double)verify->total_ns : 0;
}

/* The same of what is steady on a side. */
static inline double verify_share_steady(const struct verify *verify, enum verify_side side)
{
	return verify->total_ns ? (double)verify->steady_ns[side] / (double)verify->total_ns : 0;
}

void verify_free(struct verify *verify);

#endif
