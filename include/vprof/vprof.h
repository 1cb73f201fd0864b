/*
 * vprof.h - marks that a program puts into its own trace: ranges, moments, counters, names.
 *
 *	#include <vprof/vprof.h>
 *
 *	vprof_range_begin("load weights");
 *	...
 *	vprof_range_end();
 *
 * Nothing is to be linked: under LD_PRELOAD=libvprof.so the calls reach the library, without it
 * they find nobody and do nothing. For C (C89 too) and C++, any thread. Names are UTF-8 and are copied. A
 * process that makes no CUDA driver call leaves no trace, marks or not.
 *
 * The functions are found through weak references, which the linker keeps open in position
 * independent code: shared libraries, and executables as compilers make them by default. In an executable
 * linked with -no-pie they do nothing.
 */
#ifndef VPROF_VPROF_H
#define VPROF_VPROF_H

#ifdef __cplusplus
extern "C" {
#endif

/* What the library offers; programs call the functions below. Never changed, only added to. */
#define VPROF_WEAK __attribute__((weak, visibility("default")))
extern void vprof_hook_range_begin(const char *name) VPROF_WEAK;
extern void vprof_hook_range_end(void) VPROF_WEAK;
extern void vprof_hook_mark(const char *name) VPROF_WEAK;
extern void vprof_hook_counter(const char *name, double value) VPROF_WEAK;
extern void vprof_hook_name_thread(const char *name) VPROF_WEAK;
extern void vprof_hook_name_stream(const void *stream, const char *name) VPROF_WEAK;
#undef VPROF_WEAK

#define VPROF_MARK_FUNCTION static __inline__ __attribute__((unused)) void

/* A range of the calling thread: ranges nest, the end ends the innermost. */
VPROF_MARK_FUNCTION vprof_range_begin(const char *name)
{
	if (vprof_hook_range_begin)
		vprof_hook_range_begin(name);
}

VPROF_MARK_FUNCTION vprof_range_end(void)
{
	if (vprof_hook_range_end)
		vprof_hook_range_end();
}

/* A moment. */
VPROF_MARK_FUNCTION vprof_mark(const char *name)
{
	if (vprof_hook_mark)
		vprof_hook_mark(name);
}

/* A value that changes over time, drawn as a track of its own. */
VPROF_MARK_FUNCTION vprof_counter(const char *name, double value)
{
	if (vprof_hook_counter)
		vprof_hook_counter(name, value);
}

/* The calling thread's name in the trace; what the system calls it stays. */
VPROF_MARK_FUNCTION vprof_name_thread(const char *name)
{
	if (vprof_hook_name_thread)
		vprof_hook_name_thread(name);
}

/* A stream's name: a CUstream or a cudaStream_t. */
VPROF_MARK_FUNCTION vprof_name_stream(const void *stream, const char *name)
{
	if (vprof_hook_name_stream)
		vprof_hook_name_stream(stream, name);
}

#undef VPROF_MARK_FUNCTION

#ifdef __cplusplus
}
#endif

#endif
