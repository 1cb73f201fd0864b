/*
 * local_scope.c - a library that is linked with the driver and opened with RTLD_LOCAL: it finds
 * the driver's functions with RTLD_DEFAULT, which others in the program do not.
 */
#include <dlfcn.h>

void *ask_default(const char *name);

void *ask_default(const char *name)
{
	void *volatile found = dlsym(RTLD_DEFAULT, name); /* not a tail call, which would ask for our caller */

	return found;
}
