/*
 * fake.h - inside the software driver (libcuda.so.1 for machines without a GPU).
 *
 * A driver that behaves like the real one as far as a profiler can see:
 * asynchronous streams, events, contexts, modules, memory, capture, graphs,
 * versioned entry points. "Device" memory is host memory, and a kernel is a
 * name: it says how long the kernel takes and which host function stands for it
 * (kernels.c).
 *
 *   work.c     what a stream or a graph node does: kernel, copy, memset, …
 *   clock.c    the host's clock and the GPUs'
 *   sim.c      streams as queues, their worker threads, waiting
 *   gate.c     what every call passes first: init, sticky errors, injection
 *   graph.h    graphs, and what is made of them to run
 *   the rest   the API, one file per subject
 *
 * One lock (fk_lock) guards all state; it is never held while work runs.
 * Functions named *_locked expect it held. An API function is a row of the
 * FK_API macros, whose forms (_v2, _ptsz, _ptds) share one implementation.
 *
 * Environment: see config.c. Handles are pooled by type and reused last in,
 * first out, as the real driver reuses addresses.
 */
#ifndef FAKECUDA_FAKE_H
#define FAKECUDA_FAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/cuda_abi.h"

#define FK_EXPORT __attribute__((visibility("default")))
#define FK_LIKELY(x) __builtin_expect(!!(x), 1)
#define FK_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the gate ----------------------------------------------------------- */

/* What a call needs, and how it may be refused or cut short. */
enum fk_call_flags {
	FK_FREE = 0,       /* nothing: works before cuInit */
	FK_INIT = 1 << 0,  /* cuInit has been called, not in a forked child */
	FK_CTX = 1 << 1 | FK_INIT, /* a current context, no sticky error */
	FK_UNSAFE = 1 << 2, /* forbidden while a capture of this or another thread says so */
	FK_WORK = 1 << 3,  /* FAKECUDA_INSTANT makes it a return */
};

enum { FK_GATE_INSTANT = 1 << 0, FK_GATE_RULES = 1 << 1, FK_GATE_STRICT = 1 << 2, FK_GATE_EXIT = 1 << 3 };
extern unsigned int fk_gate;

/* 0: go on; else what the call returns, but FK_ENTER_DONE for success at once. */
enum { FK_ENTER_DONE = -1 };
CUresult fk_gate_enter(int flags, const char *name);
CUresult fk_sticky(void);
void fk_sticky_set(CUresult error);

/*
 * FK_API(flags, name, (parameters), expression) defines one exported function.
 * FK_API_PT also defines its per-thread-default-stream form; in the expression
 * `pts` says which of the two it is.
 */
#define FK_API(flags, name, params, ...) FK_API_(flags, name, 0, params, __VA_ARGS__)
#define FK_API_PT(flags, name, suffix, params, ...) \
	FK_API_(flags, name, 0, params, __VA_ARGS__) \
	FK_API_(flags, name##suffix, 1, params, __VA_ARGS__)
#define FK_API_(flags_, name, pts_, params, ...) \
	FK_EXPORT CUresult name params; \
	FK_EXPORT CUresult name params \
	{ \
		enum { pts = pts_ }; \
		CUresult entered_; \
		if (((flags_) & FK_WORK) && FK_LIKELY(fk_gate == FK_GATE_INSTANT)) \
			return CUDA_SUCCESS; \
		entered_ = fk_gate_enter(flags_, #name); \
		if (entered_) \
			return entered_ == FK_ENTER_DONE ? CUDA_SUCCESS : entered_; \
		(void)pts; \
		return (__VA_ARGS__); \
	}

/* ---- configuration ------------------------------------------------------ */

enum { FK_CLOCKS = 16 };
struct fk_config {
	int devices;
	uint64_t kernel_ns;
	int sm;       /* major * 10 + minor */
	uint64_t edge_ns, prog_ns, copy_ns, early_ns;
	uint64_t jitter_ns;
	uint64_t queue; /* how much work may wait on a stream; 0: any */
	bool apart;     /* what waits early does so for the kernel ahead alone */
	uint64_t node_ns, node_bytes; /* to instantiate */
	uint64_t memory;              /* bytes, of a device */
	int64_t clock_offset[FK_CLOCKS]; /* by device */
	double clock_ppm[FK_CLOCKS];
	uint64_t exit_ns;
};
extern struct fk_config fk_config;

/* ---- handles ------------------------------------------------------------ */

enum fk_type {
	FK_STREAM = 1, FK_EVENT, FK_CONTEXT, FK_MODULE, FK_FUNC, FK_LIBRARY, FK_KERNEL,
	FK_GRAPH, FK_NODE, FK_EXEC, FK_POOL, FK_ARRAY, FK_TYPES,
};

/* First in every handle. Its memory is never returned, so a stale handle can be read. */
struct fk_head {
	uint32_t magic; /* FK_MAGIC | type while alive */
	uint32_t type;
	struct fk_head *next_free;
};
#define FK_MAGIC 0xFACE0000u

/* Stores one fact of a handle of the given type. */
#define FK_FACT(handle, type, out, value) \
	(!(out) ? CUDA_ERROR_INVALID_VALUE : !fk_is(handle, type) ? CUDA_ERROR_INVALID_HANDLE : \
	 (*(out) = (value), CUDA_SUCCESS))

void *fk_new(enum fk_type type, size_t size); /* zeroed but for the head; NULL: no memory */
void fk_delete(void *handle);
static inline bool fk_is(const void *handle, enum fk_type type)
{
	return (uintptr_t)handle > 4095 && ((uintptr_t)handle & 7) == 0 &&
		((const struct fk_head *)handle)->magic == (FK_MAGIC | (uint32_t)type);
}

/* ---- objects ------------------------------------------------------------ */

struct fk_op;
struct fk_capture;

struct CUctx_st {
	struct fk_head head;
	CUdevice device;
	unsigned int flags;
	bool primary;
	int retained;
	CUstream legacy;
	CUstream streams; /* every stream of the context */
};

/* When some work was done, by the simulation's clock. */
struct fk_span {
	uint64_t begin;   /* behind what it waits for */
	uint64_t trigger; /* what depends on it programmatically may begin */
	uint64_t end;
};

enum { FK_ENDS = 64 };

struct CUstream_st {
	struct fk_head head;
	CUcontext ctx;
	CUstream next; /* in ctx->streams */
	unsigned int flags;
	int priority;
	unsigned long long id;
	bool legacy, own, destroyed, running, has_worker; /* own: a thread's default stream */
	int refs;
	uint64_t submitted, done; /* sequence numbers */
	uint64_t clock;      /* when all its work so far has ended, by the simulation's clock */
	struct fk_span last_span; /* of its last work */
	bool last_kernel;    /* which is a kernel */
	uint64_t ends[FK_ENDS]; /* the clock after work number n, at n % FK_ENDS */
	struct fk_op *first, *last;
	pthread_cond_t wake; /* its worker: there is work, or none will come */
	struct fk_capture *capture;
	CUgraphNode *tail;   /* while capturing: what the next node depends on */
	size_t tails;
};

struct CUevent_st {
	struct fk_head head;
	unsigned int flags;
	int refs;
	bool destroyed;
	CUstream stream; /* of the last record; NULL: never recorded */
	uint64_t seq;
	uint64_t time_ns;
	struct fk_capture *capture; /* recorded in a capture: the nodes it stands for */
	CUgraphNode *tail;
	size_t tails;
};

enum { FK_MAX_PARAMS = 64 };

struct fk_layout { /* of a kernel's parameters */
	int count;
	uint16_t offset[FK_MAX_PARAMS], size[FK_MAX_PARAMS];
	uint32_t bytes;
};

/* Where and when a kernel does what it does. */
struct fk_run {
	uint64_t at;     /* by the simulation's clock; a kernel that waits moves it on */
	CUdevice device;
};
typedef void fk_kernel_fn(struct fk_run *run, const void *args);

struct CUfunc_st {
	struct fk_head head;
	CUmodule module;
	CUkernel kernel; /* its kernel when the module belongs to a library */
	CUfunction next;
	char *name;
	struct fk_layout layout;
	fk_kernel_fn *run; /* NULL: only takes time */
	uint64_t ns;
	uint64_t (*ns_of)(const void *args); /* more, by its arguments; NULL: no more */
	uint64_t trigger_ns; /* after its begin it lets its dependents begin; at its end if that is sooner */
	bool waits;          /* for all of its upstream, before it begins its work */
	bool releases;       /* its dependents begin, before it waits: they need not wait for what it waits for */
	bool waits_for_host; /* ends when the host lets it */
	bool timed;          /* reads the clock */
	int registers, shared; /* what it needs, by its name; see kernels.c */
	bool loaded; /* launched, or asked about: functions are loaded lazily */
};

struct CUmod_st {
	struct fk_head head;
	bool anything; /* the image "fake": any name is a kernel */
	CUlibrary library;
	CUcontext ctx;
	CUfunction functions;
	CUmodule next; /* of all that are loaded into a context, under fk_lock */
};

struct CUkern_st {
	struct fk_head head;
	CUlibrary library;
	CUkernel next;
	CUfunction function;
};

struct CUlib_st {
	struct fk_head head;
	CUmodule module;
	CUkernel kernels;
};

struct CUmemPoolHandle_st {
	struct fk_head head;
	CUdevice device;
	uint64_t threshold;
};

struct CUarray_st {
	struct fk_head head;
	size_t width, height, depth; /* width in bytes */
	uint8_t *data;
};

/* ---- work: what a stream or a graph node does --------------------------- */

enum { FK_ATTRIBUTES = 17 }; /* highest CUlaunchAttributeID, and one more */

struct fk_attributes {
	uint32_t given; /* bit by id */
	CUlaunchAttributeValue value[FK_ATTRIBUTES];
};

struct fk_work {
	CUgraphNodeType type;
	bool external; /* an event record or wait that becomes a node when captured */
	bool taken;    /* of a conditional node: its body runs */
	union {
		struct {
			CUfunction func;
			CUkernel kern;
			CUcontext ctx;
			unsigned int grid[3], block[3], shared;
			void *args;   /* layout->bytes of parameters */
			void **pointers; /* into args, one each; made by fk_work_copy_locked */
			struct fk_attributes *attributes; /* NULL: none */
		} kernel;
		CUDA_MEMCPY3D_v2 copy;
		CUDA_MEMSET_NODE_PARAMS set;
		CUDA_HOST_NODE_PARAMS host;
		CUgraph child; /* of a conditional node: its body */
		CUevent event;
		CUdeviceptr address; /* memory free */
	};
};

struct fk_span fk_span_at(const struct fk_work *work, uint64_t begin);
/* From when on the other end of an edge may begin its work. */
uint64_t fk_edge_bound(const struct fk_span *from, const CUgraphEdgeData *edge, const struct fk_work *to);
bool fk_work_open(const struct fk_work *work);  /* it ends when it ends: no span tells before */
bool fk_work_timed(const struct fk_work *work); /* it reads a clock */

CUresult fk_attributes_take(struct fk_attributes *to, const CUlaunchAttribute *from, unsigned int count);
void fk_attributes_set(struct fk_attributes *to, CUlaunchAttributeID id, const CUlaunchAttributeValue *value);
CUresult fk_attributes_copy(struct fk_work *work);
void fk_attributes_captured(struct fk_work *work, struct fk_attributes *room, int priority);
bool fk_work_serializes(const struct fk_work *work); /* programmatically with the launch before it */
bool fk_work_updatable(const struct fk_work *work);  /* by the device */
int fk_work_cooperative(const struct fk_work *work);
int fk_work_priority(const struct fk_work *work);

CUresult fk_work_copy_locked(struct fk_work *to, const struct fk_work *from);
void fk_work_drop_locked(struct fk_work *work);
static inline bool fk_work_contains(const struct fk_work *work)
{
	return work->type == CU_GRAPH_NODE_TYPE_GRAPH || work->type == CU_GRAPH_NODE_TYPE_CONDITIONAL;
}
void fk_work_run(const struct fk_work *work, struct fk_span *span); /* may move the span's end */
uint64_t fk_work_ns(const struct fk_work *work); /* 0: done at once, may run in the caller */
CUresult fk_copy_check(const CUDA_MEMCPY3D_v2 *copy);
CUresult fk_set_check(const CUDA_MEMSET_NODE_PARAMS *set);
CUresult fk_kernel_work(struct fk_work *work, const CUDA_KERNEL_NODE_PARAMS_v2 *params, void *args,
	size_t room);
bool fk_copy_is_pageable(const CUDA_MEMCPY3D_v2 *copy);
void fk_copy_run(const CUDA_MEMCPY3D_v2 *copy);
void fk_set_run(const CUDA_MEMSET_NODE_PARAMS *set);

/* ---- simulation --------------------------------------------------------- */

extern pthread_mutex_t fk_lock;

uint64_t fk_now(void);
uint64_t fk_globaltimer(CUdevice device, uint64_t at); /* what the GPU's clock reads then */
void fk_spend_until(uint64_t end);
/* Puts work on a stream, or into the graph that the stream captures. */
CUresult fk_submit(CUstream stream, const struct fk_work *work);
CUresult fk_submit_exec(CUstream stream, CUgraphExec exec);
void fk_wait_locked(CUstream stream, uint64_t seq);
CUresult fk_stream_wait(CUstream stream);
void fk_stream_ref_locked(CUstream stream);
void fk_stream_unref_locked(CUstream stream);
void fk_event_unref_locked(CUevent event);
static inline bool fk_idle(const struct CUstream_st *s) { return s->done == s->submitted; }

CUstream fk_stream_new(CUcontext ctx, unsigned int flags, int priority);
CUstream fk_stream_get(CUstream handle, int pts); /* NULL: not a stream */

/* ---- contexts, memory, modules ------------------------------------------ */

CUcontext fk_ctx(void); /* the calling thread's current one */
CUresult fk_ctx_wait(CUcontext ctx);

enum fk_memory_kind { FK_DEVICE_MEMORY = 1, FK_HOST_MEMORY, FK_MANAGED_MEMORY, FK_REGISTERED, FK_RESERVED };
struct fk_range {
	CUdeviceptr base;
	size_t size;
	enum fk_memory_kind kind;
	bool low; /* mapped below 4 GiB for a caller of the 32-bit forms */
	bool pool; /* out of a pool, which outlives contexts */
	CUcontext ctx;
};
CUresult fk_memory_alloc(CUdeviceptr *out, size_t size, enum fk_memory_kind kind, bool low);
CUresult fk_memory_alloc_pool(CUdeviceptr *out, size_t size);
CUresult fk_memory_free(CUdeviceptr address, enum fk_memory_kind kind);
CUresult fk_memory_add(const struct fk_range *range);
CUresult fk_memory_remove(CUdeviceptr base, enum fk_memory_kind kind, struct fk_range *out);
bool fk_memory_find(CUdeviceptr address, size_t size, struct fk_range *out);
void fk_memory_drop(CUcontext ctx); /* the context has ended: what was allocated in it is freed */
bool fk_host_pinnable(const void *p, size_t size);
void fk_memory_use(ssize_t bytes); /* of the device, by the driver itself */
void fk_memory_info(size_t *free_bytes, size_t *total);

CUfunction fk_function_of(const void *handle); /* a CUfunction, or a CUkernel in its place */
void fk_kernel_bind(CUfunction function);
void fk_modules_drop(CUcontext ctx); /* the context has ended */
void fk_streams_drop(CUcontext ctx);
CUresult fk_image_functions(CUmodule module, const void *image);
CUresult fk_function_add(CUmodule module, const char *name, const struct fk_layout *layout,
	CUfunction *out);

/* ---- capture ------------------------------------------------------------ */

bool fk_capture_forbids(void); /* an unsafe call of this thread, now; invalidates captures */
bool fk_capture_implicit(CUstream stream); /* legacy stream used while a blocking one captures */
CUresult fk_capture_work_locked(CUstream stream, const struct fk_work *work);
CUresult fk_capture_wait_locked(CUstream stream, CUevent event);
void fk_capture_event_drop(CUevent event);
CUresult fk_capture_check(CUstream stream); /* a stream call that a capture does not allow */

#endif
