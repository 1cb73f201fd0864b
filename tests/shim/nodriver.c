/*
 * nodriver.c - a program that calls the driver through the PLT on a machine without one.
 */
#include <dlfcn.h>
#include "tests/tap.h"

int cuCtxSynchronize(void);
int cuStreamSynchronize(void *stream);
int cuGetProcAddress_v2(const char *base, void **entry, int version, unsigned long long flags, int *status);

enum { STUB_LIBRARY = 34 };

int main(void)
{
	void *entry = NULL;

	ok(cuCtxSynchronize() == STUB_LIBRARY, "a call returns what the driver's stub returns");
	ok(cuStreamSynchronize(NULL) == STUB_LIBRARY, "so does the next");
	ok(cuGetProcAddress_v2("cuInit", &entry, 12000, 0, NULL) == STUB_LIBRARY && !entry, "so does a lookup");
	return done_testing();
}
