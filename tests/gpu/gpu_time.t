#!/usr/bin/env bash
# GPU times: right by CUPTI's, at the cost that was promised, and the program computes what it did without.
# PARTS='accuracy cost' runs some (accuracy, known, cost, bits, stale, memcheck); all of it takes under 290 s.
. tests/gpu/lib.sh
need_gpu
for program in gpu_kernels stale_reads cupti_times.so; do
	[ -e "$BUILD/gpu/$program" ] || skip_all "$BUILD/gpu/$program is not built: make check-gpu does it"
done
rm -f "$OUT/gpu_time.results" "$OUT/gpu_time.tsv"
# shellcheck disable=SC2086 # PARTS is a list of words
timeout -k 10 $((${LIMIT:-560} - 20)) python3 tests/gpu/gpu_time.py ${PARTS:-} >"$OUT/gpu_time.txt" 2>"$OUT/gpu_time.stderr"
[ -s "$OUT/gpu_time.results" ] || diag "$(cat "$OUT/gpu_time.txt"; tail -5 "$OUT/gpu_time.stderr")"
tap_from "$OUT/gpu_time.results"
done_testing
