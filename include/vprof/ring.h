/*
 * ring.h - the file that a traced process writes and every reader reads.
 *
 * This header is the whole contract between the writer (preload/, shim/) and
 * the readers (tools/, gdb). A reader needs nothing else: a ring carries its
 * own names, its clock anchors and its loss counters. It has five files: this one says how
 * the file is laid out, ring_control.h how a process is told what to record, ring_records.h what a
 * record holds, ring_defs.h what a definition holds, ring_gpu.h what is
 * known of time on the GPU; including this one is enough.
 *
 *   offset                                        size
 *   0              header page                    4096   who, how the rest lies
 *   4096           control page                   4096   written from outside
 *   8192           live page                      4096   counters, state
 *   12288          clock page                     4096   anchors
 *   lanes_offset   lane table     lane_count * 128       one lane per live thread
 *   defs_offset    definitions    defs_size              names and objects, append-only
 *   holdings_offset  holdings     holding_count * 64     memory that the program holds (minor 1)
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
 * Minor 1 added: groups in the control word, memory totals, holdings, query counts, the kinds from
 * VPROF_KIND_QUERIES on and the definitions from VPROF_DEF_TEXT on.
 * Minor 2 added: requests and windows (ring_control.h), the losses SPILLED and REQUEST, and in the
 * header what a copy of a ring holds (cut_ticks).
 * Minor 3 added: time on the GPU (ring_gpu.h).
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
#define VPROF_RING_MINOR      3u

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
	/* From minor 1 on; header_size tells whether they are there. */
	uint64_t holdings_offset; /* 0: none */
	uint32_t holding_count;
	uint32_t holding_size;   /* bytes, 64 */
	/* From minor 2 on. Of a copy that was taken while the process went on; 0 in a process's own ring. */
	uint64_t cut_ticks;      /* the moment it shows: records with a later t0 are none, later ends are not yet */
	uint64_t cut_first;      /* chunks that ended before this moment were left out on purpose; 0: none */
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
VPROF_AT(vprof_ring_header, holdings_offset, 2832);
VPROF_AT(vprof_ring_header, holding_count, 2840);
VPROF_AT(vprof_ring_header, holding_size, 2844);
VPROF_AT(vprof_ring_header, cut_ticks, 2848);
VPROF_AT(vprof_ring_header, cut_first, 2856);
VPROF_SIZE(vprof_ring_header, 2864);

/*
 * Groups of calls, as VPROF_TRACE names them: a bit each of the control word. Append-only.
 */
enum vprof_group {
	VPROF_GROUP_LAUNCH = 0,
	VPROF_GROUP_COPY = 1,    /* copies and sets */
	VPROF_GROUP_SYNC = 2,
	VPROF_GROUP_MEMORY = 3,
	VPROF_GROUP_EVENT = 4,
	VPROF_GROUP_STREAM = 5,
	VPROF_GROUP_GRAPH = 6,   /* graph launches too */
	VPROF_GROUP_MODULE = 7,
	VPROF_GROUP_CONTEXT = 8, /* contexts, devices, the profiler, and what fits nowhere else */
	VPROF_GROUP_QUERY = 9,   /* calls that only ask; off: counted per thread (VPROF_KIND_QUERIES) */
	VPROF_GROUP_RANGE = 10,  /* the program's own ranges, marks and counters: NVTX, vprof.h */
	VPROF_GROUP_COUNT = 11,
};
#define VPROF_GROUP_BIT(group) (1u << (group))

#include "vprof/ring_control.h"

/* Why something that happened is not in the ring. Append-only. */
enum vprof_loss {
	VPROF_LOSS_NO_CHUNK = 0,   /* every chunk was some other live lane's current one */
	VPROF_LOSS_NO_LANE = 1,    /* no free lane for a new thread */
	VPROF_LOSS_REENTRANT = 2,  /* a signal handler's call during a lane's own slow path */
	VPROF_LOSS_LATE = 3,       /* a call returned after its slot had been overwritten */
	VPROF_LOSS_DEFS_FULL = 4,  /* a name or object that found no room in the definitions */
	VPROF_LOSS_START = 5,      /* calls that passed while the ring was being made */
	VPROF_LOSS_HANDLES = 6,    /* a launched function, or an event, that the table of handles had no room for */
	VPROF_LOSS_HOLDINGS = 7,   /* an allocation that the holdings had no room for */
	VPROF_LOSS_TEXT = 8,       /* a range's name that was cut, or for which there was no room */
	VPROF_LOSS_NODES = 9,      /* a graph whose nodes could not be told, wholly or in part */
	VPROF_LOSS_FACTS = 10,     /* a kernel or device of which the driver did not tell all */
	VPROF_LOSS_SAVED = 11,     /* a module that was to be saved and could not be */
	VPROF_LOSS_SPILLED = 12,   /* a chunk that was to be kept in the spill and was overwritten or dropped first */
	VPROF_LOSS_REQUEST = 13,   /* a request that could not be understood */
	VPROF_LOSS_STAMPS = 14,    /* a launch without stamps that was to have them: too many wait, overwritten,
	                              never came */
	VPROF_LOSS_COUNT = 16,     /* room for more */
};

/* How the process ended, as far as it could say so. */
enum vprof_ring_state {
	VPROF_RING_RUNNING = 1,    /* also what a killed process leaves */
	VPROF_RING_CLOSED = 2,     /* exit() ran our destructor */
};

/*
 * Memory in use, a total for each device, and for the host's pinned memory. Writer: any thread, by
 * relaxed atomics, after the call that took or gave it back; `peak` and `peak_ticks` belong together
 * but may be torn in a live ring.
 */
enum { VPROF_MEMORY_DEVICES = 32, VPROF_MEMORY_HOST = 32, VPROF_MEMORY_TOTALS = 33 };

struct vprof_memory_total {
	uint64_t bytes;            /* now */
	uint64_t peak;
	uint64_t peak_ticks;
};
VPROF_SIZE(vprof_memory_total, 24);

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
	struct vprof_memory_total memory[VPROF_MEMORY_TOTALS]; /* by device, then the host; from minor 1 on */
	struct vprof_served served; /* what became of requests; from minor 2 on */
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
VPROF_AT(vprof_ring_live, memory, 448);
VPROF_AT(vprof_ring_live, served, 1240);
VPROF_SIZE(vprof_ring_live, 2808);

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

/*
 * Holdings: memory that the program holds, one entry each, so that what was taken long ago is known
 * when its record has been overwritten. Open addressing; `address` is the key and is stored last
 * (release; readers pair with an acquire load): 0 free, 1 given back, else taken. An entry that is
 * given back may be taken again. A virtual range and the physical memory mapped into it are two entries.
 */
enum vprof_memory_kind {
	VPROF_MEMORY_DEVICE = 1,     /* cuMemAlloc, cuMemAllocPitch */
	VPROF_MEMORY_POOL = 2,       /* cuMemAllocAsync, cuMemAllocFromPoolAsync; pool: `other` */
	VPROF_MEMORY_MANAGED = 3,
	VPROF_MEMORY_PINNED = 4,     /* cuMemAllocHost, cuMemHostAlloc */
	VPROF_MEMORY_REGISTERED = 5, /* cuMemHostRegister: the program's own pages */
	VPROF_MEMORY_PHYSICAL = 6,   /* cuMemCreate; address: the handle with bit 63 set */
	VPROF_MEMORY_RESERVED = 7,   /* cuMemAddressReserve: addresses only, in no total */
	VPROF_MEMORY_MAPPED = 8,     /* cuMemMap; other: the handle. In no total: counted with PHYSICAL */
	VPROF_MEMORY_ARRAY = 9,      /* cuArrayCreate and the like; address: the handle with bit 62 set */
	VPROF_MEMORY_KIND = 0xff,    /* of slot.object of a MEMORY record: the kind */
	VPROF_MEMORY_TAKE = 1 << 8,  /* likewise: memory was taken, */
	VPROF_MEMORY_GIVE = 1 << 9,  /* or given back */
	VPROF_MEMORY_UNKNOWN = 1 << 10, /* given back, but never seen being taken; taken, but no room in the
	                                   holdings: in no total either way */
	VPROF_MEMORY_PLACE_SHIFT = 16,  /* above it: device + 1, VPROF_MEMORY_HOST + 1, 0 not known */
};

struct vprof_holding {
	uint64_t address;          /* as above */
	uint64_t bytes;
	uint64_t ticks;            /* when it was taken */
	uint64_t thread;           /* serial of who took it */
	uint64_t other;            /* pool, handle or flags, as in the record */
	uint64_t stream;
	uint16_t call;             /* with which function */
	uint16_t kind;             /* enum vprof_memory_kind */
	uint32_t place;            /* device, or VPROF_MEMORY_HOST; above that: not known, in no total */
	uint64_t range;            /* innermost range in which it was taken: a definition (VPROF_DEF_TEXT) or 0 */
};
VPROF_AT(vprof_holding, bytes, 8);
VPROF_AT(vprof_holding, ticks, 16);
VPROF_AT(vprof_holding, thread, 24);
VPROF_AT(vprof_holding, other, 32);
VPROF_AT(vprof_holding, stream, 40);
VPROF_AT(vprof_holding, call, 48);
VPROF_AT(vprof_holding, kind, 50);
VPROF_AT(vprof_holding, place, 52);
VPROF_AT(vprof_holding, range, 56);
VPROF_SIZE(vprof_holding, 64);

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
	/*
	 * Calls that were counted and not recorded, all owners; from minor 1 on. Of a function that is counted
	 * in the current chunk up to VPROF_QUERIES_TIMED - 1 are told only when its thread leaves the chunk.
	 */
	uint64_t queries;
	uint64_t reserved[6];
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
VPROF_AT(vprof_lane, queries, 72);
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
	uint64_t open_ticks;       /* no record of this chunk is older, but those of launches past: REPLAY,
	                              STAMPS, TIMED */
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

#include "vprof/ring_records.h"

struct vprof_chunk {
	struct vprof_chunk_header head;
	struct vprof_slot slot[VPROF_CHUNK_SLOTS - 1]; /* slot[i - 1] is slot i */
};
VPROF_SIZE(vprof_chunk, VPROF_CHUNK_SIZE);

#include "vprof/ring_defs.h"
#include "vprof/ring_gpu.h"

#endif
