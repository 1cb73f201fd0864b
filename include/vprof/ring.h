/*
 * ring.h - the file that a traced process writes and every reader reads.
 *
 * This header is the whole contract between the writer (preload/, shim/) and
 * the readers (tools/, gdb). A reader needs nothing else: a ring carries its
 * own names, its clock anchors and its loss counters.
 *
 *   offset                                        size
 *   0              header page                    4096   who, how the rest lies
 *   4096           control page                   4096   written from outside
 *   8192           live page                      4096   counters, state
 *   12288          clock page                     4096   anchors
 *   lanes_offset   lane table     lane_count * 128       one lane per live thread
 *   defs_offset    definitions    defs_size              names and objects, append-only
 *   chunks_offset  chunks         chunk_count * 16384    the records
 *
 * HOW RECORDS LIE. A thread owns a lane, and a lane owns one chunk at a time.
 * A chunk is 256 slots of 64 bytes; slot 0 is its header, slots 1..255 hold one
 * record each. A thread that has filled its chunk takes the next one that no
 * lane holds, round robin over the file, and so overwrites the oldest records
 * of the whole process. A thread that records seldom keeps its last calls.
 *
 * HOW A RECORD IS PUBLISHED. The writer reserves a slot (chunk.used), fills
 * it, and release-stores slot.seq = chunk.base + index. A slot whose seq is
 * anything else is unwritten, being written, or left from an earlier use of the
 * chunk, and holds no record. A call's record is published before the real
 * call is made, with done == 0 (in flight); when the call returns, done gets
 * its duration and result in one 8-byte store. Nothing else of a published
 * record changes, but fields marked "with done" below, which are stored before
 * done and valid once done is not 0.
 *
 * HOW A READER READS. Of a dead process: take each chunk whose base is not 0,
 * and each slot i of it whose seq is base + i. Of a live one: copy the chunk,
 * then read base again; when it has changed, the writer took the chunk over in
 * the meantime and the copy is void. Offsets, counts and sizes come from the
 * header, never from this file's constants; a reader checks them against the
 * size of the file before use.
 *
 * VERSIONS. `major` changes when a reader of the old form would misread; such
 * a reader must refuse the file. `minor` changes when something is added that
 * an old reader may ignore: a new record kind, a new definition type, a use for
 * a reserved (zero) field. Kinds and types are append-only and never reused.
 *
 * UNITS. "ticks" are counts of the clock named in the header (`clock`); the
 * clock page relates them to nanoseconds of CLOCK_MONOTONIC and CLOCK_REALTIME.
 * Integers are in the writer's byte order, which `byte_order` tells.
 */
#ifndef VPROF_RING_H
#define VPROF_RING_H

#include <stddef.h>
#include <stdint.h>

#define VPROF_RING_MAGIC      0x31474e4952505656ull /* "VVPRING1" read as little-endian bytes */
#define VPROF_RING_BYTE_ORDER 0x01020304u
#define VPROF_RING_MAJOR      1u
#define VPROF_RING_MINOR      0u

enum {
	VPROF_PAGE_SIZE = 4096,
	VPROF_HEADER_OFFSET = 0,
	VPROF_CONTROL_OFFSET = 4096,
	VPROF_LIVE_OFFSET = 8192,
	VPROF_CLOCK_OFFSET = 12288,
	VPROF_LANES_OFFSET = 16384,
	VPROF_SLOT_SIZE = 64,
	VPROF_CHUNK_SIZE = 16384,
	VPROF_CHUNK_SLOTS = VPROF_CHUNK_SIZE / VPROF_SLOT_SIZE, /* slot 0 is the header */
};

/* The layout is checked wherever this file is included. */
#define VPROF_AT(type, field, offset) \
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define VPROF_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "sizeof " #type)

/* Which counter "ticks" are. */
enum vprof_clock_kind {
	VPROF_CLOCK_MONOTONIC = 0, /* clock_gettime(CLOCK_MONOTONIC), ns */
	VPROF_CLOCK_TSC = 1,       /* x86-64 rdtsc, invariant */
	VPROF_CLOCK_CNTVCT = 2,    /* aarch64 cntvct_el0 */
};

/*
 * Header page. Written once, by the thread that creates the ring, before
 * `magic` is release-stored last; constant from then on.
 */
struct vprof_ring_header {
	uint64_t magic;
	uint32_t byte_order;     /* VPROF_RING_BYTE_ORDER as the writer stores it */
	uint16_t major, minor;
	uint64_t file_size;      /* bytes; what the writer reserved */
	uint32_t header_size;    /* sizeof(struct vprof_ring_header) of the writer */
	uint32_t slot_size;      /* bytes, 64 */
	uint32_t chunk_size;     /* bytes, 16384 */
	uint32_t chunk_count;
	uint64_t chunks_offset;
	uint32_t lane_size;      /* bytes, 128 */
	uint32_t lane_count;
	uint64_t lanes_offset;
	uint64_t defs_offset;
	uint64_t defs_size;      /* bytes */
	uint32_t clock;          /* enum vprof_clock_kind */
	uint32_t anchor_count;   /* entries of the clock page's table */
	uint64_t tick_hz;        /* ticks a second: an estimate, good to 1e-3; anchors are better */
	uint64_t start_ticks;    /* when the ring was made */
	uint32_t pid;            /* in the writer's pid namespace */
	uint32_t ppid;
	uint32_t uid;
	uint32_t page_size;      /* bytes, of the writer's machine */
	uint64_t process_start;  /* /proc/PID/stat field 22: clock ticks since boot */
	uint64_t mount_ns;       /* inode of /proc/self/ns/mnt: where `link` means something */
	char boot_id[40];        /* /proc/sys/kernel/random/boot_id, NUL-terminated */
	char host[64];           /* nodename, NUL-terminated, cut to fit */
	char library[32];        /* version of the library that wrote it */
	char link[1024];         /* path of the entry in the output folder when the ring lies
	                            elsewhere (tmpfs); empty when the entry is the ring itself */
	char exe[512];           /* /proc/self/exe, NUL-terminated, cut to fit */
	char command[1024];      /* arguments at ring creation, blanks between, likewise */
};
VPROF_AT(vprof_ring_header, magic, 0);
VPROF_AT(vprof_ring_header, byte_order, 8);
VPROF_AT(vprof_ring_header, major, 12);
VPROF_AT(vprof_ring_header, file_size, 16);
VPROF_AT(vprof_ring_header, header_size, 24);
VPROF_AT(vprof_ring_header, slot_size, 28);
VPROF_AT(vprof_ring_header, chunk_size, 32);
VPROF_AT(vprof_ring_header, chunks_offset, 40);
VPROF_AT(vprof_ring_header, chunk_count, 36);
VPROF_AT(vprof_ring_header, lane_size, 48);
VPROF_AT(vprof_ring_header, lane_count, 52);
VPROF_AT(vprof_ring_header, lanes_offset, 56);
VPROF_AT(vprof_ring_header, defs_offset, 64);
VPROF_AT(vprof_ring_header, defs_size, 72);
VPROF_AT(vprof_ring_header, clock, 80);
VPROF_AT(vprof_ring_header, anchor_count, 84);
VPROF_AT(vprof_ring_header, tick_hz, 88);
VPROF_AT(vprof_ring_header, start_ticks, 96);
VPROF_AT(vprof_ring_header, pid, 104);
VPROF_AT(vprof_ring_header, process_start, 120);
VPROF_AT(vprof_ring_header, mount_ns, 128);
VPROF_AT(vprof_ring_header, boot_id, 136);
VPROF_AT(vprof_ring_header, host, 176);
VPROF_AT(vprof_ring_header, link, 272);
VPROF_AT(vprof_ring_header, exe, 1296);
VPROF_AT(vprof_ring_header, command, 1808);
VPROF_SIZE(vprof_ring_header, 2832);

/*
 * Control page. `word` is read by every hooked call with one relaxed load and
 * may be written at any time by any process that may write the file: 0 means
 * that nothing is recorded.
 */
enum vprof_control_bits {
	VPROF_CONTROL_RECORD = 1u << 0,
};

struct vprof_ring_control {
	uint32_t word;           /* enum vprof_control_bits; writer: the library at creation, then anyone */
	uint32_t reserved[15];
};
VPROF_AT(vprof_ring_control, word, 0);
VPROF_SIZE(vprof_ring_control, 64);

/* Why something that happened is not in the ring. Append-only. */
enum vprof_loss {
	VPROF_LOSS_NO_CHUNK = 0,   /* every chunk was some other live lane's current one */
	VPROF_LOSS_NO_LANE = 1,    /* no free lane for a new thread */
	VPROF_LOSS_REENTRANT = 2,  /* a signal handler's call during a lane's own slow path */
	VPROF_LOSS_LATE = 3,       /* a call returned after its slot had been overwritten */
	VPROF_LOSS_DEFS_FULL = 4,  /* a name or object that found no room in the definitions */
	VPROF_LOSS_START = 5,      /* calls that passed while the ring was being made */
	VPROF_LOSS_HANDLES = 6,    /* a launch of a function that the handle table had no room for */
	VPROF_LOSS_COUNT = 16,     /* room for more */
};

/* How the process ended, as far as it could say so. */
enum vprof_ring_state {
	VPROF_RING_RUNNING = 1,    /* also what a killed process leaves */
	VPROF_RING_CLOSED = 2,     /* exit() ran our destructor */
};

/*
 * Live page. Valid from the header's magic on. Counters are added to with relaxed
 * atomics by any thread of the process that records; the other fields say who writes them.
 */
struct vprof_ring_live {
	uint32_t state;            /* enum vprof_ring_state; writer: creation, destructor */
	uint32_t housekeeping_tid; /* writer: that thread, when it begins; 0 until then */
	uint64_t end_ticks;        /* ticks; writer: the destructor; valid when state is VPROF_RING_CLOSED */
	uint64_t ticket;           /* count: chunks handed out so far; the next base is (ticket + 1) << 8 */
	uint64_t defs_used;        /* bytes of definitions written, a hint: readers walk the log */
	uint64_t threads;          /* count: threads that have taken a lane so far; the last serial */
	uint64_t retired;          /* count: slots used by threads that have ended */
	uint64_t beat_ticks;       /* ticks of the last round of housekeeping, its writer; 0 before */
	uint64_t reserved;
	uint64_t loss[VPROF_LOSS_COUNT]; /* counts, by enum vprof_loss */
	char comm[16];             /* main thread's name, refreshed by housekeeping */
	char title[240];           /* /proc/self/cmdline with blanks, refreshed by housekeeping:
	                              shows setproctitle(); may be torn in a live ring */
};
VPROF_AT(vprof_ring_live, state, 0);
VPROF_AT(vprof_ring_live, end_ticks, 8);
VPROF_AT(vprof_ring_live, ticket, 16);
VPROF_AT(vprof_ring_live, defs_used, 24);
VPROF_AT(vprof_ring_live, threads, 32);
VPROF_AT(vprof_ring_live, retired, 40);
VPROF_AT(vprof_ring_live, beat_ticks, 48);
VPROF_AT(vprof_ring_live, loss, 64);
VPROF_AT(vprof_ring_live, comm, 192);
VPROF_AT(vprof_ring_live, title, 208);
VPROF_SIZE(vprof_ring_live, 448);

/*
 * Clock page: an array of anchors, each one moment in every clock. Entry 0 is
 * the first anchor of the process and stays; the others are reused in turn, so
 * order them by ticks. Writer: creation, then housekeeping, then the
 * destructor. `ticks` is set to 0 before an anchor changes and stored last.
 */
struct vprof_anchor {
	uint64_t ticks;            /* 0: no anchor here */
	uint64_t monotonic_ns;
	uint64_t realtime_ns;      /* since 1970 */
	uint64_t error_ns;         /* half of the bracket in which the clocks were read */
};
VPROF_AT(vprof_anchor, ticks, 0);
VPROF_AT(vprof_anchor, monotonic_ns, 8);
VPROF_AT(vprof_anchor, realtime_ns, 16);
VPROF_AT(vprof_anchor, error_ns, 24);
VPROF_SIZE(vprof_anchor, 32);
enum { VPROF_ANCHORS = VPROF_PAGE_SIZE / 32 };

/* Lanes. A lane whose thread has ended is taken over by a later thread. */
enum vprof_lane_state {
	VPROF_LANE_UNUSED = 0,
	VPROF_LANE_LIVE = 1,       /* owned by thread `tid` */
	VPROF_LANE_IDLE = 2,       /* its thread has ended; keeps its chunk for the next owner */
};

/*
 * One lane. Writer: the owning thread, but `comm`, which housekeeping
 * refreshes, and `state`, which goes IDLE -> LIVE by compare-and-swap.
 */
struct vprof_lane {
	uint32_t state;            /* enum vprof_lane_state */
	uint32_t tid;              /* of the current or last owner */
	uint64_t thread;           /* serial number of that thread in this ring, from 1 */
	char comm[16];             /* its name */
	uint32_t chunk;            /* index of the current chunk + 1; 0: none yet */
	uint32_t zero;
	uint64_t start_ticks;      /* when the owner came */
	uint64_t end_ticks;        /* when it ended; 0 while it lives */
	uint64_t sealed;           /* slots of this lane used before the current chunk, all owners */
	uint64_t owner_first;      /* lane position at which the owner began */
	uint64_t reserved[7];
};
VPROF_AT(vprof_lane, state, 0);
VPROF_AT(vprof_lane, tid, 4);
VPROF_AT(vprof_lane, thread, 8);
VPROF_AT(vprof_lane, comm, 16);
VPROF_AT(vprof_lane, chunk, 32);
VPROF_AT(vprof_lane, start_ticks, 40);
VPROF_AT(vprof_lane, end_ticks, 48);
VPROF_AT(vprof_lane, sealed, 56);
VPROF_AT(vprof_lane, owner_first, 64);
VPROF_SIZE(vprof_lane, 128);

/*
 * Chunk header (slot 0 of a chunk). Taking a chunk: base = 0, the other
 * fields, then base by release store. The reader pairs with an acquire load of
 * base before and after it copies the chunk.
 *
 * A lane's positions count its slots from 0: slot i of a chunk has position
 * first + i - 1. A gap between the positions of two chunks of one lane is what
 * has been overwritten between them.
 */
struct vprof_chunk_header {
	uint64_t base;             /* ticket << 8, unique in this ring; 0: nothing here */
	uint32_t lane;             /* index in the lane table */
	uint32_t tid;              /* of the owner when the chunk was taken */
	uint64_t first;            /* lane position of slot 1 */
	uint64_t open_ticks;       /* no record of this chunk is older */
	uint64_t thread;           /* serial of that owner */
	uint32_t used;             /* next slot to reserve, from 1; above 255: full */
	uint32_t held;             /* 1 while it is a lane's current chunk */
	char comm[16];             /* that owner's name */
};
VPROF_AT(vprof_chunk_header, base, 0);
VPROF_AT(vprof_chunk_header, lane, 8);
VPROF_AT(vprof_chunk_header, tid, 12);
VPROF_AT(vprof_chunk_header, first, 16);
VPROF_AT(vprof_chunk_header, open_ticks, 24);
VPROF_AT(vprof_chunk_header, thread, 32);
VPROF_AT(vprof_chunk_header, used, 40);
VPROF_AT(vprof_chunk_header, held, 44);
VPROF_AT(vprof_chunk_header, comm, 48);
VPROF_SIZE(vprof_chunk_header, 64);

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
	/* Memory taken, given back or mapped.
	 *   32 address u64 (of an allocation: with done) | 40 bytes u64 | 48 other u64 | 56 stream u64
	 *   other: pool, handle or flags, as the function has them */
	VPROF_KIND_MEMORY = 7,
	/* Module, library or function handling; object: of a lookup, the kernel (with done).
	 *   32 handle u64 (with done where the call makes it) | 40 from u64 | 48 size u64 | 56 zero */
	VPROF_KIND_MODULE = 8,
	/* Graph handling other than a launch; object: graph (with done where the call makes it).
	 *   32 graph u64 | 40 exec u64 (with done where the call makes it) | 48 stream u64 | 56 flags u64 */
	VPROF_KIND_GRAPH = 9,
	/* Profiler start and stop. 32 zero[4] */
	VPROF_KIND_PROFILER = 10,
	/* Any other driver call: its first four arguments as machine words, 0 beyond its number.
	 *   32 args u64[4] */
	VPROF_KIND_CALL = 11,
	/* A thread takes over the lane; what follows is its. t0: when. done: 1 << 16.
	 *   32 thread u64 (serial) | 40 tid u32 | 44 zero u32 | 48 comm char[16] */
	VPROF_KIND_THREAD = 12,
};

/* Flags of LAUNCH and GRAPH_LAUNCH. */
enum vprof_launch_flags {
	VPROF_LAUNCH_PER_THREAD = 1u << 0,   /* a _ptsz/_ptds entry: stream 0 is the thread's own */
	VPROF_LAUNCH_COOPERATIVE = 1u << 1,
	VPROF_LAUNCH_CLUSTER = 1u << 2,
	VPROF_LAUNCH_PROGRAMMATIC = 1u << 3, /* programmatic stream serialization or event */
	VPROF_LAUNCH_EXTRA = 1u << 4,        /* arguments came through `extra` */
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
VPROF_AT(vprof_slot, words, 32);
VPROF_SIZE(vprof_slot, 64);

#define VPROF_DONE(ticks, result) ((uint64_t)(ticks) << 16 | (uint16_t)(result))
#define VPROF_DONE_TICKS(done)    ((uint64_t)(done) >> 16)
#define VPROF_DONE_RESULT(done)   ((uint32_t)(done) & 0xffff)

struct vprof_chunk {
	struct vprof_chunk_header head;
	struct vprof_slot slot[VPROF_CHUNK_SLOTS - 1]; /* slot[i - 1] is slot i */
};
VPROF_SIZE(vprof_chunk, VPROF_CHUNK_SIZE);

/*
 * Definitions: an append-only log from defs_offset on. An entry starts on a
 * multiple of 8; its id is that offset within the log, divided by 8 (the log
 * begins with 8 bytes of zero, so no entry has id 0).
 *
 *    0      4      6      8                          size
 *   +------+------+------+--------------------------+
 *   | size | type |state | fields, then name and NUL |
 *   +------+------+------+--------------------------+
 *
 * The writer takes room by a compare-and-swap of this head from 0 (so a walk
 * from the start never meets a gap of unknown length), fills the rest and
 * release-stores state READY. Readers skip entries that are not READY and types
 * that they do not know, and stop at a head of 0.
 */
enum vprof_def_state {
	VPROF_DEF_RESERVED = 1,
	VPROF_DEF_READY = 2,
};

enum vprof_def_type {
	VPROF_DEF_CALL = 1,      /* a driver function; one for each id the ring may hold */
	VPROF_DEF_KERNEL = 2,    /* a kernel function, at its first launch or lookup */
	VPROF_DEF_GRAPH = 3,     /* an executable graph, at its instantiation */
	VPROF_DEF_MODULE = 4,    /* a module or library, at its load */
};

struct vprof_def {
	uint32_t size;           /* bytes, this head included, a multiple of 8 */
	uint16_t type;           /* enum vprof_def_type */
	uint16_t state;          /* enum vprof_def_state */
};
VPROF_SIZE(vprof_def, 8);

struct vprof_def_call {
	struct vprof_def head;
	uint32_t call;           /* as in vprof_slot.call */
	uint32_t family;         /* enum vprof_family */
	char name[];             /* the exported symbol */
};

struct vprof_def_kernel {
	struct vprof_def head;
	uint64_t handle;         /* CUfunction or CUkernel */
	uint64_t ticks;          /* when it was defined */
	uint64_t module;         /* handle it was looked up in, 0 when not known */
	uint64_t reserved;
	char name[];             /* as the driver has it: mangled */
};

struct vprof_def_graph {
	struct vprof_def head;
	uint64_t exec;           /* CUgraphExec */
	uint64_t graph;          /* CUgraph it was made from */
	uint64_t ticks;
	uint64_t flags;          /* of the instantiation */
	uint32_t number;         /* 1, 2, … in order of instantiation */
	uint32_t nodes;          /* number of nodes; 0 when not known */
};

struct vprof_def_module {
	struct vprof_def head;
	uint64_t handle;         /* CUmodule or CUlibrary */
	uint64_t ticks;
	uint64_t size;           /* bytes of the image, 0 when not known */
	uint64_t reserved;
	char name[];             /* file name, empty for an image in memory */
};
VPROF_AT(vprof_def, type, 4);
VPROF_AT(vprof_def, state, 6);
VPROF_AT(vprof_def_call, call, 8);
VPROF_AT(vprof_def_call, family, 12);
VPROF_AT(vprof_def_kernel, handle, 8);
VPROF_AT(vprof_def_kernel, ticks, 16);
VPROF_AT(vprof_def_kernel, module, 24);
VPROF_AT(vprof_def_graph, exec, 8);
VPROF_AT(vprof_def_graph, graph, 16);
VPROF_AT(vprof_def_graph, ticks, 24);
VPROF_AT(vprof_def_graph, flags, 32);
VPROF_AT(vprof_def_graph, number, 40);
VPROF_AT(vprof_def_graph, nodes, 44);
VPROF_AT(vprof_def_module, handle, 8);
VPROF_AT(vprof_def_module, ticks, 16);
VPROF_AT(vprof_def_module, size, 24);
VPROF_SIZE(vprof_def_call, 16);
VPROF_SIZE(vprof_def_kernel, 40);
VPROF_SIZE(vprof_def_graph, 48);
VPROF_SIZE(vprof_def_module, 40);

/* Families of driver functions, for filters, colours and the coverage page. Append-only. */
enum vprof_family {
	VPROF_FAMILY_OTHER = 0,
	VPROF_FAMILY_LAUNCH = 1,
	VPROF_FAMILY_GRAPH = 2,
	VPROF_FAMILY_COPY = 3,
	VPROF_FAMILY_SET = 4,
	VPROF_FAMILY_SYNC = 5,
	VPROF_FAMILY_EVENT = 6,
	VPROF_FAMILY_STREAM = 7,
	VPROF_FAMILY_MEMORY = 8,
	VPROF_FAMILY_MODULE = 9,
	VPROF_FAMILY_CONTEXT = 10,
	VPROF_FAMILY_DEVICE = 11,
	VPROF_FAMILY_PROFILER = 12,
	VPROF_FAMILY_QUERY = 13,
};

#endif
