#!/usr/bin/env bash
# VPROF_TRACE: which calls are recorded; calls that only ask are counted, and fill no ring.
. tests/tap.sh
BUILD=$(realpath "$BUILD")
command -v jq >/dev/null || skip_all "no jq"
unset "${!VPROF_@}" LD_PRELOAD

# client GROUPS WORD...: runs it with VPROF_TRACE=GROUPS ("": not set) and reads its first ring.
client() {
	local groups=$1
	shift
	rm -rf "$TMP/out"
	LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_OUT=$TMP/out VPROF_RING_AT=out LD_PRELOAD=$BUILD/libvprof.so \
		${groups:+env "VPROF_TRACE=$groups"} "$BUILD/tests/shim/groups" "$@" 2>"$TMP/err"
	"$BUILD/vprof" info --json "$TMP/out" >"$TMP/info" 2>/dev/null
	"$BUILD/vprof" dump --json "$TMP/out" >"$TMP/dump" 2>/dev/null
}
info() { jq -c "$@" "$TMP/info"; }
calls() { jq -r 'select(.kind != 13) | .call' "$TMP/dump" | sort | uniq -c | awk '{ print $2 ":" $1 }' | paste -sd' '; }
asked() { jq -r 'select(.kind == 13) | "\(.call) \(.count) \(.failed)"' "$TMP/dump" |
	awk '{ n[$1]++; c[$1] += $2; f[$1] += $3 } END { for (k in n) print k, n[k], c[k], f[k] }' | sort; }

client "" ask:10000000
is "ten million questions take one record" "$(asked)" "cuEventQuery 1 10000000 0"
is "the others are recorded" "$(calls)" "cuCtxSetCurrent:1 cuDevicePrimaryCtxRetain:1 cuEventCreate:1 cuInit:1"
is "info counts them" "$(info '.[0] | [.queries, .query_table]')" \
	'[10000000,[{"call":"cuEventQuery","count":10000000,"failed":0}]]'
ok "and says so" grep -qE 'counted +10000000 calls that only ask, most often cuEventQuery' <("$BUILD/vprof" info "$TMP/out")
is "dump shows how long" "$(jq 'select(.kind == 13) | .span_ns > 1000000' "$TMP/dump")" true

client "" ask:1000 ask2:500 bad:7 ask:1000
is "each function has its own record; failures are told" "$(asked)" "cuCtxGetCurrent 1 500 0
cuEventQuery 1 2007 7"

client "" ask:10 set:1000 ask:10 ask2:3 set:1000 ask:5
is "a new chunk begins a new count, and none is lost" "$(asked)" "cuCtxGetCurrent 1 3 0
cuEventQuery 3 25 0"
is "the lane has the sum" "$(info '.[0].queries')" 28

client "" ask:5 thread set:1 ask:70
is "each thread counts for itself" "$(asked)" "cuEventQuery 2 75 0"

client "" set:1 ask:5 fork set:1 ask:30
is "a forked child counts in its own ring" "$(info '[.[].queries] | sort')" "[5,30]"
client "" set:1 ask:5 fork ask:30
is "and makes none to count" "$(info '[.[].queries]')" "[5]"

client "" no_init ask2:10
is "a question makes no ring" "$(find "$TMP/out" -name "*.ring" 2>/dev/null | wc -l)" 0

# Those that are asked most are counted by code of their own.
near() { # near COUNT RECORDS: what that many are counted as
	local call
	for call in cuCtxGetDevice cuCtxGetDevice_v2 cuDevicePrimaryCtxGetState cuPointerGetAttribute; do
		echo "$call $2 $1"
	done
}
times() { asked | cut -d' ' -f1-3; }
for count in 1 15 16 17 32 1000; do
	client "" near:$count
	is "the nearest, $count times" "$(times)" "$(near $count 1)"
done
is "those that fail are told" "$(asked | grep -v " 0$")" "cuPointerGetAttribute 1 1000 1000"
client "" near:100 set:1000 near:100
is "and in a new chunk" "$(times)" "$(near 200 2)"
is "the lane has the sum of both" "$(info '.[0].queries')" 800
client "" near:50 thread near:50 set:1 near:50
is "and in two threads" "$(times)" "$(near 150 2)"
client "" near:50 vfork:3 near:50
is "not in a vfork child, and then again" "$(times)" "$(near 100 1)"
for fork in fork _Fork; do
	client "" near:50 $fork near:50 set:1 near:50
	is "and in a child of $fork" "$(times)" "$(near 100 2)"
	client "" near:50 $fork near:50
	is "which makes no ring for them" "$(times)" "$(near 50 1)"
done
client query near:50
is "recorded, one by one" "$(asked) $(calls)" " cuCtxGetDevice:50 cuCtxGetDevice_v2:50 cuDevicePrimaryCtxGetState:50 cuPointerGetAttribute:50"
client none near:50
is "and not at all" "$(asked)$(calls)$(cat "$TMP/err")" ""

# What a child's calls teach us is defined in a ring of its own, or nowhere.
kernels() { "$BUILD/vprof" dump --defs --json "$TMP/out" | jq -r 'select(.type == "kernel") | .name' | sort | uniq -c | xargs; }
client memory no_init alloc:1 fork init:1 lookup:50
is "a forked child whose calls are not recorded makes no ring" "$(info '[.[].pid] | length')" 1
is "and defines nothing in its parent's" "$(kernels)" ""
client memory no_init alloc:1 fork init:1 lookup:50 alloc:1
is "nor does one that has a ring of its own later" "$(info '[.[].pid] | length') $(kernels)" "2 "

VPROF_RING_MB=4 client "" lookup:3000 new:1
is "a module that is loaded over and over leaves room for the names of new kernels" "$(kernels | grep -o '1 newcomer')" "1 newcomer"

client all ask:5 ask2:3
is "VPROF_TRACE=all records them one by one" "$(calls)" \
	"cuCtxGetCurrent:3 cuCtxSetCurrent:1 cuDevicePrimaryCtxRetain:1 cuEventCreate:1 cuEventQuery:5 cuInit:1"
is "and counts none" "$(asked)" ""
client memory,query ask:2 alloc:3 set:4
is "only the groups that are named" "$(calls)" "cuEventQuery:2 cuMemAlloc_v2:3 cuMemFree_v2:3"
client memory ask:2 alloc:3 ask:4
is "questions are counted beside any group" "$(asked)" "cuEventQuery 1 4 0"
client launch launch:3
is "what records refer to is learnt though its group is off" "$(jq -r '.call + " " + .kernel' "$TMP/dump" | sort | uniq -c | xargs)" \
	"3 cuLaunchKernel noop"
client none ask:2 alloc:3
is "none: no ring" "$(find "$TMP/out" -name "*.ring" 2>/dev/null | wc -l)" 0
for off in VPROF_TRACE=none VPROF_ENABLE=0; do
	ok "$off: the driver is asked nothing when a context is released" env "$off" VPROF_OUT="$TMP/out" \
		LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="$BUILD/libvprof.so" \
		FAKECUDA_HANG=cuDevicePrimaryCtxGetState:1 timeout -s KILL 5 "$BUILD/tests/shim/groups" release:1
done
client "memory,memroy" alloc:1
ok "an unknown group is named, and the default holds" grep -q 'VPROF_TRACE=memory,memroy is not understood; launch,copy' "$TMP/err"
is "so that" "$(calls)" "cuCtxSetCurrent:1 cuDevicePrimaryCtxRetain:1 cuEventCreate:1 cuInit:1 cuMemAlloc_v2:1 cuMemFree_v2:1"

client "" ask:100 bad:1
"$BUILD/vprof-merge" -q -o "$TMP/trace.json" "$TMP/out" 2>/dev/null || "$BUILD/vprof-merge" -o "$TMP/trace.json" "$TMP/out" >/dev/null 2>&1
is "in a trace they are a moment with a count" \
	"$(jq -c '.traceEvents[] | select(.cat == "query") | [.ph, .name, .args.count, .args.failed, .args.call]' "$TMP/trace.json")" \
	'["i","101 x cuEventQuery",101,1,"cuEventQuery"]'
done_testing
