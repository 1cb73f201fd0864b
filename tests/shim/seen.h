/* seen.h - what the driver of these tests saw, and what it is to do. */
#ifndef TESTS_SHIM_SEEN_H
#define TESTS_SHIM_SEEN_H

#include <stdint.h>

struct seen {
	const char *name;       /* the last function called */
	int count;
	uintptr_t args[16];
	int result;             /* what calls return */
	int errno_left;         /* and leave in errno; 0: errno as it is */
	void *handle;           /* what lookups and instantiations give */
	const char *name_of;    /* what any handle is called */
	void *only_kernel;      /* a handle that cuFuncGetName refuses */
	int func_names, kernel_names;
	int capture_mode;
};

#endif
