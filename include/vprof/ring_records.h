/*
 * ring_records.h - what a record of a ring holds (a part of ring.h, which says how records lie).
 */
#ifndef VPROF_RING_RECORDS_H
#define VPROF_RING_RECORDS_H

#ifndef VPROF_RING_H
#error "include vprof/ring.h"
#endif

/*
 * Record kinds. Each is one slot:
 *
 *    0        8        16       24    26    28       32                          64
 *   +--------+--------+--------+-----+-----+--------+---------------------------+
 *   | seq    | t0     | done   |kind |call | object | 32 bytes that depend on kind |
 *   +--------+--------+--------+-----+-----+--------+---------------------------+
 *
 * `call` is the id of the driver function (VPROF_DEF_CALL gives its name).
 * `object` is a definition id, 0 when there is none. Handles and addresses are
 * the program's own values, to compare and not to follow.
 */
enum vprof_kind {
	/* A kernel launch; object: kernel (VPROF_DEF_KERNEL).
	 *   32 stream u64 | 40 grid u32[3] | 52 block u16[3] | 58 flags u16 | 60 shared u32 */
	VPROF_KIND_LAUNCH = 1,
	/* A graph launch; object: graph (VPROF_DEF_GRAPH).
	 *   32 stream u64 | 40 exec u64 | 48 flags u64 | 56 zero */
	VPROF_KIND_GRAPH_LAUNCH = 2,
	/* A copy; object: direction and form (enum vprof_copy).
	 *   32 dst u64 | 40 src u64 | 48 bytes u64 | 56 stream u64 */
	VPROF_KIND_COPY = 3,
	/* A memory set; object: form (the bits of enum vprof_copy above the direction).
	 *   32 dst u64 | 40 bytes u64 | 48 stream u64 | 56 value u32 | 60 width u32 (bytes) */
	VPROF_KIND_SET = 4,
	/* A wait of the host: stream, event or context synchronize.
	 *   32 handle u64 (0: context) | 40 zero[3] */
	VPROF_KIND_SYNC = 5,
	/* An event operation (record, query).
	 *   32 event u64 | 40 stream u64 | 48 flags u64 | 56 zero */
	VPROF_KIND_EVENT = 6,
	/* Memory taken, given back or mapped; object (with done, from minor 1 on): what of which kind
	 * on which device, see enum vprof_memory_kind.
	 *   32 address u64 (of an allocation: with done) | 40 bytes u64 (of a free: with done) |
	 *   48 other u64 | 56 stream u64
	 *   other: pool, handle or flags, as the function has them */
	VPROF_KIND_MEMORY = 7,
	/* Module, library or function handling; object: of a lookup, the kernel (with done).
	 *   32 handle u64 (with done where the call makes it) | 40 from u64 | 48 size u64 (of a load, with done:
	 *   bytes of the image, 0 not known; from minor 1 on) | 56 zero */
	VPROF_KIND_MODULE = 8,
	/* Graph handling other than a launch; object: graph (with done where the call makes or changes it).
	 *   32 graph u64 (of a capture: with done) | 40 exec u64 (with done where the call makes it) |
	 *   48 stream u64 | 56 flags u64 */
	VPROF_KIND_GRAPH = 9,
	/* Profiler start and stop. 32 zero[4] */
	VPROF_KIND_PROFILER = 10,
	/* Any other driver call: its first four arguments as machine words, 0 beyond its number. object
	 * (with done, from minor 1 on): the stream, event or context that it made.
	 *   32 args u64[4] */
	VPROF_KIND_CALL = 11,
	/* A thread takes over the lane; what follows is its. t0: when. done: 1 << 16.
	 *   32 thread u64 (serial) | 40 tid u32 | 44 zero u32 | 48 comm char[16] */
	VPROF_KIND_THREAD = 12,
	/* Calls of one function that a thread made and that were counted, not recorded: one such record
	 * for each function and chunk. t0: the first. done: 1 << 16. The words change as long as the
	 * thread goes on in this chunk.
	 *   32 count u64 | 40 last u64 (ticks from t0 to one of the last VPROF_QUERIES_TIMED, which the
	 *   very last is as long as they are few) | 48 failed u64 | 56 zero */
	VPROF_KIND_QUERIES = 13,
	/* A range of the program, from push to pop or from start to end; object: its name
	 * (VPROF_DEF_TEXT), or 0 when that follows in TEXT records. done when it ended.
	 *   32 payload u64 | 40 domain u32 (VPROF_DEF_DOMAIN or 0) | 44 category u32 | 48 color u32 (ARGB) |
	 *   52 flags u16 (enum vprof_range_flags) | 54 texts u8 (TEXT records behind it) |
	 *   55 payload type u8 (enum vprof_payload) | 56 id u64 (of start/end: pairs the two; of one that is
	 *   told again: the t0 of the first telling) */
	VPROF_KIND_RANGE = 14,
	/* A moment that the program marks; done: 1 << 16. As RANGE. */
	VPROF_KIND_MARK = 15,
	/* Text of the record before it in the lane, 32 bytes each, NUL-padded. 32 char[32] */
	VPROF_KIND_TEXT = 16,
	/* A value of the program's; object: its name. payload and payload type as RANGE. done: 1 << 16. */
	VPROF_KIND_COUNTER = 17,
	/* The end of a range whose record is in another lane, or was overwritten before it ended. As RANGE,
	 * id as the start has it. t0: when it ended. done: 1 << 16. */
	VPROF_KIND_RANGE_END = 18,
	/* Time on the GPU; see ring_gpu.h. */
	VPROF_KIND_REPLAY = 19,
	VPROF_KIND_STAMPS = 20,
	VPROF_KIND_TIMED = 21,
	VPROF_KIND_GPU_CLOCK = 22,
};

enum vprof_range_flags {
	VPROF_RANGE_PROCESS = 1 << 0,  /* start/end, not push/pop: may end on another thread */
	VPROF_RANGE_AGAIN = 1 << 1,    /* an open range told again at the beginning of a chunk */
	VPROF_RANGE_COLOR = 1 << 2,    /* color is set */
	VPROF_RANGE_CUT = 1 << 3,      /* the name was longer */
};

enum vprof_payload {
	VPROF_PAYLOAD_NONE = 0,
	VPROF_PAYLOAD_U64 = 1,
	VPROF_PAYLOAD_I64 = 2,
	VPROF_PAYLOAD_F64 = 3,
	VPROF_PAYLOAD_U32 = 4,
	VPROF_PAYLOAD_I32 = 5,
	VPROF_PAYLOAD_F32 = 6,
};

/* Of calls that are counted, each of the first so many is timed, then one in so many. */
#define VPROF_QUERIES_TIMED 16

/* Flags of LAUNCH and GRAPH_LAUNCH. */
enum vprof_launch_flags {
	VPROF_LAUNCH_PER_THREAD = 1u << 0,   /* a _ptsz/_ptds entry: stream 0 is the thread's own */
	VPROF_LAUNCH_COOPERATIVE = 1u << 1,
	VPROF_LAUNCH_CLUSTER = 1u << 2,
	VPROF_LAUNCH_PROGRAMMATIC = 1u << 3, /* programmatic stream serialization or event */
	VPROF_LAUNCH_EXTRA = 1u << 4,        /* arguments came through `extra` */
	VPROF_LAUNCH_TWIN = 1u << 5,         /* of a graph: its twin was launched, which has stamps */
};

/* `object` of a COPY: direction in the low byte, form above it. */
enum vprof_copy {
	VPROF_COPY_UNKNOWN = 0,  /* by unified address: the driver decides */
	VPROF_COPY_HTOD = 1,
	VPROF_COPY_DTOH = 2,
	VPROF_COPY_DTOD = 3,
	VPROF_COPY_HTOA = 4,
	VPROF_COPY_ATOH = 5,
	VPROF_COPY_DTOA = 6,
	VPROF_COPY_ATOD = 7,
	VPROF_COPY_ATOA = 8,
	VPROF_COPY_PEER = 9,
	VPROF_COPY_HTOH = 10,
	VPROF_COPY_DIRECTION = 0xff,
	VPROF_COPY_ASYNC = 1 << 8,
	VPROF_COPY_2D = 1 << 9,
	VPROF_COPY_3D = 1 << 10,
	VPROF_COPY_PER_THREAD = 1 << 11, /* as VPROF_LAUNCH_PER_THREAD */
};

struct vprof_slot {
	uint64_t seq;              /* chunk base + slot index once published */
	uint64_t t0;               /* ticks just before the real call */
	uint64_t done;             /* 0: in flight. Else (t1 - t0 | 1) << 16 | result */
	uint16_t kind;             /* enum vprof_kind */
	uint16_t call;
	uint32_t object;
	union {
		struct {
			uint64_t stream;
			uint32_t grid[3];
			uint16_t block[3];    /* 65535: that or more */
			uint16_t flags;       /* enum vprof_launch_flags */
			uint32_t shared;      /* dynamic shared memory, bytes */
		} launch;
		struct { uint64_t stream, exec, flags, zero; } graph_launch;
		struct { uint64_t dst, src, bytes, stream; } copy;
		struct { uint64_t dst, bytes, stream; uint32_t value, width; } set;
		struct { uint64_t handle, zero[3]; } sync;
		struct { uint64_t event, stream, flags, zero; } event;
		struct { uint64_t address, bytes, other, stream; } memory;
		struct { uint64_t handle, from, size, zero; } module;
		struct { uint64_t graph, exec, stream, flags; } graph;
		struct { uint64_t args[4]; } call_args;
		struct { uint64_t thread; uint32_t tid, zero; char comm[16]; } owner;
		struct { uint64_t count, last, failed, zero; } queries;
		struct {
			uint64_t payload;
			uint32_t domain, category, color;
			uint16_t flags;       /* enum vprof_range_flags */
			uint8_t texts;
			uint8_t payload_type; /* enum vprof_payload */
			uint64_t id;
		} range;              /* RANGE, MARK, COUNTER, RANGE_END */
		struct { uint64_t begin, stream; uint32_t number, stamps; uint64_t thread; } replay;
		struct {
			uint64_t end, stream;
			uint32_t ns;
			uint16_t device, of;
			uint32_t thread;
			uint16_t type, zero;
		} timed;
		struct { uint64_t gpu, zero[3]; } gpu_clock;
		uint32_t stamps[8];
		char text[32];
		uint64_t words[4];
	};
};
VPROF_AT(vprof_slot, seq, 0);
VPROF_AT(vprof_slot, t0, 8);
VPROF_AT(vprof_slot, done, 16);
VPROF_AT(vprof_slot, kind, 24);
VPROF_AT(vprof_slot, call, 26);
VPROF_AT(vprof_slot, object, 28);
VPROF_AT(vprof_slot, launch.stream, 32);
VPROF_AT(vprof_slot, launch.grid, 40);
VPROF_AT(vprof_slot, launch.block, 52);
VPROF_AT(vprof_slot, launch.flags, 58);
VPROF_AT(vprof_slot, launch.shared, 60);
VPROF_AT(vprof_slot, graph_launch.exec, 40);
VPROF_AT(vprof_slot, graph_launch.flags, 48);
VPROF_AT(vprof_slot, copy.src, 40);
VPROF_AT(vprof_slot, copy.bytes, 48);
VPROF_AT(vprof_slot, copy.stream, 56);
VPROF_AT(vprof_slot, set.bytes, 40);
VPROF_AT(vprof_slot, set.stream, 48);
VPROF_AT(vprof_slot, set.value, 56);
VPROF_AT(vprof_slot, set.width, 60);
VPROF_AT(vprof_slot, event.stream, 40);
VPROF_AT(vprof_slot, memory.bytes, 40);
VPROF_AT(vprof_slot, memory.other, 48);
VPROF_AT(vprof_slot, memory.stream, 56);
VPROF_AT(vprof_slot, module.from, 40);
VPROF_AT(vprof_slot, module.size, 48);
VPROF_AT(vprof_slot, graph.exec, 40);
VPROF_AT(vprof_slot, graph.stream, 48);
VPROF_AT(vprof_slot, graph.flags, 56);
VPROF_AT(vprof_slot, owner.tid, 40);
VPROF_AT(vprof_slot, owner.comm, 48);
VPROF_AT(vprof_slot, queries.last, 40);
VPROF_AT(vprof_slot, range.domain, 40);
VPROF_AT(vprof_slot, range.category, 44);
VPROF_AT(vprof_slot, range.color, 48);
VPROF_AT(vprof_slot, range.flags, 52);
VPROF_AT(vprof_slot, range.texts, 54);
VPROF_AT(vprof_slot, range.payload_type, 55);
VPROF_AT(vprof_slot, range.id, 56);
VPROF_AT(vprof_slot, replay.stream, 40);
VPROF_AT(vprof_slot, replay.number, 48);
VPROF_AT(vprof_slot, replay.stamps, 52);
VPROF_AT(vprof_slot, replay.thread, 56);
VPROF_AT(vprof_slot, timed.stream, 40);
VPROF_AT(vprof_slot, timed.ns, 48);
VPROF_AT(vprof_slot, timed.device, 52);
VPROF_AT(vprof_slot, timed.of, 54);
VPROF_AT(vprof_slot, timed.thread, 56);
VPROF_AT(vprof_slot, timed.type, 60);
VPROF_AT(vprof_slot, gpu_clock.gpu, 32);
VPROF_AT(vprof_slot, stamps, 32);
VPROF_AT(vprof_slot, text, 32);
VPROF_AT(vprof_slot, words, 32);
VPROF_SIZE(vprof_slot, 64);

#define VPROF_DONE(ticks, result) ((uint64_t)(ticks) << 16 | (uint16_t)(result))
#define VPROF_DONE_TICKS(done)    ((uint64_t)(done) >> 16)
#define VPROF_DONE_RESULT(done)   ((uint32_t)(done) & 0xffff)

#endif
