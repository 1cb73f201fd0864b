#!/usr/bin/env bash
# GPU times in a Chrome trace: tracks for devices and streams, slices that nest, arrows from launches; and in
# vprof info, dump and graphs.
. tests/tap.sh

here=tests/gputime
command -v python3 >/dev/null || skip_all "python3 makes the rings"
merge=$BUILD/vprof-merge

python3 "$here/made.py" "$TMP/a.ring" >"$TMP/a.truth"
"$merge" "$TMP/a.ring" >"$TMP/a.json" 2>"$TMP/err"
python3 "$here/trace.py" "$TMP/a.json" "$TMP/a.truth" >"$TMP/facts"
fact() { sed -n "s/^$1 //p" "$TMP/facts"; }
is "nothing to complain of" "$(cat "$TMP/err")" ""
is "each event of the truth, and no other" "$(fact counts)" true
is "slices of a track nest" "$(fact crossed)" 0
is "branches have a track of their own" "$(fact named)" \
	"['GPU 0 of VLLM::EngineCore (pid 4242)', 'stream 1', 'stream 1, beside it 1', 'stream 2']"
is "an arrow for each launch" "$(fact arrows)" "32 32 32"
is "from a slice to a slice" "$(fact loose)" 0
is "and forwards" "$(fact backwards)" 0
is "nothing is estimated unasked" "$(fact estimated)" "0 0"
jq -c '.traceEvents[] | select(.cat == "kernel" and .args.node == 1) | .args' "$TMP/a.json" | head -1 >"$TMP/args"
is "what was measured is told" "$(jq -c '[.kernel, .graph, .class, .["raw ns"] - .["correction ns"] > 1500, ."correction ns"]' "$TMP/args")" \
	'["norm(float*)",1,"programmatic",true,1056]'
is "the launch's correlation is the slice's" "$(jq -r '[.traceEvents[] | select(.cat == "graph_launch") | .args.correlation] as $all |
	[.traceEvents[] | select(.cat == "gpu_graph") | .args.correlation | select(. as $c | $all | index($c) | not)] | length' "$TMP/a.json")" 0

is "how sure it is stands at the end" "$(jq -c '.otherData.rings[0].gpu | [.events, .left_out, .early, .clock_error_ns < 3500]' "$TMP/a.json")" '[160,0,0,true]'

python3 "$here/made.py" --pid 5000 --draw 2 "$TMP/b.ring" >"$TMP/b.truth"
"$merge" "$TMP/a.ring" "$TMP/b.ring" >"$TMP/both.json"
cat "$TMP/a.truth" "$TMP/b.truth" >"$TMP/both.truth"
python3 "$here/trace.py" "$TMP/both.json" "$TMP/both.truth" >"$TMP/facts"
is "two processes, each with its device 0" "$(fact counts) $(fact crossed) $(fact tracks)" "true 0 6"
"$merge" --pid 5000 "$TMP/a.ring" "$TMP/b.ring" >"$TMP/both.json"
python3 "$here/trace.py" "$TMP/both.json" "$TMP/b.truth" >"$TMP/facts"
is "one of them" "$(fact counts)" true
count() { jq '[.traceEvents[] | select(.cat == "gpu_graph" or .cat == "kernel")] | length' "$1"; }
"$merge" --thread eager "$TMP/a.ring" >"$TMP/c.json"
is "what one thread launched" "$(count "$TMP/c.json")" 8
"$merge" --from 0 --to 7900us "$TMP/a.ring" >"$TMP/c.json"
is "what ran in a while" "$(count "$TMP/c.json")" 17
"$merge" --format kineto --to 7900us "$TMP/a.ring" >"$TMP/c.json"
is "in the other layout too" "$(jq '[.traceEvents[] | select(.cat == "kernel")] | length' "$TMP/c.json")" 15

python3 "$here/made.py" --skip launch "$TMP/d.ring" >"$TMP/d.truth"
"$merge" "$TMP/d.ring" >"$TMP/d.json"
python3 "$here/trace.py" "$TMP/d.json" "$TMP/d.truth" >"$TMP/facts"
is "launches that are overwritten have no arrow, their kernels stand" "$(fact counts) $(fact arrows)" "true 16 16 16"

# What was not measured, as it is expected: only when asked for, and marked.
python3 "$here/made.py" --everything "$TMP/f.all" "$TMP/f.ring" >"$TMP/f.truth"
"$merge" --estimate "$TMP/f.ring" >"$TMP/f.json" 2>"$TMP/err"
is "estimates: nothing to complain of" "$(cat "$TMP/err")" ""
"$BUILD/tests/make_ring" "$TMP/none.ring"
nothing="vprof-merge: --estimate: no launch of a graph was timed in these rings, so there is nothing to estimate from (see vprof info)"
is "estimates: of nothing" "$("$merge" --estimate "$TMP/none.ring" 2>&1 >/dev/null | grep estimate)" "$nothing"
is "estimates: of nothing, if nothing is asked for" "$("$merge" "$TMP/none.ring" 2>&1 >/dev/null | grep estimate)" ""
python3 "$here/trace.py" "$TMP/f.json" "$TMP/f.truth" >"$TMP/facts"
is "estimates: what was measured stays" "$(fact counts) $(fact crossed)" "true 0"
is "estimates: 48 launches with 9 nodes, all marked" "$(fact estimated)" "480 480"
is "estimates: on tracks of their own" "$(fact named)" \
	"['GPU 0 of VLLM::EngineCore (pid 4242)', 'stream 1', 'stream 1, beside it 1', 'stream 1, estimated', 'stream 1, estimated, beside it 1', 'stream 2']"
is "estimates: an arrow for each too" "$(fact arrows) $(fact loose) $(fact backwards)" "80 80 80 0 0"
sums() { awk -F '\t' -v n="$1" '$1 == "kernel" && $2 == n && $3 == 1 { s += $6 - $5 } END { print s }' "$TMP/f.all"; }
is "estimates: with what was measured they add up to what ran" "$(jq -r '[.traceEvents[] | select(.name == "gemm" and .args.node != null and .args.graph == 1) | .dur] | add' "$TMP/f.json" |
	awk -v all="$(sums _Z4gemmPf)" '{ print ($1 * 1000 > 0.99 * all && $1 * 1000 < 1.01 * all) }')" 1
is "estimates in the other layout" "$("$merge" --format kineto --estimate "$TMP/f.ring" | jq '[.traceEvents[] | select(.cat == "kernel" and .args.estimated)] | length')" 336

# Two threads that launch the graph 10 us apart, onto the stream that each has of its own.
python3 - "$TMP/f.ring" "$TMP/g.ring" <<'END'
import struct, sys
data, last = bytearray(open(sys.argv[1], "rb").read()), 0
chunks, graph = struct.unpack_from("<Q", data, 40)[0], None
for at in range(chunks, len(data), 64):
    seq, t0, _, kind, _, object_ = struct.unpack_from("<QQQHHI", data, at)
    twin = struct.unpack_from("<Q", data, at + 48)[0] & 32
    if seq and kind == 2 and not twin:
        graph = object_
        struct.pack_into("<QQQQ", data, at + 32, 0, 0, 1, 0)
    elif seq and kind == 1 and graph:
        struct.pack_into("<QQHHI", data, at + 8, t0 - 290_000, 1 << 16, 2, 2, graph)
        struct.pack_into("<QQQQ", data, at + 32, 0, 0, 1, 0)
open(sys.argv[2], "wb").write(data)
END
delays=$("$merge" --estimate "$TMP/g.ring" | jq -c '[.traceEvents[] | select(.ph == "s" or .ph == "f") | {id, ts}] | group_by(.id) |
	map(.[1].ts - .[0].ts) | [length, (map(select(. > 15)) | length)]')
is "estimates: what one thread's own stream does waits for no other's" "$delays" "[136,0]"

is "and each is a row of its own" "$("$BUILD/vprof" top --per stream --json --rows 0 "$TMP/g.ring" | jq -c '[.work[] | .of | select(startswith("per-thread"))] | unique')" \
	'["per-thread stream of 4242 (pid 4242)","per-thread stream of 4243 (pid 4242)"]'

# The tools' other answers.
info() { "$BUILD/vprof" info --json "$TMP/a.ring" | jq -c ".[0].gpu$1"; }
is "info: clock, costs" "$(info '.devices[0] | [.clock_error_ns < 3500, .ties, .costs.plain.ns, .costs.span]')" '[true,50,1408,null]'
is "info: what was read" "$(info ' | [.replays, .timed, .events, .early, .twins, .stamps]')" '[16,16,160,0,1,10]'
is "info: how long a twin took" "$("$BUILD/vprof" info "$TMP/a.ring" | grep -o 'built in .*')" "built in 2.5 ms"
python3 "$here/made.py" --replays 1 --every 1 "$TMP/one.ring" >"$TMP/one.truth"
is "info: one and several" "$("$BUILD/vprof" info "$TMP/one.ring" | sed -n 's/^ *GPU times *//p')" \
	"11 pieces of work, from 1 replay of graphs and 2 operations of streams"
is "info: why some have none" "$(info .without)" '{"it allocates or frees memory":1}'
# What is asked of a process stands in words 4 to 7 of its ring's second page.
timed() {
	python3 -c 'import struct, sys; struct.pack_into("<4I", page := bytearray(open(sys.argv[1], "rb").read()), 4112, *map(int, sys.argv[3:])); open(sys.argv[2], "wb").write(page)' \
		"$TMP/a.ring" "$TMP/asked.ring" "$@"
	"$BUILD/vprof" info "$TMP/asked.ring" | sed -n 's/^ *timed *//p'
}
is "info: what is timed" "$(timed 1 0 1000000 1000000)" "the nodes of graphs, every launch; what is put onto streams"
is "info: what was and is not now" "$(timed 64 1 0 0)" \
	"the nodes of graphs, one launch in 64; other launches of graphs as a whole; earlier what is put onto streams"
is "info: nothing any more" "$(timed 0 0 0 0)" "nothing now; earlier the nodes of graphs; what is put onto streams"
ok "info: the same for people" grep -q 'GPU clock *device 0: within [0-9]* ns' <("$BUILD/vprof" info "$TMP/a.ring")
is "dump: a replay and its stamps" "$("$BUILD/vprof" dump --json "$TMP/a.ring" | jq -c 'select(.call == "(replay)" or .call == "(stamps)") | [.call, .graph, .stamps, (.after // [] | length)]' | head -2 | tr '\n' ' ')" \
	'["(replay)",1,9,0] ["(stamps)",null,null,8] '
ok "dump: ties are calls of a kind" grep -q '(gpu-clock) [0-9.]*us device=0 gpu_ns=' <("$BUILD/vprof" dump "$TMP/a.ring")
ok "dump: twins" grep -q 'twin - graph=[0-9]* device=0 .* stamps=:0,0:2,1:1,2:1$' <("$BUILD/vprof" dump --defs "$TMP/a.ring")
is "graphs: which have a twin" "$("$BUILD/vprof" graphs "$TMP/a.ring" | grep '^graph')" \
"graph 1: a twin with 10 stamps, built in 2.5 ms
graph 2: no twin, it allocates or frees memory"
is "graphs: the same for programs" "$("$BUILD/vprof" graphs --json "$TMP/a.ring" | jq -c '[.processes[0].graphs[].twin.stamps]')" "[10,0]"
done_testing
