#!/usr/bin/env bash
# tail.sh - the slowest recorded launches with the ring on tmpfs, with VPROF_OUT on a
# disk (where the ring goes to tmpfs by itself), and forced onto the disk, while a process writes and
# syncs that disk without pause. Prints rows of `make bench`; medians of interleaved runs.
set -euo pipefail
build=${BUILD:-build}
runs=${BENCH_TAIL_RUNS:-7}
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

one() { # one OUT AT: p9999 and maximum
	mkdir -p "$1"
	LD_LIBRARY_PATH="$build/fakecuda" FAKECUDA_INSTANT=1 LD_PRELOAD="$PWD/$build/libvprof.so" VPROF_OUT="$1" \
		VPROF_RING_AT="$2" $nice taskset -c 1 "$build/bench/tail"
	# Rings on tmpfs first, while the links to them are there.
	find "$1" -name '*.ring' -lname '/dev/shm/vprof-*' -printf '%l\0' | xargs -0 -r rm -f
	rm -rf "$1"
}
for ((i = 0; i < runs; i++)); do
	one "$memory/out" auto >>"$disk/tmpfs"
	one "$PWD/$disk/out" auto >>"$disk/auto"
	one "$PWD/$disk/out" out >>"$disk/disk"
done
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
column() { cut -d' ' -f"$2" "$disk/$1" | median; }
row() { # row NAME WHERE COLUMN TARGET
	local value anchor
	value=$(column "$2" "$3")
	anchor=$(column tmpfs "$3")
	awk -v n="$1" -v v="$value" -v a="$anchor" -v t="$4" 'BEGIN {
		r = v / a
		printf "%s\t%d\tns\t%d\t%.3f\t%s\t%s\n", n, v, a, r, t ? "<=" t : "-", t ? (r <= t ? "ok" : "short") : "-" }'
}
row "launch p99.99, VPROF_OUT on disk" auto 1 2
row "launch maximum, VPROF_OUT on disk" auto 2 2
row "launch p99.99, ring forced onto disk" disk 1 0
row "launch maximum, ring forced onto disk" disk 2 0
