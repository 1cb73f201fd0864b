#!/usr/bin/env bash
# tail.sh - the slowest recorded launches with the ring on tmpfs, with VPROF_OUT on a
# disk (where the ring goes to tmpfs by itself), and forced onto the disk, while a process writes and
# syncs that disk without pause. Prints rows of `make bench`.
#
# What a machine does to a program (interrupts, the hypervisor) only ever lengthens a run's slowest calls,
# and by more than any wait for storage: a stretch in which nothing is called has its milliseconds too, see
# the last row. A place's figures are therefore the lowest of many short runs: a wait that belongs
# to the place comes back in each of them. Waits are counted besides, call by call, and added up.
set -euo pipefail
build=$(realpath "${BUILD:-build}")
runs=${BENCH_TAIL_RUNS:-15}
disk=$(mktemp -d "$build/tail.XXXXXX")
memory=$(mktemp -d /dev/shm/vprof-tail.XXXXXX)
cleanup() {
	kill "$noise" 2>/dev/null || true
	wait "$noise" 2>/dev/null || true
	rm -rf "$disk" "$memory"
}
# Bounded to one CPU, so that the other is the traced program's.
taskset -c 0 sh -c 'while :; do dd if=/dev/zero of="$1/noise" bs=1M count=32 conv=fsync 2>/dev/null; sync -f "$1"; done' noise "$disk" &
noise=$!
trap cleanup EXIT

# Where that is allowed, before all others on its processor: what other programs make it wait is no part of this.
nice=
nice -n -20 true 2>/dev/null && nice="nice -n -20"

one() { # one OUT AT: the line of tail.c. The ring is small enough to wrap.
	mkdir -p "$1"
	LD_LIBRARY_PATH="$build/fakecuda" FAKECUDA_INSTANT=1 LD_PRELOAD="$build/libvprof.so" VPROF_OUT="$1" \
		VPROF_RING_MB=16 VPROF_RING_AT="$2" $nice taskset -c 1 "$build/bench/tail"
	# Rings on tmpfs first, while the links to them are there.
	find "$1" -name '*.ring' -lname '/dev/shm/vprof-*' -printf '%l\0' | xargs -0 -r rm -f
	rm -rf "$1"
}
for ((i = 0; i < runs; i++)); do
	one "$memory/out" auto >>"$disk/tmpfs"
	one "$disk/out" auto >>"$disk/auto"
	one "$disk/out" out >>"$disk/disk"
done
column() { cut -d' ' -f"$2" "$disk/$1" | sort -g; }
lowest() { column "$1" "$2" | head -n 1; }
total() { column "$1" "$2" | awk '{n += $1} END {print n}'; }
row() { # row NAME VALUE ANCHOR TARGET
	awk -v n="$1" -v v="$2" -v a="$3" -v t="$4" 'BEGIN {
		r = v / a
		printf "%s\t%d\tns\t%d\t%.3f\t%s\t%s\n", n, v, a, r, t ? "<=" t : "-", t ? (r <= t ? "ok" : "short") : "-" }'
}
waits() { # waits NAME WHERE TARGET: calls that waited, beside all calls
	local n
	n=$(total "$2" 3)
	printf '%s\t%d\tcalls\t%d\t%.6f\t%s\t%s\n' "$1" "$n" "$((runs * 500000))" "$(awk "BEGIN {print $n / $runs / 500000}")" \
		"${3:--}" "$([ -z "$3" ] && echo - || { [ "$n" -eq 0 ] && echo ok || echo short; })"
}
row "launch p99.99, VPROF_OUT on disk" "$(lowest auto 1)" "$(lowest tmpfs 1)" 2
row "launch maximum, VPROF_OUT on disk" "$(lowest auto 2)" "$(lowest tmpfs 2)" 2
waits "launches that waited, ring on tmpfs" tmpfs "<=0"
waits "launches that waited, VPROF_OUT on disk" auto "<=0"
row "launch p99.99, ring forced onto disk" "$(lowest disk 1)" "$(lowest tmpfs 1)" 0
row "launch maximum, ring forced onto disk" "$(lowest disk 2)" "$(lowest tmpfs 2)" 0
waits "launches that waited, ring forced onto disk" disk ""
row "maximum of nothing called, both on tmpfs" "$(lowest auto 5)" "$(lowest tmpfs 5)" 0
