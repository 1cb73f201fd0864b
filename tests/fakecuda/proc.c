/*
 * proc.c - cuGetProcAddress: which function a name means for a program built
 * for a given CUDA version.
 *
 * proc_table.c has a row for each function: base name, the version that
 * brought this form, the symbol, and whether it is the form for per-thread
 * default streams. The newest form that the version has is the answer; flag 2 asks for
 * the per-thread form where there is one.
 */
#include <string.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/proc.h"

/* The newest row of the name; *exists tells whether an older version is all that is missing. */
static const struct fk_row *row_find(const char *base, int version, bool per_thread, bool *exists)
{
	const struct fk_row *best = NULL;

	for (size_t i = 0; i < fk_row_count; i++) {
		if (fk_rows[i].per_thread != per_thread || strcmp(fk_rows[i].base, base))
			continue;
		*exists = true;
		if (fk_rows[i].version <= version && (!best || fk_rows[i].version > best->version))
			best = &fk_rows[i];
	}
	return best;
}

/* The result is success even when nothing is found; the status and *out tell. */
static CUresult find(const char *base, void **out, int version, uint64_t flags, int *status)
{
	const uint64_t both = CU_GET_PROC_ADDRESS_LEGACY_STREAM |
		CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;
	const struct fk_row *row = NULL;
	bool exists = false;

	if (!base || !out || (flags & ~both))
		return CUDA_ERROR_INVALID_VALUE;
	if (flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM)
		row = row_find(base, version, true, &exists);
	if (!row)
		row = row_find(base, version, false, &exists);
	if (status)
		*status = row ? CU_GET_PROC_ADDRESS_SUCCESS : exists ?
			CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
	*out = row ? (void *)row->address : NULL;
	return CUDA_SUCCESS;
}

/* The first version has no status to tell by: its result does. */
static CUresult find_old(const char *base, void **out, int version, uint64_t flags)
{
	CUresult result = find(base, out, version, flags, NULL);

	return result || *out ? result : CUDA_ERROR_NOT_FOUND;
}

FK_API(FK_FREE, cuGetProcAddress, (const char *base, void **out, int version, uint64_t flags),
	find_old(base, out, version, flags))
FK_API(FK_FREE, cuGetProcAddress_v2,
	(const char *base, void **out, int version, uint64_t flags, int *status),
	find(base, out, version, flags, status))
