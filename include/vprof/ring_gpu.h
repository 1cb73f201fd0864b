/*
 * ring_gpu.h - time on the GPU: stamps, what lies between them, and the GPU's clock.
 *
 * Part of ring.h, from minor 3 on. A stamp is a kernel of ours with one thread that stores the GPU's
 * clock (%globaltimer: ns, in steps of 32) when what it stands behind is over. What is recorded is what
 * was read; a reader takes off what the stamps themselves cost (VPROF_DEF_GPU) and ties the GPU's clock to
 * the host's (VPROF_KIND_GPU_CLOCK). Writer of all of it: the housekeeping thread, in a lane of its
 * own; of what is left when the process ends, the thread that ends it, behind all else in its lane.
 *
 * GRAPHS. A twin is an executable graph of ours, a clone of the program's with stamps in it, that is
 * launched in place of the program's now and then. VPROF_DEF_TWIN says where its stamps stand, a REPLAY
 * record with its STAMPS what one launch of it read. Stamp 0 stands before all nodes; the others
 * behind the node that they name. A node began when the last of the stamps behind its predecessors (of the
 * graph's edges; of stamped ones, over those that have none) was made, and ended with its own. Of class INHERITED it
 * may have ended before that: it has no time of its own then.
 *
 * PARTS. A twin may be of a part of its graph's nodes. Those have stamps of a class, and what they wait for has stamps
 * of class NONE: these tell when it was over, not when it began. All other nodes have none, and when they were over
 * is not known. What each of a graph's twins stands for by turns is a part of one division; each part has a twin.
 *
 * STREAMS. A TIMED record is one operation on a stream that has a stamp on both sides.
 */
#ifndef VPROF_RING_GPU_H
#define VPROF_RING_GPU_H

#ifndef VPROF_RING_H
#error "include vprof/ring.h"
#endif

/* What a stamp or the interval before it is like: each kind has a cost of its own. Append-only. */
enum vprof_stamp_class {
	VPROF_STAMP_NONE = 0,          /* nothing is known to be taken off; of a twin's node: not timed, see PARTS */
	VPROF_STAMP_PROGRAMMATIC = 1,  /* a kernel between two stamps of a graph, programmatic edges on both sides */
	VPROF_STAMP_PLAIN = 2,         /* likewise, a plain edge on one side or both */
	VPROF_STAMP_INHERITED = 3,     /* likewise, entered over a programmatic edge of the program's own */
	VPROF_STAMP_COPY = 4,          /* a copy or set of a graph */
	VPROF_STAMP_OTHER = 5,         /* any other node */
	VPROF_STAMP_STREAM = 6,        /* a kernel of a stream that was busy, stamps on both sides */
	VPROF_STAMP_GATED = 7,         /* of one that was idle: a stamp held it until both were queued */
	VPROF_STAMP_STREAM_COPY = 8,   /* a copy or set of a stream */
	VPROF_STAMP_SPAN = 9,          /* a whole graph */
	VPROF_STAMP_OWN = 10,          /* no interval: what a kernel that has nothing to do takes,
	                                  which is its own and no cost */
	VPROF_STAMP_LED = 11,          /* a kernel of a stream, busy or not, that a programmatic launch follows as a
	                                * rule: the stamp behind it lets that begin at once */
	VPROF_STAMP_FOLLOWING = 12,    /* a kernel of a stream, launched programmatically: from the end of the LED (or
	                                * FOLLOWING) one ahead; it may have begun earlier, and ended: 0 ns */
	VPROF_STAMP_CLASSES = 16,      /* room for more */
};

/* Why a graph has no twin. Append-only. */
enum vprof_twin_why {
	VPROF_TWIN_BUILT = 0,
	VPROF_TWIN_MEMORY_NODE = 1,    /* it allocates or frees: such a graph has one executable form at a time */
	VPROF_TWIN_CONDITIONAL = 2,
	VPROF_TWIN_DEVICE = 3,         /* launched or updated from the device */
	VPROF_TWIN_NO_CLONE = 4,       /* the driver refused, error as the result of a call: */
	VPROF_TWIN_NO_STAMP = 5,
	VPROF_TWIN_NO_EXEC = 6,
	VPROF_TWIN_BUDGET = 7,         /* VPROF_GPU_TWINS: others are launched more often */
	VPROF_TWIN_LARGE = 8,          /* more nodes than a twin has stamps */
	VPROF_TWIN_UNSEEN = 9,         /* made before recording, or in a way that leaves nothing to clone */
	VPROF_TWIN_CHANGED = 10,       /* the program has changed the graph as no twin can be,
	                                  or has nodes of it switched off */
	VPROF_TWIN_ORDERED = 11,       /* an edge of it waits for a kernel's beginning: a stamp waits for its end */
	VPROF_TWIN_UPDATED = 12,       /* its last update was not looked at: it is updated that often */
	VPROF_TWIN_CLONES = 13,        /* too many nodes of others are remembered already */
	VPROF_TWIN_FULL = 14,          /* little of the device's memory is free */
};

enum { VPROF_TWIN_STAMPS = 4096 };     /* at most, the first included */

/*
 * Instead of the index of a node. Behind all nodes stand gauges: kernels of ours with nothing to do, one behind the
 * other, each with three stamps: from when to when it ran, stored by itself, and the one behind it as behind
 * any node. What lies between the stamp ahead (of the first: the last of the nodes') and that one, without
 * the gauge's own time, is what stamps cost in this graph, in this replay; type: of which class.
 */
#define VPROF_STAMP_FIRST       UINT32_MAX
#define VPROF_STAMP_GAUGE_BEGIN (UINT32_MAX - 1)
#define VPROF_STAMP_GAUGE_END   (UINT32_MAX - 2)
#define VPROF_STAMP_GAUGE       (UINT32_MAX - 3)

/* Likewise: when the stamp ahead in the list was started. What follows by a programmatic edge of the program's own
   could have been started then. */
#define VPROF_STAMP_STARTED     (UINT32_MAX - 4)
enum { VPROF_TWIN_GAUGES = 16 };       /* at most */

/* VPROF_DEF_TWIN: a twin, or why there is none (count 0). Dropped and built again it is another. */
struct vprof_def_twin {
	struct vprof_def head;
	uint32_t graph;          /* VPROF_DEF_GRAPH */
	int32_t device;
	uint16_t why;            /* enum vprof_twin_why */
	uint16_t error;          /* CUresult, of a refusal */
	uint32_t build_us;       /* what building it took */
	uint32_t first;          /* index of stamps[0]: a twin of many is told in pieces, each a definition. */
	uint32_t count;          /* of stamps here */
	uint32_t total;          /* of the twin; stamp 0, which stands before all nodes, included */
	uint16_t part, parts;    /* from 0, of so many; 0 of 0: all nodes, as 0 of 1 */
	struct {
		uint32_t node;       /* index of the node in VPROF_DEF_NODES, or VPROF_STAMP_FIRST... */
		uint16_t type;       /* enum vprof_stamp_class */
		uint16_t zero;
	} stamps[];
};
VPROF_AT(vprof_def_twin, graph, 8);
VPROF_AT(vprof_def_twin, device, 12);
VPROF_AT(vprof_def_twin, why, 16);
VPROF_AT(vprof_def_twin, build_us, 20);
VPROF_AT(vprof_def_twin, first, 24);
VPROF_AT(vprof_def_twin, part, 36);
VPROF_AT(vprof_def_twin, stamps, 40);

/* VPROF_DEF_GPU: what was measured of stamps on a device, when it was first used for them. */
struct vprof_def_gpu {
	struct vprof_def head;
	int32_t device;
	uint32_t mode;           /* enum vprof_stamp_mode */
	uint64_t ticks;          /* when */
	uint32_t step_ns;        /* of the GPU's clock */
	uint32_t error;          /* CUresult: why there are no stamps (mode NONE) */
	struct {
		uint32_t ns;         /* what an interval of that class reads more than the operation took */
		uint32_t error_ns;   /* half the spread of the middle half of what was measured; UINT32_MAX: not
		                      * measured, and ns is that of the class most like it, or 0 */
	} cost[VPROF_STAMP_CLASSES];
};
VPROF_AT(vprof_def_gpu, device, 8);
VPROF_AT(vprof_def_gpu, mode, 12);
VPROF_AT(vprof_def_gpu, ticks, 16);
VPROF_AT(vprof_def_gpu, step_ns, 24);
VPROF_AT(vprof_def_gpu, cost, 32);
VPROF_SIZE(vprof_def_gpu, 160);

enum vprof_stamp_mode {
	VPROF_STAMPS_NONE = 0,
	VPROF_STAMPS_PLAIN = 1,        /* before compute capability 9.0 */
	VPROF_STAMPS_PROGRAMMATIC = 2,
};

/*
 * The payloads (32 bytes from offset 32) of the kinds in ring_records.h:
 *
 * REPLAY: one launch of a twin. object: VPROF_DEF_TWIN (its first piece). t0: that of the launch's record,
 * so older than what stands around it. done: 1 << 16; with the result VPROF_REPLAY_UNFINISHED it was not over when
 * this was told, for two seconds at least: another REPLAY of that number follows if it came to its end. Its STAMPS
 * follow in the lane, eight a record, as many as it says.
 *   32 begin u64 (GPU ns, stamp 0) | 40 stream u64 | 48 number u32 (of that twin, from 1) | 52 stamps u32
 *   (stamp 0 not counted) | 56 thread u64 (serial of who launched it)
 * STAMPS: u32[8], ns since `begin` of stamps 1 to 8, 9 to 16, …; 0: not made.
 *
 * TIMED: one operation on a stream. object: as in the operation's own record. t0: that of the record.
 * done: 1 << 16. With `of` 0 it is a gauge: a kernel of ours with nothing to do, behind the operation of that t0 and
 * measured as that was (of class LED: as such a kernel would be, behind another, with a launch that follows); object:
 * ns that it says it ran itself, 0 of one that says nothing. What is more, without what a kernel takes that has nothing
 * to do (VPROF_STAMP_OWN), is what stamps cost on that stream at that moment.
 *   32 end u64 (GPU ns) | 40 stream u64 | 48 ns u32 (from the stamp before to the one behind) |
 *   52 device u16 | 54 of u16 (enum vprof_kind of the operation) | 56 thread u32 (serial of who made it) |
 *   60 type u16 (enum vprof_stamp_class) | 62 zero u16
 *
 * GPU_CLOCK: the GPU's clock was read between t0 and t0 + done. object: device.
 *   32 gpu u64 (ns) | 40 zero[3]
 */

enum { VPROF_REPLAY_UNFINISHED = 600 }; /* CUDA_ERROR_NOT_READY */

/* How many launches get stamps: control.gpu, and VPROF_GPU. */
enum {
	VPROF_GPU_OFF = 0,
	VPROF_GPU_ALL = 1,
	VPROF_GPU_SAMPLE = 64, /* "sample" without a number */
	/* N: one in N */
};

#endif
