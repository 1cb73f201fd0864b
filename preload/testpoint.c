/*
 * testpoint.c - kills the process where VPROF_TESTPOINT=name:N says (testpoint.h).
 */
#ifdef VPROF_TESTPOINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include "preload/testpoint.h"

void vprof_testpoint(const char *name)
{
	static const char *wanted;
	static size_t length;
	static long left;

	if (!wanted) {
		const char *text = getenv("VPROF_TESTPOINT");
		const char *colon = text ? strrchr(text, ':') : NULL;

		wanted = text ? text : "";
		length = colon ? (size_t)(colon - text) : strlen(wanted);
		left = colon ? atol(colon + 1) : 1;
	}
	if (strlen(name) != length || strncmp(name, wanted, length))
		return;
	if (__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) == 0)
		kill(getpid(), SIGKILL);
}
#else
typedef int vprof_testpoint_is_not_built; /* a translation unit needs a declaration */
#endif
