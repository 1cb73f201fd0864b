#!/usr/bin/env bash
# A GPU that hangs within a graph: what had ended of it is there, and at what it is.
. tests/tap.sh
. tests/gputime/lib.sh

command -v python3 >/dev/null || skip_all "python3 reads the traces"
command -v jq >/dev/null || skip_all "jq reads the answers"
export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=all
vprof=$BUILD/vprof
in_flight() { "$vprof" info --json "$TMP/$1"/*.ring | jq -c '.[0].gpu.in_flight | map([.graph, .node, .name])'; }

nodes_of_last() { grep '^kernel' "$TMP/$1.list" | sort -t "$(printf '\t')" -k 8n -k 4n | awk -F '\t' '{ if ($8 != t) { t = $8; n = "" } n = n " " $4 } END { print n }'; }

mkdir "$TMP/hangs" "$TMP/waits"
VPROF_OUT=$TMP/waits LD_PRELOAD=$BUILD/libvprof.so timeout 300 "$BUILD/gputime/unfinished" 400 4 >"$TMP/waits.out" 2>&1 &
waits=$!
VPROF_OUT=$TMP/hangs LD_PRELOAD=$BUILD/libvprof.so timeout 300 "$BUILD/gputime/unfinished" 400 0 >"$TMP/hangs.out" 2>&1 &
hangs=$!
ok "a graph that does not end is told of" until_true says '[[1,2,"hang_while"]]' in_flight hangs
ok "while the process is there: in which kernel, and for how long" \
	grep -qE '^  in flight +device 0, graph 1, node 2, for [0-9.]+ s: hang_while$' <("$vprof" info "$TMP/hangs"/*.ring)
pkill -9 -P $hangs
wait $hangs 2>/dev/null
is "and when it has been killed" "$(in_flight hangs)" '[[1,2,"hang_while"]]'
list hangs
last=$("$vprof" dump "$TMP/hangs"/*.ring | grep -c '(replay)')
is "the nodes that had ended are there" \
	"$(nodes_of_last hangs)" " 0 1"
is "and nothing counts as left out" "$(grep -o 'no_stamp=[0-9]*' "$TMP/hangs.list") $(grep -o 'replays=[0-9]*' "$TMP/hangs.list")" "no_stamp=0 replays=$last"
"$BUILD/vprof-merge" "$TMP/hangs" >"$TMP/hangs.json" 2>/dev/null
is "the trace draws it to the end" "$(python3 - "$TMP/hangs.json" <<'END'
import json, sys
slices = [e for e in json.load(open(sys.argv[1]))["traceEvents"] if e["ph"] == "X"]
end = max(e["ts"] + e["dur"] for e in slices)
for e in slices:
    if e.get("cat") == "kernel" and e["args"].get("in_flight"):
        print(e["name"], e["args"]["node"], abs(e["ts"] + e["dur"] - end) < 1)
END
)" "[in flight] hang_while 2 True"
is "the other layout has what ended" "$("$BUILD/vprof-merge" --format kineto "$TMP/hangs" 2>/dev/null | jq '[.traceEvents[] | select(.name == "hang_while")] | length')" $((last - 1))
ok "vprof top and vprof gpu are none the worse" test "$("$vprof" top --json "$TMP/hangs" | jq '.work | length')" = 2 -a "$("$vprof" gpu --json "$TMP/hangs" | jq '.devices | length')" = 1
VPROF_OUT=$TMP/later VPROF_GPU=off LD_PRELOAD=$BUILD/libvprof.so timeout 60 "$BUILD/gputime/client" chain 5 0 >/dev/null
is "and the GPU is at work with it as long as anything is known" "$("$vprof" gpu --json --last 1ms --bins 4 "$TMP/hangs" "$TMP/later" |
	jq -c '.bin_ns as $all | [.devices[0].bins[] | .busy_ns * 100 / $all | round]')" "[100,100,100,100]"

wait $waits
is "one that only took long ends" "$(cat "$TMP/waits.out")" "$(printf 'waits\nended')"
is "and is in flight no more" "$(in_flight waits)" "[]"
list waits
ok "it was told of twice, and counts once" \
	test "$("$vprof" dump "$TMP/waits"/*.ring | grep -c '(replay)')" = $(($(sed -n 's/^counts replays=\([0-9]*\).*/\1/p' "$TMP/waits.list") + 1))
is "with all its nodes" "$(nodes_of_last waits)" " 0 1 2 3"
done_testing
