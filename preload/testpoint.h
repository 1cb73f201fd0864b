/*
 * testpoint.h - places where a test may kill the process, or hold a thread up.
 *
 * TESTPOINT(name) is nothing in a normal build. In the library that the tests
 * use (-DVPROF_TESTPOINTS) the process kills itself with SIGKILL when it passes
 * the point for the Nth time, with VPROF_TESTPOINT=name:N in the environment. With name:N:MS the
 * thread that does so sleeps so long instead.
 */
#ifndef VPROF_PRELOAD_TESTPOINT_H
#define VPROF_PRELOAD_TESTPOINT_H

#ifdef VPROF_TESTPOINTS
void vprof_testpoint(const char *name) __attribute__((visibility("hidden")));
#define TESTPOINT(name) vprof_testpoint(name)
#else
#define TESTPOINT(name) ((void)0)
#endif

#endif
