#!/usr/bin/env bash
# GPU times on a real vLLM: what they cost its decode, whether they are CUPTI's, its start with all its graphs, how
# long the merge takes, and other profilers beside it.
# PARTS='cost merge' runs some (cost, accuracy, merge, kineto, startup, nsys); all of it takes 400 to 500 s.
. tests/gpu/lib.sh
need_gpu
need_vllm
[ -e "$BUILD/gpu/cupti_times.so" ] || skip_all "$BUILD/gpu/cupti_times.so is not built: make check-gpu does it"
rm -f "$OUT/gpu_vllm.results" "$OUT/gpu_vllm.tsv"
# shellcheck disable=SC2086 # PARTS is a list of words
DEADLINE=${DEADLINE:-$((${LIMIT:-560} - 50))} timeout -k 10 $((${LIMIT:-560} - 20)) \
	python3 tests/gpu/gpu_vllm.py ${PARTS:-} >"$OUT/gpu_vllm.txt" 2>"$OUT/gpu_vllm.stderr"
[ -s "$OUT/gpu_vllm.results" ] || diag "$(cat "$OUT/gpu_vllm.txt"; tail -5 "$OUT/gpu_vllm.stderr")"
tap_from "$OUT/gpu_vllm.results"
done_testing
