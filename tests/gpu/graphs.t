#!/usr/bin/env bash
# Graphs on a real driver: what the ring says of them is what the driver says, and asking for it
# costs at most 1 ms for a graph of 310 nodes and 20 ms for a language model's 96.
. tests/gpu/lib.sh
need_gpu
client=$BUILD/tests/graphs/client
[ -x "$client" ] || skip_all "$client is not built: make check-gpu does it"

# Without GPU times, which make a version of each change of a node.
traced() { # traced NAME ARGUMENT...
	local name=$1
	shift
	LD_PRELOAD=$LIBVPROF VPROF_OUT="$OUT/$name" VPROF_GPU=off timeout 120 "$client" "$@" >"$OUT/$name.out" 2>"$OUT/$name.err"
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

ok "graphs of every kind run" traced kinds kinds
"$VPROF" graphs --nodes --raw-names --json "$OUT/kinds" >"$OUT/kinds.json"
ok "their nodes and edges are what the driver says" python3 tests/graphs/check.py "$OUT/kinds.out" "$OUT/kinds.json"
ok "nothing is lost" not grep -q 'lost' <("$VPROF" info "$OUT/kinds")
ok "a capture in another thread goes on, and the thread keeps its mode" \
	sh -c "LD_PRELOAD='$LIBVPROF' VPROF_OUT='$OUT/threads' '$client' threads | grep -qx 'captured; mode 1'"

# added NAME BOUND ARGUMENT...: medians with the preload less medians without, in ns, in turns.
added() {
	local name=$1 bound=$2 plain with i
	shift 2
	: >"$OUT/$name.plain"
	: >"$OUT/$name.traced"
	for i in 1 2 3; do
		"$client" "$@" >>"$OUT/$name.plain" || return
		LD_PRELOAD=$LIBVPROF VPROF_OUT="$OUT/$name" "$client" "$@" >>"$OUT/$name.traced" || return
	done
	plain=$(median "$OUT/$name.plain")
	with=$(median "$OUT/$name.traced")
	echo "$name: $plain ns, with the preload $with ns: $((with - plain)) ns added" | tee -a "$OUT/costs.txt"
	[ $((with - plain)) -le "$bound" ]
}
ok "a graph of 310 nodes costs at most 1 ms" added one 1000000 cost 310 30
ok "a model's 96 graphs cost at most 20 ms" added all 20000000 many 5
diag "$(cat "$OUT/costs.txt")"
done_testing
