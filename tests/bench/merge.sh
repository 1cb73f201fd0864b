#!/usr/bin/env bash
# merge.sh - vprof-merge against cat writing the same bytes: 4 processes of 16 lanes, 1 GiB
# of rings; rings of other kinds are smaller. Prints rows of `make bench`: medians of interleaved
# runs, and the median of the ratios of each pair, since the machine's own speed comes and goes.
#
# Both write to a new file on tmpfs, or both into a pipe whose other end reads and drops;
# cat reads the finished trace from tmpfs. BENCH_MERGE_MB: size of a ring, 256 unless there
# is too little memory for the rings and two traces.
set -euo pipefail
build=${BUILD:-build}
runs=${BENCH_MERGE_RUNS:-5}
megabytes=${BENCH_MERGE_MB:-256}
work=$(mktemp -d /dev/shm/vprof-merge.XXXXXX)
trap 'rm -rf "$work"' EXIT

# Ring : trace is about 1 : 6 to 8, and there are two traces at a time.
free_mb=$(($(awk '/^MemAvailable/ {print $2}' /proc/meminfo) / 1024))
free_shm=$(df -m --output=avail /dev/shm | tail -1)
((free_shm < free_mb)) && free_mb=$free_shm
while ((megabytes > 4 && megabytes * 4 * 16 > free_mb)); do megabytes=$((megabytes / 2)); done

# Kernel names as a mixed program has them, or all short, which is the most work a byte.
names() { # names KIND
	local i
	for i in $(seq 1 16); do
		echo "kernel name=triton_poi_fused_add_mul_$i"
		[ "$1" = short ] && continue
		echo "kernel name=_ZN2at6native29vectorized_elementwise_kernelILi${i}ENS0_11FillFunctorIfEESt5arrayIPcLm1EEEEviT0_T1_"
		echo "kernel name=_Z$((14 + ${#i}))rms_norm_kernel${i}PKfPfi"
	done
}
# What else a ring tells: kernels' needs on a device, names of ranges, memory.
facts() {
	local i
	echo "device ordinal=0"
	for i in $(seq 1 48); do
		echo "facts kernel=$i registers=$((16 + 2 * i))"
	done
}
records() { # records KIND: mixed, short; facts; ranges: each launch in one; memory: half of the calls
	local i
	case $1 in facts | ranges | memory) facts ;; esac
	case $1 in
	ranges)
		for i in $(seq 1 48); do
			echo "text name=model.layers.$i.mlp.forward"
		done
		echo "fill lanes=16 step=50 ranges=1"
		;;
	memory)
		echo "memory place=0 bytes=1000000 peak=6000000 t=70"
		echo "fill lanes=16 step=50 memory=2"
		;;
	*) echo "fill lanes=16 step=50" ;;
	esac
}
rings() { # rings KIND
	local pid
	rm -f "$work"/*.ring
	for pid in 1000 2000 3000 4000; do
		{
			echo "ring pid=$pid lanes=16 chunks=$((megabytes * 64 - 8)) title=VLLM::Worker_$pid"
			echo "call id=1 family=1 name=cuLaunchKernel"
			names "$1"
			records "$1"
		} | "$build/tests/forge" "$work/$pid.ring"
	done
}

seconds() { # seconds FILE COMMAND...: how long, appended to FILE
	local file=$1 before after
	shift
	before=$(date +%s%N)
	"$@"
	after=$(date +%s%N)
	echo $(((after - before) / 1000)) >> "$work/$file"
}
cat_file() { cat "$work/trace.json" > "$work/other.json"; }
merge_file() { "$build/vprof-merge" -o "$work/other.json" "$work"/*.ring; }
cat_pipe() { cat "$work/trace.json" | cat > /dev/null; }
merge_pipe() { "$build/vprof-merge" "$work"/*.ring | cat > /dev/null; }
median() { sort -n "$@" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
row() { # row NAME MERGE CAT BYTES TARGET
	local ratio
	ratio=$(paste "$work/$3" "$work/$2" | awk '{print $1 / $2}' | median)
	awk -v n="$1" -v m="$(median "$work/$2")" -v c="$(median "$work/$3")" -v r="$ratio" -v b="$4" -v t="$5" 'BEGIN {
		printf "%s\t%.0f\tMB/s\t%.0f\t%.3f\t>=%s\t%s\n", n, b / m, b / c, r, t, (r >= t ? "ok" : "short") }'
}

measure() { # measure LABEL
	local bytes i way
	rm -f "$work"/*_file "$work"/*_pipe
	"$build/vprof-merge" -o "$work/trace.json" "$work"/*.ring
	bytes=$(stat -c %s "$work/trace.json")
	cat_file # memory that the machine was not given yet is slow once
	rm -f "$work/other.json"
	for ((i = 0; i < runs; i++)); do
		for way in cat_file merge_file cat_pipe merge_pipe; do
			seconds $way $way
			rm -f "$work/other.json"
		done
	done
	row "vprof-merge to a file, $1" merge_file cat_file "$bytes" 0.5
	row "vprof-merge to a pipe, $1" merge_pipe cat_pipe "$bytes" 0.5
}

rings mixed
measure "4 x $megabytes MiB"
python3 -c '
import resource, subprocess, sys
subprocess.check_call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
	"$build/vprof-merge" -o /dev/null "$work"/*.ring > "$work/rss"
awk -v k="$(cat "$work/rss")" 'BEGIN {
	m = k / 1024
	printf "vprof-merge peak memory\t%.1f\tMiB\t64\t%.3f\t<=1\t%s\n", m, m / 64, (m <= 64 ? "ok" : "short") }'
rings short
measure "4 x $megabytes MiB, short names"
((megabytes > 64)) && megabytes=64
for kind in "facts kernels' facts" "ranges facts and ranges" "memory facts and memory"; do
	rings "${kind%% *}"
	measure "4 x $megabytes MiB, ${kind#* }"
done
