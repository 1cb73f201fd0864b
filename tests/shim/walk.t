#!/usr/bin/env bash
# Every function of the driver, by dlsym and by cuGetProcAddress in every version and under both
# flags, over a stub that has them all; and what becomes of one that the table does not have.
. tests/tap.sh
BUILD=$(realpath "$BUILD")
unset "${!VPROF_@}"
over_stub() { LD_LIBRARY_PATH=$BUILD/tests/shim/all VPROF_OUT=$TMP/out VPROF_RING_AT=out LD_PRELOAD=$BUILD/libvprof.so "$@"; }

over_stub "$BUILD/tests/shim/walk" >"$TMP/walk"
diag "$(cat "$TMP/walk")"
is "what the driver gives is given, behind our wrapper" "$(grep -c '^ok' "$TMP/walk") $(grep -c '^not ok' "$TMP/walk")" "3 0"
nm -D --defined-only "$BUILD/tests/shim/all/libcuda.so.1" | sed -n 's/.* T \(cu\)/\1/p' | sort >"$TMP/stub"
sed -nE 's/^CU_(ROW|EXCEPT)\( *([A-Za-z0-9_]+).*/\2/p' shim/cuda_api.def | sort >"$TMP/rows"
is "the stub exports what the table has rows for, and one more" "$(comm -3 "$TMP/stub" "$TMP/rows")" cuNewerThanTheTable

cat >"$TMP/ask.c" <<'C'
#include <dlfcn.h>
#include <stddef.h>
int main(void)
{
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *entry;
	int (*get)(const char *, void **, int, unsigned long, int *) = dlsym(handle, "cuGetProcAddress_v2");
	int (*init)(unsigned) = dlsym(handle, "cuInit");

	get("cuNewerThanTheTable", &entry, 13010, 0, NULL);
	dlsym(handle, "cuNewerThanTheTable");
	dlsym(handle, "cuDriverGetVersion");
	get("cuGetExportTable", &entry, 13010, 0, NULL);
	get("", &entry, 0, 0, NULL);
	dlsym(handle, "cu_not_the_driver's");
	return init(0);
}
C
"${CC:-cc}" -w "$TMP/ask.c" -o "$TMP/ask" -ldl
over_stub "$TMP/ask"
is "a function without a row is told once, and exceptions are not" \
	"$("$BUILD/vprof" coverage "$TMP/out" | sed -n '/looked up and not known/,$p' | tail -n +2)" "  cuNewerThanTheTable"
"$BUILD/tests/make_ring" "$TMP/known.ring"
is "where there is none, there is no list" "$("$BUILD/vprof" coverage "$TMP/known.ring" | grep -c 'Not hooked:\|not known')" 1
is "in JSON too" "$("$BUILD/vprof" coverage --json "$TMP/out" | sed -n 's/.*"unknown": //p')" '["cuNewerThanTheTable"]}]}'
ok "info tells of it" grep -q 'unknown *1 function of' <("$BUILD/vprof" info "$TMP/out")

# ---- more of them than there is room for ----
cat >"$TMP/many.c" <<'C'
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
int main(void)
{
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *entry;
	int (*get)(const char *, void **, int, unsigned long, int *) = dlsym(handle, "cuGetProcAddress_v2");
	int (*init)(unsigned) = dlsym(handle, "cuInit");
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "cuNewest%d", i % 100);
		get(name, &entry, 13010, 0, NULL);
	}
	return init(0);
}
C
"${CC:-cc}" -w "$TMP/many.c" -o "$TMP/many" -ldl
drop "$TMP/out"
over_stub "$TMP/many"
is "those that find no room are one loss" "$("$BUILD/vprof" info "$TMP/out" | grep -o 'unknown *[0-9]*\|[0-9]* defs_full' | xargs)" \
	"unknown 64 1 defs_full"
done_testing
