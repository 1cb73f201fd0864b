/*
 * cubin.h - what a cubin, the driver's ELF file for one GPU architecture, says of its kernels.
 *
 * The sections are found with libelf; what is in them is NVIDIA's own and is read here: records of
 * .nv.info (registers, stack, parameters), sizes of .nv.shared, .nv.constant0 and .nv.local, and the
 * notes that name the tool that made it. Two layouts are known: that of CUDA 12 and before, and that
 * of CUDA 13. Attributes that are not known are passed over.
 *
 * HOSTILE INPUT. Every offset is checked; what does not hold is left out, so that a damaged cubin
 * gives less. No more memory is taken than a small multiple of the cubin's size.
 *
 * OWNERSHIP. Names point into the caller's bytes, which are to stay until cubin_free().
 */
#ifndef VPROF_TOOLS_CUBIN_H
#define VPROF_TOOLS_CUBIN_H

#include <stddef.h>
#include <stdint.h>

struct cubin_param {
	uint32_t ordinal, offset, size; /* offset from the first parameter, bytes */
};

struct cubin_kernel {
	const char *name;      /* mangled */
	uint64_t code;         /* bytes */
	uint32_t registers;    /* per thread */
	uint32_t shared;       /* static, bytes per block, without what the system keeps */
	uint32_t stack;        /* bytes per thread */
	uint32_t local;        /* bytes per thread of local memory, the stack included */
	uint32_t constant;     /* bytes of bank 0 */
	uint32_t barriers;
	uint32_t param_base;   /* where in bank 0 the parameters begin */
	uint32_t param_bytes;
	uint32_t param_count;
	struct cubin_param *params; /* by ordinal */
	uint32_t threads[3];   /* 0: any; the most, or exactly so many */
	int threads_exact;
	uint32_t cluster[3];   /* blocks; 0: none given */
	uint32_t cluster_most; /* blocks; 0: none given */
};

struct cubin_section {
	const char *name;
	uint64_t offset, size;
	uint32_t type, info;
	uint64_t flags;
};

struct cubin {
	char arch[16];         /* "sm_90a" */
	uint32_t sm;           /* 90 */
	uint32_t toolkit;      /* 130: CUDA 13.0; 0: not known */
	uint32_t constant;     /* bytes of the program's own constants (bank 3) */
	const char *tool;      /* "ptxas"; these four are NULL where the cubin does not say */
	const char *version;   /* "Cuda compilation tools, release 13.0, V13.0.88" */
	const char *build, *options;
	int relocatable;       /* to be linked: sizes are not final */
	struct cubin_kernel *kernels; /* in the order of their code */
	size_t kernel_count;
	struct cubin_section *sections;
	size_t section_count;
	void *elf;
};

/* 0, or a negative errno with one sentence in `why`, for example "is cut short"; nothing to free then. */
int cubin_read(struct cubin *cubin, void *bytes, size_t size, char *why, size_t why_size);
void cubin_free(struct cubin *cubin);

/* A kernel by its mangled name; NULL: none. */
const struct cubin_kernel *cubin_find(const struct cubin *cubin, const char *name);

/* "13.0.88" of cubin->version, into `text`; "" where it is not known. Returns text. */
char *cubin_tool_version(const struct cubin *cubin, char *text, size_t size);

#endif
