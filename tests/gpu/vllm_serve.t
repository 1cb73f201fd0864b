#!/usr/bin/env bash
# Real vLLM: serve under the preload, ended by its own shutdown, by kill -9, beside vLLM's own
# profiler, and with vLLM's NVTX ranges. MODES='sigterm kill' runs some. A first start compiles for
# a minute or two.
. tests/gpu/lib.sh
need_gpu
need_vllm
need_python numpy
for mode in ${MODES:-sigterm kill profile ranges layers}; do
	dir=$OUT/vllm-$mode
	ok "$mode: the server came up and was ended" \
		timeout -k 10 "${SERVE_LIMIT:-300}" tests/gpu/vllm_serve.sh "$mode" "$dir"
	if [ -s "$dir/end.json" ]; then
		PYTHONDONTWRITEBYTECODE=1 timeout 180 python3 tests/gpu/vllm_check.py "$dir" >"$dir/check.txt" 2>"$dir/check.err"
		ok "$mode: the check ran" test $? = 0
		[ ! -s "$dir/check.err" ] || diag "$(tail -3 "$dir/check.err")"
		tap_from "$dir/check.txt"
	fi
done
done_testing
