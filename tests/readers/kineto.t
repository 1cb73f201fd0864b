#!/usr/bin/env bash
# A trace in the torch profiler's layout opens in the real Perfetto UI, with tracks and arrows.
. tests/tap.sh
. tests/readers/lib.sh
need_browser

ok "two ranks are made" made "$TMP/out"
ask() { perfetto "$1" >"$2"; }
ok "the page opens the trace" ask "$TMP/out/rank0_Worker_TP0.pt.trace.json" "$TMP/page"
cut_page() { grep "^$1	" "$TMP/page" | cut -f "$2"; }

is "Perfetto finds no error in it" "$(cut_page error 2-)" ""
is "a group for the program, one for the GPU" "$(cut_page track 2-3 | grep '^0' | cut -f 2 | sort)" \
	"$(printf '%s\n' 'H200 0' 'VLLM::Worker_TP0 100')"
is "tracks and their slices" "$(cut_page thread 2-5)" "$(printf '%s\t%s\t%s\t%s\n' \
	0 7 'stream 7' 40 0 13 'stream 13' 5 0 500007 'stream 7 graphs' 5 100 100 'thread 100 (main)' 45)"
is "slices by category" "$(cut_page slices 2-)" \
	"$(printf '%s\t%s\n' cuda_runtime 40 gpu_memcpy 5 gpu_memset 5 gpu_user_annotation 5 kernel 35 user_annotation 5)"
is "arrows from the launches, three from a graph's" "$(cut_page arrow 3,5-)" "$(printf '%s\t%s\t5\n' \
	cudaGraphLaunch 'demo::add(float*, int)' cudaGraphLaunch 'demo::gemm(float*, int)' \
	cudaGraphLaunch 'demo::norm(float*, int)' cudaGraphLaunch 'graph 8' cudaLaunchKernel 'demo::add(float*, int)' \
	cudaLaunchKernel 'demo::gemm(float*, int)' cudaLaunchKernelExC ncclDevKernel_AllReduce_Sum_f32_RING_LL \
	cudaMemcpyAsync 'Memcpy DtoH (Device -> Host)' cudaMemsetAsync 'Memset (Device)')"
done_testing
