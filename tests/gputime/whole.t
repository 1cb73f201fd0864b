#!/usr/bin/env bash
# From the program to the answer: a client on the fake driver, stamped, and what the tools make of its ring.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "python3 reads the trace"
export VPROF_OUT=$TMP/rings VPROF_GPU=sample:4
mkdir "$VPROF_OUT"
LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so timeout 60 "$BUILD/gputime/client" chain 1000 300 >"$TMP/out"
vprof=$BUILD/vprof

"$vprof" info --json "$TMP/rings" | jq '.[0].gpu' >"$TMP/gpu.json"
gpu() { jq -c "$1" "$TMP/gpu.json"; }
ok "launches were measured" test "$(gpu .replays)" -gt 20
is "nothing of them is left out" "$(gpu '[.no_stamp, .backwards, .no_nodes, .no_launch]')" "[0,0,0,0]"
is "none before its launch" "$(gpu .early)" 0
ok "the clocks were compared" test "$(gpu '.devices[0].clock_error_ns < 100000')" = true
ok "stamps were measured" test "$(gpu '.devices[0].costs.programmatic.ns > 0')" = true

"$vprof" top --json --rows 0 "$TMP/rings" >"$TMP/top.json"
row() { jq -c --arg name "$1" ".work[] | select(.name == \$name) | $2" "$TMP/top.json"; }
is "a kernel of 20 us takes them, and what each takes beside its instructions" "$(row add_one_spin_20us '.median_ns | . > 20300 and . < 21200')" true
is "and one of 10 us" "$(row add_one_spin_10us '.median_ns | . > 10300 and . < 11200')" true
is "two of each in a launch" "$(row add_one_spin_10us .samples)" $((2 * $(gpu .replays)))
is "all launches count" "$(row add_one_spin_10us '.count >= 800')" true

"$BUILD/vprof-merge" "$TMP/rings" >"$TMP/trace.json"
is "the trace has each" "$(jq '[.traceEvents[] | select(.cat == "kernel")] | length' "$TMP/trace.json")" $((4 * $(gpu .replays)))
: >"$TMP/none"
python3 tests/gputime/trace.py "$TMP/trace.json" "$TMP/none" >"$TMP/facts"
is "slices nest, arrows hold" "$(grep -E '^(crossed|loose|backwards)' "$TMP/facts" | tr '\n' ' ')" "crossed 0 loose 0 backwards 0 "

# As it is asked for in the environment.
asked() {
	LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so VPROF_OUT=$TMP/asked.$1 VPROF_GPU=$1 timeout 60 "$BUILD/gputime/client" chain 600 300 >/dev/null
	"$vprof" info --json "$TMP/asked.$1" | jq -c '.[0].gpu.asked.graphs'
}
is "sample, without a number" "$(asked sample)" 64
is "with one" "$(asked sample:7)" 7
done_testing
