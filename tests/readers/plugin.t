#!/usr/bin/env bash
# TensorBoard's plugin for the torch profiler, unchanged, reads traces in that profiler's layout.
. tests/tap.sh
. tests/readers/lib.sh
need_python torch_tb_profiler.profiler absl

ask() { timeout 100 "$VENV/bin/python" tests/readers/read_plugin.py "$1" >"$2"; }
cut_answer() { grep "^$1	" "$TMP/answer" | cut -f 2-; }

ok "two ranks are made" made "$TMP/out"
ok "the plugin loads the run" ask "$TMP/out" "$TMP/answer"
is "a worker each" "$(cut_answer workers)" "rank0_Worker_TP0	rank1_Worker_TP1"
is "with the page of kernels" "$(cut_answer views | grep -c 'overall	operator	kernel	trace')" 2
# 132 multiprocessors, 66 blocks of 8 warps: half a block on each, 6 % of its 64 warps.
is "kernels: calls, sum, mean, longest, shortest, blocks, occupancy" "$(cut_answer kernel | grep rank1 | cut -f 2-)" \
	"$(printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	'demo::gemm(float*, int)' 10 1500 150 200 100 0.5 6 \
	ncclDevKernel_AllReduce_Sum_f32_RING_LL 5 1320 264 264 264 0.5 6 \
	'demo::add(float*, int)' 10 525 52 55 50 0.5 6 \
	'demo::norm(float*, int)' 5 150 30 30 30 0.5 6 'graph 8' 5 20 4 4 4 0 0)"
# The set lies within the collective, so no time is its alone.
is "each step: kernels, copies, sets" "$(cut_answer step | grep rank0 | cut -f 2-)" \
	"$(printf '%d\t489\t20\t0\n' 1 2 3 4 5)"
done_testing
