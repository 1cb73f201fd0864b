#!/usr/bin/env bash
# Real torch: launches per kernel name, vprof against torch.profiler, must be equal.
. tests/gpu/lib.sh
need_gpu
need_python torch numpy
timeout -k 10 $((${LIMIT:-520} - 20)) python3 tests/gpu/launch_counts.py >"$OUT/launch_counts.txt" 2>"$OUT/launch_counts.stderr"
diag "$(tail -60 "$OUT/launch_counts.txt")"
[ -s "$OUT/launch_counts.results" ] || diag "$(tail -5 "$OUT/launch_counts.stderr")"
tap_from "$OUT/launch_counts.results"
done_testing
