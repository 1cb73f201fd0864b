/*
 * ring_defs.h - what a definition of a ring holds (a part of ring.h).
 */
#ifndef VPROF_RING_DEFS_H
#define VPROF_RING_DEFS_H

#ifndef VPROF_RING_H
#error "include vprof/ring.h"
#endif

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
	/* From minor 1 on. */
	VPROF_DEF_TEXT = 5,      /* the name of a range, mark or counter */
	VPROF_DEF_DOMAIN = 6,    /* an NVTX domain */
	VPROF_DEF_CATEGORY = 7,  /* an NVTX category */
	VPROF_DEF_LABEL = 8,     /* the program's own name for a thread, stream, … */
	VPROF_DEF_STREAM = 9,    /* a stream, at its creation */
	VPROF_DEF_EVENT = 10,    /* an event, likewise */
	VPROF_DEF_CONTEXT = 11,  /* a context, when it is first seen */
	VPROF_DEF_DEVICE = 12,   /* a device, with its first context */
	VPROF_DEF_FACTS = 13,    /* what a kernel needs, once per kernel */
	VPROF_DEF_NODES = 14,    /* some of the nodes of a graph */
	VPROF_DEF_EDGES = 15,    /* some of its dependencies */
	VPROF_DEF_SAVED = 16,    /* a cubin that was saved beside the ring */
	VPROF_DEF_UNKNOWN = 17,  /* a driver function without a row that the program has looked up */
	VPROF_DEF_ORIGIN = 18,   /* how an executable graph came about, after its VPROF_DEF_GRAPH */
	VPROF_DEF_TWIN = 19,     /* a graph's twin, and where its stamps stand; ring_gpu.h */
	VPROF_DEF_GPU = 20,      /* what stamps cost on a device; ring_gpu.h */
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
	uint32_t image;          /* enum vprof_image, from minor 1 on */
	uint32_t number;         /* 1, 2, … in order of loading, from minor 1 on */
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

enum vprof_image {
	VPROF_IMAGE_UNKNOWN = 0,
	VPROF_IMAGE_CUBIN = 1,
	VPROF_IMAGE_FATBIN = 2,
	VPROF_IMAGE_PTX = 3,     /* compiled by the driver at the load */
	VPROF_IMAGE_LTOIR = 4,
};

struct vprof_def_text {
	struct vprof_def head;
	char name[];
};

struct vprof_def_domain {
	struct vprof_def head;
	uint64_t ticks;
	char name[];
};

struct vprof_def_category {
	struct vprof_def head;
	uint32_t domain;         /* VPROF_DEF_DOMAIN or 0 */
	uint32_t category;       /* the program's number */
	char name[];
};

enum vprof_label_of {
	VPROF_LABEL_THREAD = 1,  /* handle: the system's thread id */
	VPROF_LABEL_STREAM = 2,
	VPROF_LABEL_EVENT = 3,
	VPROF_LABEL_CONTEXT = 4,
	VPROF_LABEL_DEVICE = 5,  /* handle: ordinal */
	VPROF_LABEL_OTHER = 6,   /* handle: whatever the program gave */
};

struct vprof_def_label {
	struct vprof_def head;
	uint64_t handle;
	uint64_t ticks;          /* valid from then on, until the next of this handle */
	uint32_t of;             /* enum vprof_label_of */
	uint32_t domain;         /* VPROF_DEF_DOMAIN or 0 */
	char name[];
};

/* Streams and events: valid from `ticks` until the next definition of the same handle. */
struct vprof_def_stream {
	struct vprof_def head;
	uint64_t handle;         /* CUstream */
	uint64_t ticks;
	uint64_t context;        /* CUcontext, 0 when not known */
	uint32_t number;         /* 1, 2, … in order of creation in this process */
	uint32_t flags;          /* CU_STREAM_* of the creation */
	int32_t priority;
	int32_t device;          /* ordinal, -1 when not known */
};

struct vprof_def_event {
	struct vprof_def head;
	uint64_t handle;         /* CUevent */
	uint64_t ticks;
	uint32_t number;         /* 1, 2, … in order of creation */
	uint32_t flags;          /* CU_EVENT_* of the creation */
};

enum vprof_context_kind {
	VPROF_CONTEXT_UNKNOWN = 0,
	VPROF_CONTEXT_CREATED = 1,
	VPROF_CONTEXT_PRIMARY = 2,
	VPROF_CONTEXT_GREEN = 3,
};

struct vprof_def_context {
	struct vprof_def head;
	uint64_t handle;         /* CUcontext */
	uint64_t ticks;
	uint32_t number;         /* 1, 2, … */
	uint32_t flags;
	int32_t device;          /* ordinal */
	uint32_t kind;           /* enum vprof_context_kind */
};

struct vprof_def_device {
	struct vprof_def head;
	uint64_t memory;         /* bytes */
	int32_t ordinal;         /* CUdevice */
	uint16_t major, minor;   /* compute capability */
	uint32_t sm_count;
	uint32_t clock_khz;
	uint32_t warp;           /* threads */
	uint32_t threads_per_sm;
	uint32_t blocks_per_sm;
	uint32_t threads_per_block;
	uint32_t registers_per_sm;
	uint32_t registers_per_block;
	uint32_t shared_per_sm;  /* bytes */
	uint32_t shared_per_block;
	uint32_t shared_per_block_optin;
	uint32_t shared_reserved; /* bytes of each block that the driver keeps */
	uint32_t l2;             /* bytes */
	uint32_t memory_clock_khz;
	uint32_t bus_bits;       /* width of the memory bus */
	uint32_t driver;         /* cuDriverGetVersion() */
	uint8_t uuid[16];
	char name[];
};

struct vprof_def_facts {
	struct vprof_def head;
	uint32_t kernel;         /* VPROF_DEF_KERNEL */
	uint32_t registers;      /* per thread */
	uint32_t shared_static;  /* bytes per block */
	uint32_t shared_most;    /* dynamic, bytes: the limit set for this function */
	uint32_t constant;       /* bytes */
	uint32_t local;          /* bytes per thread */
	uint32_t threads_most;   /* per block */
	uint16_t ptx, binary;    /* versions as the driver gives them: 90 is 9.0 */
	int32_t device;          /* ordinal of the device that was asked, -1 not known */
	uint32_t valid;          /* 1: the fields above are known; 0: the driver could not say */
	uint32_t param_count;    /* parameters; UINT32_MAX: not known */
	uint32_t param_bytes;    /* of all parameters, padding included */
	struct { uint16_t offset, size; } params[]; /* as many as fit; VPROF_FACTS_PARAMS at most */
};
enum { VPROF_FACTS_PARAMS = 64 };

enum vprof_node_type { /* CUgraphNodeType */
	VPROF_NODE_KERNEL = 0,
	VPROF_NODE_COPY = 1,
	VPROF_NODE_SET = 2,
	VPROF_NODE_HOST = 3,
	VPROF_NODE_GRAPH = 4,
	VPROF_NODE_EMPTY = 5,
	VPROF_NODE_WAIT_EVENT = 6,
	VPROF_NODE_EVENT_RECORD = 7,
	VPROF_NODE_SIGNAL = 8,
	VPROF_NODE_WAIT = 9,
	VPROF_NODE_ALLOC = 10,
	VPROF_NODE_FREE = 11,
	VPROF_NODE_BATCH = 12,
	VPROF_NODE_CONDITIONAL = 13,
	VPROF_NODE_UNKNOWN = 0xff,
};

/* A kernel: object, grid, block, shared, flags (enum vprof_launch_flags). A copy or set: bytes, and
   object as in VPROF_KIND_COPY. A child graph: its own nodes follow where `parent` is its index + 1. */
struct vprof_graph_node {
	uint32_t type;           /* enum vprof_node_type */
	uint32_t object;         /* kernel: VPROF_DEF_KERNEL */
	uint64_t bytes;
	uint32_t grid[3];
	uint16_t block[3];
	uint16_t flags;
	uint32_t shared;         /* dynamic, bytes */
	uint32_t parent;         /* 0: of the graph itself */
};
VPROF_SIZE(vprof_graph_node, 48);

/* Nodes are written in order, piece by piece; what is missing at the end found no room. count == 0:
   this graph's nodes and edges are those of the graph `first`, an earlier VPROF_DEF_GRAPH. */
struct vprof_def_nodes {
	struct vprof_def head;
	uint32_t graph;          /* VPROF_DEF_GRAPH */
	uint32_t first;          /* index of nodes[0] in the graph */
	uint32_t count;          /* of nodes here */
	uint32_t total;          /* of the whole graph, children included */
	struct vprof_graph_node nodes[];
};

struct vprof_def_edges {
	struct vprof_def head;
	uint32_t graph;          /* VPROF_DEF_GRAPH */
	uint32_t first;
	uint32_t count;          /* of edges here */
	uint32_t total;
	struct { uint32_t from, to; } edges[]; /* indices of nodes; bit 31 of `from`: a programmatic edge */
};
#define VPROF_EDGE_PROGRAMMATIC (1u << 31)

/* An update of an executable graph that changes its nodes makes a new VPROF_DEF_GRAPH of the same
   number, with an origin of its own; launches from then on refer to that. */
struct vprof_def_origin {
	struct vprof_def head;
	uint32_t graph;          /* VPROF_DEF_GRAPH */
	uint32_t call;           /* that made it, as in vprof_slot.call */
	uint32_t tid;            /* thread that called it */
	uint32_t capture_tid;    /* thread that ended the capture; 0: not captured, or not seen */
	uint64_t capture_ticks;  /* when that was */
	uint64_t capture_stream;
};

struct vprof_def_saved {
	struct vprof_def head;
	uint32_t module;         /* VPROF_DEF_MODULE */
	uint32_t zero;
	uint64_t size;           /* bytes */
	uint64_t hash;           /* of the content: FNV-1a, 64 bits */
	char name[];             /* file beside the ring's entry */
};

struct vprof_def_unknown {
	struct vprof_def head;
	char name[];             /* as it was asked for */
};
VPROF_AT(vprof_def_module, image, 32);
VPROF_AT(vprof_def_module, number, 36);
VPROF_SIZE(vprof_def_text, 8);
VPROF_SIZE(vprof_def_domain, 16);
VPROF_AT(vprof_def_category, domain, 8);
VPROF_AT(vprof_def_category, category, 12);
VPROF_SIZE(vprof_def_category, 16);
VPROF_AT(vprof_def_label, ticks, 16);
VPROF_AT(vprof_def_label, of, 24);
VPROF_AT(vprof_def_label, domain, 28);
VPROF_SIZE(vprof_def_label, 32);
VPROF_AT(vprof_def_stream, context, 24);
VPROF_AT(vprof_def_stream, number, 32);
VPROF_AT(vprof_def_stream, flags, 36);
VPROF_AT(vprof_def_stream, priority, 40);
VPROF_AT(vprof_def_stream, device, 44);
VPROF_SIZE(vprof_def_stream, 48);
VPROF_AT(vprof_def_event, number, 24);
VPROF_AT(vprof_def_event, flags, 28);
VPROF_SIZE(vprof_def_event, 32);
VPROF_AT(vprof_def_context, number, 24);
VPROF_AT(vprof_def_context, device, 32);
VPROF_AT(vprof_def_context, kind, 36);
VPROF_SIZE(vprof_def_context, 40);
VPROF_AT(vprof_def_device, ordinal, 16);
VPROF_AT(vprof_def_device, sm_count, 24);
VPROF_AT(vprof_def_device, shared_per_sm, 56);
VPROF_AT(vprof_def_device, driver, 84);
VPROF_AT(vprof_def_device, uuid, 88);
VPROF_AT(vprof_def_facts, kernel, 8);
VPROF_AT(vprof_def_facts, threads_most, 32);
VPROF_AT(vprof_def_facts, ptx, 36);
VPROF_AT(vprof_def_facts, device, 40);
VPROF_AT(vprof_def_facts, params, 56);
VPROF_AT(vprof_def_nodes, nodes, 24);
VPROF_AT(vprof_def_edges, edges, 24);
VPROF_AT(vprof_def_origin, tid, 16);
VPROF_AT(vprof_def_origin, capture_ticks, 24);
VPROF_SIZE(vprof_def_origin, 40);
VPROF_AT(vprof_def_saved, size, 16);
VPROF_AT(vprof_def_saved, hash, 24);
VPROF_SIZE(vprof_def_saved, 32);
VPROF_SIZE(vprof_def_unknown, 8);

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
