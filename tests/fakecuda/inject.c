/*
 * inject.c - what CUDA_INJECTION64_PATH names is loaded by the first cuInit of a process, whose
 * InitializeInjection() is called. As with the real driver, nothing comes of one that is not there.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "tests/fakecuda/gate.h"

void fk_inject(void)
{
	const char *path = getenv("CUDA_INJECTION64_PATH");
	void *library = path && *path ? dlopen(path, RTLD_NOW) : NULL;
	int (*begin)(void) = library ? (int (*)(void))dlsym(library, "InitializeInjection") : NULL;

	if (begin)
		begin();
}
