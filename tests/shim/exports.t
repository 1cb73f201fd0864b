#!/usr/bin/env bash
# What libvprof.so shows and what it needs.
. tests/tap.sh
lib=$BUILD/libvprof.so

nm -D --defined-only "$lib" | awk '$2 == "T" { print $3 }' | sort > "$TMP/exported"
grep -E '^CU_ROW\(' shim/cuda_api.def | sed -E 's/^CU_ROW\( *([A-Za-z0-9_]+).*/\1/' | sort > "$TMP/rows"
grep -E '^CU_ALIAS\(' shim/cuda_api.def | sed -E 's/^CU_ALIAS\( *([A-Za-z0-9_]+).*/\1/' | sort > "$TMP/aliases"

ok "the table has rows" test -s "$TMP/rows"
is "every row is exported" "$(comm -13 "$TMP/exported" "$TMP/rows")" ""
is "no alias is" "$(comm -12 "$TMP/exported" "$TMP/aliases")" ""
is "no driver function is exported without a row" "$(grep '^cu' "$TMP/exported" | comm -23 - "$TMP/rows")" ""
is "libc alone is needed" "$(readelf -d "$lib" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v '^libc\.so\|^ld-linux')" ""
is "no symbol version above glibc 2.28" \
	"$(nm -D "$lib" | sed -n 's/.*@GLIBC_\(2[.0-9]*\).*/\1/p' | sort -Vu | awk -F. '$2 > 28')" ""
done_testing
