/*
 * gate.c - cuGetProcAddress, both forms.
 *
 * The driver answers first, and what it answers stands, status included. Only the
 * address is exchanged for our wrapper's, when it is a function that we have one for. Not
 * recorded: a process that looks functions up need not use any.
 */
#include "shim/wrap.h"

/* libcuda looks up functions of its own as well: those stay as they are. */
static void exchange(const char *base, void **entry, int version, uint64_t flags, const void *caller)
{
	if (base && entry && *entry && !vprof_driver_holds(caller))
		*entry = vprof_resolve_entry(base, version, flags, *entry);
}

EXPORT CUresult cuGetProcAddress(const char *base, void **entry, int version, uint64_t flags);
EXPORT CUresult cuGetProcAddress_v2(const char *base, void **entry, int version, uint64_t flags,
				    CUdriverProcAddressQueryResult *status);

WRAPPER CUresult cuGetProcAddress(const char *base, void **entry, int version, uint64_t flags)
{
	CUresult result = TARGET(cuGetProcAddress)(base, entry, version, flags);

	if (result == CUDA_SUCCESS)
		exchange(base, entry, version, flags, __builtin_return_address(0));
	return result;
}

WRAPPER CUresult cuGetProcAddress_v2(const char *base, void **entry, int version, uint64_t flags,
				     CUdriverProcAddressQueryResult *status)
{
	CUresult result = TARGET(cuGetProcAddress_v2)(base, entry, version, flags, status);

	if (result == CUDA_SUCCESS)
		exchange(base, entry, version, flags, __builtin_return_address(0));
	return result;
}
