#!/usr/bin/env bash
# snap.sh - vprof snap of 8 processes that launch at a pace, each with a full ring of 64 MiB: how long it takes, how
# near to the moment the copies end, and what launches cost while one copy is taken after the other. Prints
# rows of `make bench`.
#
# Both arms of the launches run in turn, several times, and their medians are compared: what the machine does
# meanwhile falls on both.
set -euo pipefail
build=$(realpath "${BUILD:-build}")
rings=8
runs=${BENCH_SNAP_RUNS:-5}
work=$(mktemp -d /dev/shm/vprof-snap.XXXXXX)
started=()
cleanup() {
	[ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

traced() { # traced OUT COMMAND...: under the preload, with the fake driver's empty launch
	exec env LD_LIBRARY_PATH="$build/fakecuda" FAKECUDA_INSTANT=1 VPROF_OUT="$1" LD_PRELOAD="$build/libvprof.so" "${@:2}"
}
row() { # row NAME VALUE UNIT ANCHOR TARGET: the target is of the ratio, or of the value where there is no anchor
	awk -v n="$1" -v v="$2" -v u="$3" -v a="$4" -v t="$5" 'BEGIN {
		r = a ? v / a : v
		printf "%s\t%.1f\t%s\t%s\t%s\t<=%s\t%s\n", n, v, u, a ? a : "-", a ? sprintf("%.3f", r) : "-", t, r <= t ? "ok" : "short" }'
}
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
take() { rm -rf "$work/snap"; "$build/vprof" snap "$work/out" -o "$work/snap" "$@"; }

for ((i = 0; i < rings; i++)); do
	traced "$work/out" "$build/bench/paced" "$work/ready.$i" 120 >/dev/null &
	started+=($!)
done
for ((i = 0; i < rings; i++)); do
	until [ -e "$work/ready.$i" ]; do
		kill -0 "${started[i]}" # or it has failed, and so have we
		sleep 0.1
	done
done

for ((i = 0; i < runs; i++)); do
	take --json | sed 's/.*"took_ns": \([0-9]*\).*/\1/' >>"$work/took"
	"$build/vprof" info --json "$work/snap" | awk -F'[:,]' '
		/"cut_ns"/ { cut = $2 } /"last_ns"/ && !/tid/ { last = $2 } /"clock"/ { d = cut - last; if (d > most) most = d }
		END { print most }' >>"$work/before"
done
row "vprof snap, 8 rings of 64 MiB" "$(median <"$work/took" | awk '{ print $1 / 1e6 }')" ms 0 1000
row "last record before the moment, worst of 8 rings" "$(median <"$work/before" | awk '{ print $1 / 1e3 }')" us 0 1000

arm() { # arm NAME: one run of a program of its own
	(traced "$work/own" "$build/bench/paced" "$work/ready.own" 2 >>"$work/$1")
	rm -rf "$work/own"
}
for ((i = 0; i < runs; i++)); do
	arm quiet
	(trap 'exit 0' TERM; while :; do take >/dev/null; done) &
	loop=$!
	arm copying
	kill "$loop"
	wait "$loop" 2>/dev/null || true
done
column() { cut -d' ' -f"$2" "$work/$1" | median; }
row "launch median while rings are copied" "$(column copying 1)" ns "$(column quiet 1)" 1.05
row "launch p99 while rings are copied" "$(column copying 2)" ns "$(column quiet 2)" 1.25
