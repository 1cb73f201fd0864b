/*
 * gate.c - what every API call passes before it does anything.
 *
 * In turn: rules of the environment, INSTANT mode, initialisation, a sticky
 * error, a current context, and a capture in progress that forbids the call.
 *
 * Initialisation lives in a page of its own that the kernel wipes in a forked
 * child, so that a child of an initialised process gets
 * CUDA_ERROR_NOT_INITIALIZED from everything, as from the real driver, even
 * when it was made by _Fork() or a raw system call. A vfork child shares the page.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/gate.h"
#include "tests/fakecuda/rules.h"

enum { GATE_PAGE = 65536 }; /* a multiple of any page size */

static _Atomic(atomic_int *) alive; /* set once by cuInit; peer: initialised() */
static atomic_int sticky; /* peer: every later call of every thread */

static atomic_int going; /* the process ends; peer: calls of every thread */

/* As the real driver, which the first cuInit has called at exit(). */
static void go(void)
{
	atomic_store(&going, 1);
	fk_spend_until(fk_now() + fk_config.exit_ns);
}

static bool initialised(void)
{
	atomic_int *page = atomic_load_explicit(&alive, memory_order_acquire);

	return page && atomic_load_explicit(page, memory_order_relaxed);
}

CUresult fk_gate_init(void)
{
	atomic_int *page;
	CUresult result = CUDA_SUCCESS;
	bool first = false;

	pthread_mutex_lock(&fk_lock);
	if (alive) {
		result = initialised() ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
		goto out;
	}
	page = mmap(NULL, GATE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		result = CUDA_ERROR_OUT_OF_MEMORY;
		goto out;
	}
	if (madvise(page, GATE_PAGE, MADV_WIPEONFORK)) {
		munmap(page, GATE_PAGE);
		result = CUDA_ERROR_NOT_SUPPORTED;
		goto out;
	}
	*page = 1;
	atomic_store_explicit(&alive, page, memory_order_release);
	first = true;
out:
	pthread_mutex_unlock(&fk_lock);
	if (first && fk_gate & FK_GATE_EXIT)
		atexit(go);
	if (first)
		fk_inject();
	return result;
}

CUresult fk_sticky(void)
{
	return atomic_load_explicit(&sticky, memory_order_relaxed);
}

/* The errors after which the real driver's context is lost. */
void fk_sticky_set(CUresult error)
{
	int none = CUDA_SUCCESS;

	if (error == CUDA_ERROR_ILLEGAL_ADDRESS || error == CUDA_ERROR_LAUNCH_TIMEOUT ||
	    error == CUDA_ERROR_ASSERT ||
	    (error >= CUDA_ERROR_HARDWARE_STACK_ERROR && error <= CUDA_ERROR_LAUNCH_FAILED))
		atomic_compare_exchange_strong(&sticky, &none, error);
}

/* What FAKECUDA_STRICT makes unsafe. */
static bool is_question(const char *name)
{
	static const char *const begins[] = { "cuFunc", "cuKernelGet", "cuDeviceGet", "cuDeviceTotal", "cuCtxGet",
		"cuStreamGetPriority", "cuStreamGetCtx" };

	for (size_t i = 0; i < FK_COUNT(begins); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

CUresult fk_gate_enter(int flags, const char *name)
{
	CUresult result;

	if (fk_gate & FK_GATE_RULES) {
		result = fk_rules_apply(name);
		if (result) {
			fk_sticky_set(result);
			return result;
		}
	}
	if (fk_gate & FK_GATE_EXIT && atomic_load(&going))
		fprintf(stderr, "fakecuda: %s while the driver goes\n", name);
	if ((flags & FK_WORK) && (fk_gate & FK_GATE_INSTANT))
		return FK_ENTER_DONE;
	if (!(flags & FK_INIT))
		return CUDA_SUCCESS;
	if (!initialised())
		return CUDA_ERROR_NOT_INITIALIZED;
	if ((flags & FK_CTX) == FK_CTX) {
		if (fk_sticky())
			return fk_sticky();
		if (!fk_ctx())
			return CUDA_ERROR_INVALID_CONTEXT;
	}
	if ((fk_gate & FK_GATE_STRICT) && is_question(name))
		flags |= FK_UNSAFE;
	if ((flags & FK_UNSAFE) && fk_capture_forbids())
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	return CUDA_SUCCESS;
}
