/*
 * driver_all.c - a driver that exports every function of shim/cuda_api.def, and one more.
 *
 * The functions do nothing. cuGetProcAddress answers as the real one: the newest form that
 * is not newer than what is asked, the per-thread form under flag 2 where there is one;
 * forms that are not exported (CU_ALIAS) at addresses of their own.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define API __attribute__((visibility("default")))

API int driver_called; /* which function was, and so no two are alike */

#define BODY(symbol, visible) visible int symbol(void); visible int symbol(void) { driver_called = NUMBER_##symbol; return 0; }
#define NOTHING(symbol, visible)
#define BODY_TYPED BODY
#define BODY_PLAIN BODY
#define BODY_GATE  NOTHING

enum {
#define CU_ROW(symbol, base, version, flags, family, style, nargs) NUMBER_##symbol,
#define CU_EXCEPT(symbol, reason) NUMBER_##symbol,
#include "shim/cuda_api.def"
	NUMBER_cuNewerThanTheTable,
};

#define CU_ROW(symbol, base, version, flags, family, style, nargs) BODY_##style(symbol, API)
#define CU_ALIAS(symbol, base, version, flags, family, style, nargs) BODY_##style(symbol, static)
#define CU_EXCEPT(symbol, reason) BODY(symbol, API)
#include "shim/cuda_api.def"
BODY(cuNewerThanTheTable, API)

API int cuGetProcAddress(const char *base, void **entry, int version, uint64_t flags);
API int cuGetProcAddress_v2(const char *base, void **entry, int version, uint64_t flags, int *status);

static const struct form {
	const char *base;
	void *function;
	int version, flags;
} forms[] = {
#define CU_ROW(symbol, base, version, flags, family, style, nargs) { #base, (void *)symbol, version, flags },
#define CU_EXCEPT(symbol, reason) { #symbol, (void *)symbol, 2000, 0 },
#include "shim/cuda_api.def"
	{ "cuNewerThanTheTable", (void *)cuNewerThanTheTable, 13010, 0 },
};

static void *find(const char *base, int version, int flags)
{
	const struct form *best = NULL;

	/* As many more as one likes. */
	if (!strncmp(base, "cuNewest", 8))
		return (void *)cuNewerThanTheTable;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].flags == flags && forms[i].version <= version && !strcmp(forms[i].base, base) &&
		    (!best || forms[i].version > best->version))
			best = &forms[i];
	return best ? best->function : NULL;
}

int cuGetProcAddress_v2(const char *base, void **entry, int version, uint64_t flags, int *status)
{
	*entry = flags & 2 ? find(base, version, 2) : NULL;
	if (!*entry)
		*entry = find(base, version, 0);
	if (status)
		*status = *entry ? 0 : 1;
	return *entry ? 0 : 500;
}

int cuGetProcAddress(const char *base, void **entry, int version, uint64_t flags)
{
	return cuGetProcAddress_v2(base, entry, version, flags, NULL);
}
