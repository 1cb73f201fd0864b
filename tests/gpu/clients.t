#!/usr/bin/env bash
# Every kind of client of the driver: launches, copies and sets, vprof against CUPTI, must be the
# same or their difference explained. CLIENTS='cupy jax' runs some, JOBS at a time (4).
. tests/gpu/lib.sh
need_gpu
need_python numpy
[ -e "$BUILD/gpu/cupti_counts.so" ] || skip_all "$BUILD/gpu is not built: make check-gpu does it"
rm -f "$OUT/clients.results" "$OUT/clients.tsv"
# shellcheck disable=SC2086 # CLIENTS is a list of words
timeout -k 20 $((${LIMIT:-560} - 30)) python3 tests/gpu/clients/compare.py ${CLIENTS:-} \
	>"$OUT/clients.txt" 2>"$OUT/clients.stderr"
rc=$?
[ -s "$OUT/clients.results" ] || diag "$(tail -5 "$OUT/clients.stderr")"
tap_from "$OUT/clients.results"
ok "no client was left out for want of time" test $rc = 0
[ -s "$OUT/clients.tsv" ] && diag "$(cat "$OUT/clients.tsv")"
done_testing
