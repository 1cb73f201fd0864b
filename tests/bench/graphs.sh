#!/usr/bin/env bash
# graphs.sh - what asking for the nodes adds to the instantiation of graphs: of one of 310 nodes, and of
# the 96 that a language model has. Prints rows of `make bench`: medians with the preload
# less medians without, against the bound on them. Every list of nodes is another one, so that
# none is written as a reference.
set -euo pipefail
build=${BUILD:-build}
build=$(cd "$build" && pwd)
client=$build/tests/graphs/client
work=$(mktemp -d /dev/shm/vprof-graphs.XXXXXX)
trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH=$build/fakecuda

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# row NAME UNIT NS-PER-UNIT BOUND ARGUMENT...
row() {
	local name=$1 unit=$2 per=$3 bound=$4 plain traced
	shift 4
	plain=$("$client" "$@" | median)
	traced=$(LD_PRELOAD=$build/libvprof.so VPROF_OUT=$work/out VPROF_RING_MB=256 "$client" "$@" | median)
	find "$work" -name '*.ring' -lname '/dev/shm/vprof-*' -printf '%l\0' | xargs -0 -r rm -f
	rm -rf "$work/out"
	awk -v name="$name" -v unit="$unit" -v per="$per" -v bound="$bound" -v a="$plain" -v b="$traced" 'BEGIN {
		added = (b - a) / per
		printf "%s\t%.4g\t%s\t%.4g\t%.3f\t<=1\t%s\n", name, added, unit, bound, added / bound,
			added <= bound ? "ok" : "short"
	}'
}
row "instantiating a graph of 310 nodes: added" us 1000 1000 cost 310 40
row "instantiating a model's 96 graphs: added" ms 1000000 20 many 7
