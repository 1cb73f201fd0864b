#!/usr/bin/env bash
# Control from outside on a real vLLM server under a mixed load: start, stop, steps, snap, spill,
# SIGTERM, SIGKILL, vLLM's cuda profiler, two workers. PARTS='load kill' runs some; tp2 needs two GPUs.
. tests/gpu/lib.sh
need_gpu
need_vllm
need_python numpy
parts=${PARTS:-load kill cuda tp2}
gpus=$(python3 -c 'import ctypes as c; d = c.CDLL("libcuda.so.1"); n = c.c_int(); d.cuInit(0); d.cuDeviceGetCount(c.byref(n)); print(n.value)')
[ "${gpus:-0}" -ge 2 ] || { parts=${parts//tp2/}; diag "tp2 left out: needs 2 GPUs, here are $gpus"; }
# shellcheck disable=SC2086 # a list of words
timeout -k 20 $((${LIMIT:-560} - 20)) python3 tests/gpu/control_vllm.py "$OUT/control" $parts >"$OUT/control.results" 2>"$OUT/control.stderr"
ok "the servers were controlled to the end" test $? = 0
[ ! -s "$OUT/control.stderr" ] || diag "$(tail -5 "$OUT/control.stderr")"
tap_from "$OUT/control.results"
done_testing
