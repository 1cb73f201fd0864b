#!/usr/bin/env bash
# Graphs under the preload: what they consist of is what the driver says, and asking for it
# leaves the program alone.
. tests/tap.sh

export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=off # which would make a version of each change of a node
unset FAKECUDA_INSTANT FAKECUDA_FAIL FAKECUDA_HANG FAKECUDA_KERNEL_NS FAKECUDA_DEVICES

# traced NAME ARGUMENT...: the client under the preload; its output in $TMP/NAME.out, its ring in $TMP/NAME.
traced() {
	local name=$1
	shift
	LD_PRELOAD=$BUILD/libvprof.so VPROF_OUT="$TMP/$name" timeout 60 "$BUILD/tests/graphs/client" "$@" >"$TMP/$name.out"
}
dump() { "$BUILD/vprof" dump "${@:2}" "$TMP/$1"; }
lost() { "$BUILD/vprof" info --json "$TMP/$1" | python3 -c "import json, sys; print(json.load(sys.stdin)[0]['lost'].get('nodes', 0))"; }
# field NAME EXPRESSION: of what vprof graphs --json says; g is the list of graphs of the only process.
field() {
	"$BUILD/vprof" graphs --json --nodes "$TMP/$1" | python3 -c "
import json, sys
p = json.load(sys.stdin)['processes'][0]; g = p['graphs']
print($2)"
}

# ---- every kind of graph ----
ok "graphs of every kind run" traced kinds kinds
"$BUILD/vprof" graphs --nodes --raw-names --json "$TMP/kinds" >"$TMP/kinds.json"
ok "their nodes and edges are what the driver says" python3 tests/graphs/check.py "$TMP/kinds.out" "$TMP/kinds.json"
is "an update that changes the nodes makes a version of its own; one of arguments alone does not" \
	"$(field kinds "[(x['graph'], x['version'], x['launches']) for x in g]")" \
	"[(1, 1, 7), (2, 1, 2), (3, 1, 1), (4, 1, 1), (1, 2, 5)]"
is "made by which call" "$(field kinds "[x['made']['call'] for x in g[3:]] + [x['made']['flags'] for x in g]")" \
	"['cuGraphInstantiateWithFlags', 'cuGraphExecUpdate_v2', 0, 8, 0, 0, 0]"
is "a clone is of the same capture; a graph built by hand of none" \
	"$(field kinds "g[0]['captured'] == g[2]['captured'] and g[0]['captured']['tid'] == p['pid'] and not g[1]['captured']")" True
is "captured before made" "$(field kinds "g[0]['captured']['at_ns'] < g[0]['made']['at_ns']")" True
is "changes of single nodes are counted where they were made" "$(field kinds "[x['changes'] for x in g]")" "[0, 0, 0, 1, 0]"
is "each launch is of a graph that is known" "$(field kinds "p['unknown_launches']")" 0
is "nothing lost" "$(lost kinds)" 0
is "kernel executions: launches times kernels" "$(field kinds "sum(x['launches'] * x['kernels'] for x in g)")" \
	"$((7 * 4 + 2 * 5 + 1 * 4 + 1 * 3 + 5 * 4))"

# ---- what it costs the ring ----
traced chain chain 310
is "a chain of 310 kernels" "$(field chain "[(x['nodes'], x['kernels'], x['edges'], x['launches']) for x in g]")" \
	"[(310, 310, 309, 10), (310, 310, 309, 10)]"
is "an equal graph is written as a reference" "$(dump chain --defs | awk '$3 == "nodes"' | grep -c 'count=0')" 1
is "a replay is one record" "$(dump chain | grep -c ' cuGraphLaunch ')" 20
is "what we ask the driver is not recorded" \
	"$(dump chain | grep -cE 'cuGraph(Get|Node|KernelNode|ChildGraph)|cuThreadExchange|cuFuncGetName|cuKernelGetName')" 0
VPROF_RING_MB=4 traced again again 3000
is "a graph that is made over and over leaves room for the names of new kernels" \
	"$(dump again --defs | grep -c newcomer)" 1
is "each launch still has a graph" "$(dump again --json | grep '"cuGraphLaunch"' | grep -vc '"graph":[1-9]')" 0
traced same same 50
is "fifty equal graphs, one list" "$(dump same --defs | awk '$3 == "nodes"' | grep -vc 'count=0')" 1
is "and each has its nodes" "$(field same "{(x['nodes'], x['kernels'], len(x['node_list'])) for x in g}")" "{(4, 4, 4)}"

traced updates updates 3000
is "a graph that is updated over and over has as many versions as lists of nodes" \
	"$(field updates "[(x['graph'], x['version']) for x in g] + [sum(x['launches'] for x in g)]")" "[(1, 1), (1, 2), 3000]"
is "which is not looked at each time" "$(field updates "[x['launches'] for x in g] != [1500, 1500]")" True
traced few updates 8
is "but is at first" "$(field few "[x['launches'] for x in g]")" "[4, 4]"

# ---- where room or answers are short ----
VPROF_RING_MB=1 traced short chain 4000
is "a ring without room for the nodes says so" "$(lost short)" 2
is "and has the graphs nevertheless" "$(field short "[(x['nodes'], 'kernels' in x, x['launches']) for x in g]")" \
	"[(4000, False, 10), (4000, False, 10)]"
traced big chain 9000
is "of a graph beyond all bounds the first nodes are known" "$(field big "[(x['nodes'], x['nodes_known'], x['launches']) for x in g]")" \
	"[(9000, 8192, 10), (9000, 8192, 10)]"
is "which counts as a loss" "$(lost big)" 2
FAKECUDA_FAIL=cuGraphKernelNodeGetParams_v2:0:1 traced mute chain 3
is "a driver that does not answer: nodes of an unknown kernel" \
	"$(field mute "[(x['nodes'], x['by_name']) for x in g]")" \
	"[(3, [{'kernel': 'kernel ?', 'nodes': 3}]), (3, [{'kernel': 'kernel ?', 'nodes': 3}])]"
is "counted" "$(lost mute)" 2
FAKECUDA_FAIL=cuGraphGetNodes:0:1 traced blind chain 3
is "no list at all: nodes not known" "$(field blind "[(x['nodes'], x['launches']) for x in g]")" "[(None, 10), (None, 10)]"
FAKECUDA_FAIL=cuThreadExchangeStreamCaptureMode:0:1 traced strict chain 3
is "without the relaxed mode nothing is asked" "$(field strict "['kernels' in x for x in g]")" "[False, False]"

# ---- other threads ----
traced threads threads
is "a capture in another thread goes on, and the thread keeps its mode" "$(cat "$TMP/threads.out")" "captured; mode 1"
is "the graph made meanwhile is known" "$(field threads "[(x['nodes'], x['kernels']) for x in g]")" "[(6, 4)]"

# ---- with recording off ----
VPROF_CAPTURE=off traced off chain 3
is "no record, and no harm" "$(find "$TMP/off" -name '*.ring' | wc -l) $(dump off | wc -l)" "1 0"
VPROF_TRACE=launch,copy traced some chain 3
is "nothing is asked where graphs are not to be recorded" \
	"$(dump some --defs | awk '$3 == "nodes"' | wc -l) $(dump some | grep -c cuGraph) $(lost some)" "0 0 0"
VPROF_ENABLE=0 traced none chain 3
is "no ring, no harm" "$(find "$TMP/none" -name '*.ring' 2>/dev/null | wc -l)" 0

# ---- a graph of which the ring knows no more than that it was launched ----
"$BUILD/tests/make_ring" --lanes 1 --records 20 "$TMP/made.ring"
is "its nodes and its origin are unknown" \
	"$("$BUILD/vprof" graphs "$TMP/made.ring" | awk '/unknown:/ { print $1, $2, $3, $4, $5, $6, $7, ($8 > 0) }')" "1 12 ? ? ? ? ? 1"

# ---- in the trace ----
# args NAME EXPRESSION OPTION...: of vprof-merge; e is the list of the graph launches' args.
args() {
	"$BUILD/vprof-merge" "${@:3}" "$TMP/$1" 2>"$TMP/merge.err" | python3 -c "
import json, sys
e = [x['args'] for x in json.load(sys.stdin)['traceEvents'] if x.get('cat') == 'graph_launch']
print($2)"
}
is "a launch says how many nodes and kernels" \
	"$(args kinds "sorted({(x['graph'], x['graph nodes'], x['graph kernels']) for x in e}), any('nodes' in x for x in e)")" \
	"[(1, 6, 4), (2, 11, 5), (3, 6, 4), (4, 3, 3)] False"
is "expanded it has its nodes" "$(args kinds "e[0]['nodes']" --expand-graphs)" \
	"['set 1024', 'gemm<<<[8,1,1],[128,1,1],1024>>>', 'rms_norm<<<[4,1,1],[256,1,1],0>>>', 'copy DtoD 4096', 'gemm<<<[8,1,1],[128,1,1],1024>>>', 'silu<<<[2,1,1],[64,1,1],0>>>']"
is "as many as there are, each time" "$(args kinds "all(len(x['nodes']) == x['graph nodes'] for x in e), len(e)" --expand-graphs)" "True 16"
is "after an update the new ones" "$(args kinds "e[-1]['graph'], e[-1]['nodes'][2]" --expand-graphs)" \
	"1 silu<<<[4,1,1],[256,1,1],0>>>"
is "of many nodes the first, and how many more" "$(args big "len(e[0]['nodes']), e[0]['nodes'][-1]" --expand-graphs)" \
	"1025 and 7976 more"
is "of unknown ones nothing" "$(args short "any('nodes' in x for x in e), e[0]['graph nodes']" --expand-graphs)" "False 4000"

# ---- the tables ----
is "one row a graph" "$("$BUILD/vprof" graphs "$TMP/kinds" | awk 'NR == 3 || NR == 4 { print $1, $2, $3, $4, $5, $6, $7, $8 }')" \
	$'1 6 4 3 1 1 6 7\n2 11 5 3 2 2 10 2'
ok "kernels by name" grep -q '2x gemm, 1x silu, 1x rms_norm' <("$BUILD/vprof" graphs "$TMP/kinds")
is "the nodes of one graph" "$("$BUILD/vprof" graphs -g 4 "$TMP/kinds" | sed -n '/^graph 4$/,$p' | awk '{ $1 = $1; print }')" \
	'graph 4
NODE IN KIND GRID BLOCK SHARED AFTER WHAT
0 kernel 1,1,1 32,1,1 0 - rms_norm(int*)
1 kernel 1,1,1 32,1,1 0 0* rms_norm(int*)
2 kernel 1,1,1 32,1,1 0 1 rms_norm(int*)'
is "a graph that no process has is said, and fails" \
	"$("$BUILD/vprof" graphs -g 4711 "$TMP/kinds" 2>&1 >"$TMP/none"; echo $?)" \
	$'vprof graphs: no process here has a graph 4711\n1'
done_testing
