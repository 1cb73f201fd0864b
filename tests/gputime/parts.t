#!/usr/bin/env bash
# VPROF_GPU_PARTS: launches that are timed have stamps in one part of their graph's nodes each, by turns, and what is known
# of the graph in the end is what stamps in all of them tell.
. tests/tap.sh

GAUGES=6 # stamps of gauges, three each

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda FAKECUDA_COPY_NS=3000
client=$BUILD/gputime/parts

. tests/gputime/lib.sh

# Has it so many twins, and is the last launch one of theirs? It is looked for behind the look that has found them: what our
# thread has said to be made is not in use yet, and a change at that moment would have others made.
uses_twins() { has_twins "$1" "$2" && [ "$(look "$1" since)" = 0 ]; }
is_refused() { [ -n "$(look "$1" refused)" ]; }

# timed NAME PARTS ARGUMENT...: its events in NAME.list, what seen.py has in NAME.seen. MADE: how many twins there have to
# be each time that the program halts; UNTIL: what else is waited for.
timed() {
	local name=$1 parts=$2
	shift 2
	VPROF_GPU=${GPU:-all} VPROF_GPU_PARTS=$parts halting "$name" "${UNTIL:-uses_twins}" "${MADE-$parts}" "$client" "$@"
	look "$name" launches >/dev/null
	is "$name: the program does what it does without" "$(cat "$TMP/$name.out")" "$(cat "$TMP/$name.plain")"
	list "$name"
	"$BUILD/vprof" dump "$TMP/$name"/*.ring >"$TMP/$name.dump"
}
nodes() { grep -E '^(kernel|set)' "$TMP/$1.list" | cut -f 4 | sort -un | tr '\n' ' '; }
# Launches whose nodes are not those of one part, each once, the first to the last of it.
odd() {
	grep -E '^(kernel|set)' "$TMP/$1.list" | python3 -c '
import collections, sys
by_launch = collections.defaultdict(list)
for line in sys.stdin:
    f = line.split("\t")
    by_launch[f[7]].append(int(f[3]))
parts = collections.Counter(tuple(sorted(nodes)) for nodes in by_launch.values())
every = sorted(node for nodes in parts for node in nodes)
print(len(parts), "overlap" if len(every) != len(set(every)) else "apart", max(parts.values()) < 1.2 * min(parts.values()))'
}
# Each of the words within 1 of 100 of the other's.
near() { python3 -c '
import sys
a, b = ({k: float(v) for k, v in (w.split("=") for w in words.split())} for words in sys.argv[1:])
sys.exit(not a or a.keys() != b.keys() or any(abs(a[k] - b[k]) > 0.01 * b[k] + 0.1 for k in a))' "$@"; }
# µs a launch, of which each run has as many as it took for its twins to come
total() { "$BUILD/vprof" top --json "$TMP/$1" | python3 -c '
import json, sys
print(*("%s=%.1f" % (row["name"], row["total_ns"] / int(sys.argv[1]) / 1000) for row in json.load(sys.stdin)["work"] if row["samples"]))' \
	"$(seen "$1" launches)"; }
right() {
	grep "$2" "$TMP/$1.list" | awk -F '\t' -v ns="$3" '{ took = substr($6, 8) - substr($5, 8); bad += took < ns - 200 || took > ns + 200 } END { print (NR > 50 && !bad) }'
}

timed whole 1 400 1500 launch
is "one part: one twin" "$(seen whole twins)" 1
timed three 3 400 1500 launch
is "three parts: three twins" "$(seen three twins)" 3
ok "most launches are timed" test "$(seen three stamped)" -gt 200
is "all of them are collected" "$(seen three replays) $(seen three lost)" "$(seen three stamped) 0"
is "of one part each, by turns" "$(odd three)" "3 apart True"
is "together they have all nodes" "$(nodes three)" "$(nodes whole)"
is "nothing is left out" "$(sed -n 's/.*\(no_stamp=.*no_nodes=[0-9]*\).*/\1/p' "$TMP/three.list")" "no_stamp=0 backwards=0 untrue=0 no_nodes=0"
nodes_stamped() { echo $(($(seen "$1" stamps) / $(seen "$1" replays) - GAUGES)); }
ok "at a part of the stamps" test $((2 * $(nodes_stamped three))) -lt "$(nodes_stamped whole)"
is "kernels took what they took" "$(right three spin_20us 20690) $(right three spin_10us 10690)" "1 1"
is "so did sets" "$(right three ^set 3690)" 1
ok "top: the same totals ($(total three))" near "$(total three)" "$(total whole)"
busy() { "$BUILD/vprof" gpu --json "$TMP/$1" | python3 -c 'import json, sys; print(round(sum(b["busy_ns"] for b in json.load(sys.stdin)["devices"][0]["bins"]) / int(sys.argv[1])))' \
	"$(seen "$1" launches)"; }
three=$(busy three) whole=$(busy whole)
ok "gpu: as busy ($three and $whole ns a launch)" test $((100 * three)) -gt $((98 * whole)) -a $((100 * three)) -lt $((108 * whole))
is "graphs: says so" "$("$BUILD/vprof" graphs "$TMP/three" | grep -c 'for one of 3 parts of its nodes')" 1
is "and as JSON" "$("$BUILD/vprof" graphs --json "$TMP/three" | python3 -c 'import json, sys; print(json.load(sys.stdin)["processes"][0]["graphs"][0]["twin"]["parts"])')" 3

# ---- what is said of it ----

vprof() { "$BUILD/vprof" "$@"; }
in_parts="200 launches of 1 graph timed in 3 parts by turns, one part's nodes each"
# said COMMAND NAME: how often its text says so, with the number of this run put in
said() { vprof "$1" "$TMP/$2" | grep -cF "${in_parts/200/$(seen "$2" stamped)}"; }
counted() { echo "{\"launches\":$(seen "$1" stamped),\"graphs\":1,\"least\":$2,\"most\":$2}"; }
is "info, top and gpu: so do they" "$(said info three) $(said top three) $(said gpu three)" "1 1 1"
is "as JSON" "$(vprof info --json "$TMP/three" | jq -c '.[0].gpu.parts') $(vprof top --json "$TMP/three" | jq -c .parts) $(vprof gpu --json "$TMP/three" | jq -c '.devices[0].parts')" \
	"$(counted three 3) $(counted three 3) $(counted three 3)"
is "as CSV: beside it" "$(vprof top --csv "$TMP/three" 2>&1 >/dev/null | grep -c "^vprof top: .* in 3 parts by turns")" 1
none='{"launches":0,"graphs":0,"least":0,"most":0}'
is "of whole ones nothing" "$(said info whole) $(said top whole) $(said gpu whole) $(vprof top --json "$TMP/whole" | jq -c .parts)" "0 0 0 $none"
whole_args() {
	"$BUILD/vprof-merge" ${3:-} "$TMP/$1" 2>/dev/null >"$TMP/trace.json"
	jq -c --arg cat "$2" '[.traceEvents[] | select(.args.part or .args.parts or .cat == $cat) | [.cat, .args.part, .args.parts]] | unique' "$TMP/trace.json"
}
is "a trace: which part, of the whole alone" "$(whole_args three gpu_graph)" '[["gpu_graph",1,3],["gpu_graph",2,3],["gpu_graph",3,3]]'
is "in the other layout too" "$(whole_args three gpu_user_annotation "--format kineto")" \
	'[["gpu_user_annotation",1,3],["gpu_user_annotation",2,3],["gpu_user_annotation",3,3]]'
is "none of whole ones" "$(whole_args whole gpu_graph)" '[["gpu_graph",null,null]]'
is "the part that is said has the nodes" "$("$BUILD/vprof-merge" "$TMP/three" 2>/dev/null | jq -c '[.traceEvents[] | select(.ph == "X" and .args.correlation)] |
	[.[] | select(.args.part) | {key: (.args.correlation | tostring), value: .args.part}] as $part | ($part | from_entries) as $of |
	[.[] | select(.args.node and .cat == "kernel") | [.args.node, $of[.args.correlation | tostring]]] | unique | group_by(.[0]) | map(length) | unique')" "[1]"

# ---- a chain ----

MADE=2 timed chain 0 200 3000 chain
is "many nodes: two parts unasked" "$(vprof info --json "$TMP/chain" | jq -c '.[0].gpu.parts')" "$(counted chain 2)"
is "one behind the other is one at once" "$(vprof gpu --json "$TMP/chain" | jq '.devices[0].most_at_once')" 1

# The launches of a sample, and parts of 16 nodes at least.
GPU=sample:4 MADE=3 timed sample 8 600 1000 launch
is "sample:4 of eight parts: of three" "$(seen sample twins)" 3
is "by turns" "$(odd sample)" "3 apart True"

# What is expected of the others.
"$BUILD/vprof-merge" --estimate "$TMP/sample" >"$TMP/sample.json" 2>"$TMP/err"
is "estimated launches have all nodes" "$(python3 -c '
import collections, json, sys
count = collections.Counter(e["args"].get("correlation") for e in json.load(open(sys.argv[1]))["traceEvents"]
                            if e.get("args", {}).get("estimated") and e["name"] != "graph 1" and e["ph"] == "X")
print(len(count) > 5, *set(count.values()))' "$TMP/sample.json")" "True 51"
is "and are of no part" "$(jq '[.traceEvents[] | select(.args.estimated and .args.parts)] | length' "$TMP/sample.json")" 0

# ---- changes, orders ----

MADE='3 6' timed change 3 400 1500 change
ok "a node that is set: it is followed in each part" test "$(seen change stamped)" -gt 100
is "from its second change on" "$(seen change twins)" 6
is "with nothing lost" "$(seen change replays) $(seen change lost)" "$(seen change stamped) 0"
MADE='3 6' timed update 3 400 1500 update
is "an update has twins of its own" "$(seen update twins) $(seen update lost)" "6 0"
timed close 3 1500 0 launch
ok "without a pause, on two streams by turns" test "$(seen close stamped)" -gt 20

# ---- child graphs ----

stamps_each() { echo "$(($(seen "$1" stamps) / $(seen "$1" replays)))"; }
timed held 1 100 1500 held
is "gauges of plain edges where only a child has some" "$(stamps_each held)" $((5 + GAUGES + 3))
timed row 1 100 1500 row
is "none for a row in a child" "$(stamps_each row)" $((9 + GAUGES))

# ---- bounds ----

VPROF_GPU_TWINS=1 timed one 3 300 1500 launch
is "VPROF_GPU_TWINS counts graphs" "$(seen one twins)" 3
FAKECUDA_FAIL=cuGraphInstantiateWithFlags:5:2 UNTIL=is_refused timed refused 3 200 1500 launch
is "one part that cannot be: none" "$(seen refused stamped) $(seen refused refused)" "0 6"
is "too many parts are eight" "$(VPROF_GPU_PARTS=4000000000 LD_PRELOAD=$BUILD/libvprof.so VPROF_OUT=$TMP/many VPROF_GPU=all timeout 60 "$client" 20 0 launch 2>&1)" \
	"$(timeout 60 "$client" 20 0 launch)"
done_testing
