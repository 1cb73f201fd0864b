/*
 * testpoint.c - kills the process where VPROF_TESTPOINT=name:N says, or waits there (testpoint.h).
 */
#ifdef VPROF_TESTPOINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include "preload/testpoint.h"

void vprof_testpoint(const char *name)
{
	static const char *wanted;
	static size_t length;
	static long left, ms;

	if (!wanted) {
		const char *text = getenv("VPROF_TESTPOINT");
		const char *colon = text ? strchr(text, ':') : NULL;
		char *rest = NULL;

		wanted = text ? text : "";
		length = colon ? (size_t)(colon - text) : strlen(wanted);
		left = colon ? strtol(colon + 1, &rest, 10) : 1;
		ms = rest && *rest == ':' ? atol(rest + 1) : 0;
	}
	if (strlen(name) != length || strncmp(name, wanted, length))
		return;
	if (__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED))
		return;
	if (!ms)
		kill(getpid(), SIGKILL);
	else
		nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}
#else
typedef int vprof_testpoint_is_not_built; /* a translation unit needs a declaration */
#endif
