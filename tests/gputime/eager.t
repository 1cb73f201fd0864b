#!/usr/bin/env bash
# What is put onto streams is timed by stamps and gates: the program is the same with them, and the times are right.
. tests/tap.sh
. tests/gputime/lib.sh
of_streams eager

# gated NAME PATTERN NS: of those behind gates all took that, whatever the machine did meanwhile
gated() { grep -- "$2" "$TMP/$1.list" | grep '	gated	' | awk -F '\t' -v ns="$3" '{ took = substr($6, 8) - substr($5, 8); if (took < ns - 250 || took > ns + 250) print took }'; }
all_right() { # NAME [SHARE]
	ok "$1: kernels took what they took" test "$(right "$1" spin_20us 20690)" -ge "${2-97}" -a "$(right "$1" spin_10us 10690)" -ge "${2-97}"
	ok "$1: copies and sets did" test "$(right "$1" '^copy' 3690)" -ge "${2-97}" -a "$(right "$1" '^set' 3690)" -ge "${2-97}"
	is "$1: behind gates each and all" "$(gated "$1" spin_20us 20690; gated "$1" spin_10us 10690; gated "$1" '^copy' 3690; gated "$1" '^set' 3690)" ""
	is "$1: all have their launch, and nothing is lost" "$(sed -n 's/.*\(no_launch=[0-9]*\).*/\1/p' "$TMP/$1.list") $(lost "$1")" "no_launch=0 0"
}

TIMED='' traced off off busy 200 0
is "off: nothing is timed" "$(events off)" 0
TIMED='' CUDA_LAUNCH_BLOCKING=1 traced blocking always busy 200 0
is "where launches wait for their work there are no windows" "$(events blocking)" 0
CUDA_LAUNCH_BLOCKING=0 CUDA_DEVICE_MAX_CONNECTIONS=8 traced usual always busy 200 0
ok "where they do not there are" test "$(events usual)" -gt 200
TIMED='' CUDA_DEVICE_MAX_CONNECTIONS=1 VPROF_GPU_SPANS=1 traced queue always graphs 200 0
is "nor where all streams share a queue, nor stamps around graphs" "$(events queue)" 0
traced busy always busy 4000 0
all_right busy
ok "a busy stream: from stamp to stamp" test "$(events busy '	stream	')" -gt 1000
ok "most of its operations" test "$(events busy)" -gt 5000
gauges=$("$BUILD/vprof" dump "$TMP"/busy/*.ring | grep -c '(timed).* of=0 .*class=stream')
ok "behind one kernel in so many a gauge ($gauges)" test "$gauges" -gt $(($(events busy ^kernel) / 32)) -a "$gauges" -lt $(($(events busy ^kernel) / 8))
traced idle always idle 400 200
all_right idle
ok "an idle one: behind gates" test "$(events idle '	gated	')" -gt 500
is "and only there" "$(events idle '	stream	')" 0
is "what the end of the process has collected is read too" "$(events idle)" \
	"$("$BUILD/vprof" dump "$TMP"/idle/*.ring | grep '(timed)' | grep -vc ' of=0 ')"
for verb in legacy own; do
	traced $verb always $verb 1500 0
	all_right $verb
done
FAKECUDA_SM=80 traced plain always busy 1500 0
all_right plain

# started NAME WINDOW VERB ARGUMENT...: in the background, until it is `killed`
started() {
	drop "$TMP/$1"
	mkdir "$TMP/$1"
	VPROF_OUT=$TMP/$1 VPROF_GPU_EAGER=$2 LD_PRELOAD=$BUILD/libvprof.so "$client" "${@:3}" >"$TMP/$1.out" 2>&1 </dev/null &
	pid=$!
}
killed() {
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || :
}

# ---- what stands between, and what may not be held ----

TIMED='1 2' traced events always events 2000 0
ok "events: kernels took what they took" test "$(right events spin_20us 20690)" -ge 97 -a "$(right events spin_10us 10690)" -ge 97
ok "behind a wait or a record there is a gate, else none" test "$(events events '	gated	')" -gt 50 -a "$(events events '	stream	')" -gt 50
VPROF_TRACE=launch traced launches always busy 1500 0
ok "of recorded kernels only: with a gate each" test "$(events launches '	gated	')" -gt 1000 -a "$(events launches '	stream	')" = 0
ok "they took what they took" test "$(right launches spin_20us 20690)" -ge 97 -a "$(right launches spin_10us 10690)" -ge 97
traced host always host 500 200
ok "copies of pinned memory" test "$(right host ^copy 3690)" -ge 97
ok "and no others, nor calls that wait" test "$(events host ^copy)" -le 1000 -a "$(events host ^set)" = 0
traced batch always batch 1000 0
all_right batch
is "copies in batches are left alone" "$(events batch ^other) $(streams batch)" "0 1"

# A call that takes longer than a gate waits; but a busy machine may let the GPU come to the gate later still, not each time.
for _ in $(seq 10); do
	FAKECUDA_DELAY=cuMemsetD32Async:3000000 VPROF_GPU_EAGER=always halting late has_timed 1 "$client" idle 200 0
	list late
	gated late '^set' 3690 >>"$TMP/late.wrong"
	[ "$(events late ^set)" -gt 10 ] || break
done
is "late: the program does what it does without" "$(cat "$TMP/late.out")" "$(cat "$TMP/late.plain")"
is "no time is told that is not right" "$(cat "$TMP/late.wrong")" ""
ok "behind a gate that has given up nothing is told" test "$(events late ^set)" -le 10 -a "$(events late ^copy)" -gt 100

# ---- threads and streams ----

TIMED='1 2 3 4 5' traced streams always streams 3000 0
all_right streams
is "streams: each of the four, and the first" "$(streams streams)" 5
TIMED='1 2' traced owns always owns 1000 0
all_right owns
"$BUILD/vprof-merge" "$TMP"/owns/*.ring >"$TMP/owns.json"
is "owns: each thread's own stream is a track of its own, in whose slices nothing lies across" \
	"$(python3 tests/gputime/trace.py "$TMP/owns.json" /dev/null | sed -n 's/^\(crossed\|tracks\) //p' | tr '\n' ' ')" "0 5 "
traced shared always shared 500 0
all_right shared
traced beside always beside 1000 0
ok "no other thread's graph is in a kernel's time" test "$(right beside spin_10us 10690)" -ge 97 -a "$(events beside)" -gt 50
# Another thread's work comes between a gate and its stamp.
FAKECUDA_DELAY=cuMemsetD32Async:20000 traced between always shared 700 0
all_right between
traced many always many 250 1500
ok "many: streams that have gone leave their slots" \
	test "$(streams many)" -gt 70
is "and nothing is lost" "$(lost many)" 0
traced kept always kept 350 1500
ok "kept: so do those that are idle for long" \
	test "$(streams kept)" -gt 75
ok "and who has none meanwhile is counted" test "$(lost kept)" -gt 0

# ---- captures, graphs, contexts ----

traced capture always capture 600 300
all_right capture
traced captured always captured 200 200
all_right captured
RIGHT=75 TIMED='1 2' VPROF_GPU_SPANS=1 traced graphs always graphs 600 0
all_right graphs 75
ok "graphs as a whole" test "$(right graphs '	span	' 69000 1000)" -ge 50 -a "$(events graphs '	span	')" -gt 300
TIMED='0 1' VPROF_GPU_SPANS=1 traced spans off graphs 600 0
is "spans alone" "$(events spans)" "$(events spans '	span	')"
ok "of both graphs" test "$(events spans)" -gt 300 -a "$(cut -f 3 "$TMP/spans.list" | sort -u | grep -c '^[12]$')" = 2
# With work on its way for far longer than from one collection to the next.
TIMED='1 2' traced context always context 2000 0
all_right context
for verb in detach green; do
	traced "$verb" always "$verb" 500 500
	ok "$verb: the next context of its handle is timed as well" test "$(events "$verb")" -gt 4000
	is "$verb: what is on its way when it goes is not lost" "$(lost "$verb")" 0
done
timeout 60 "$BUILD/fakecuda/conformance" >"$TMP/conformance.plain"
is "what the driver says and does is what it is without" "$(VPROF_OUT=$TMP/conformance VPROF_GPU=all VPROF_GPU_EAGER=always VPROF_GPU_SPANS=1 \
	LD_PRELOAD=$BUILD/libvprof.so timeout 60 "$BUILD/fakecuda/conformance" | diff "$TMP/conformance.plain" -)" ""

# ---- windows ----

# A busy machine may keep the program from running when a window is open; not each time.
for _ in $(seq 10); do
	VPROF_GPU_EAGER=20ms/60ms halting window has_timed 1 "$client" idle 1000 0
	list window
	share=$((100 * $(events window) / 6000))
	[ "$share" -lt 5 ] || [ "$share" -gt 70 ] || break
done
is "window: the program does what it does without" "$(cat "$TMP/window.out")" "$(cat "$TMP/window.plain")"
ok "windows: a part of all ($share of 100)" test "$share" -ge 5 -a "$share" -le 70
all_right window
is "info: when" "$("$BUILD/vprof" info "$TMP"/window/*.ring | sed -n 's/^  timed  *//p')" "what is put onto streams, for 20 ms in every 60 ms"
is "and as JSON" "$("$BUILD/vprof" info --json "$TMP"/window/*.ring | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["gpu"]["asked"])')" \
	"{'graphs': 0, 'spans': False, 'window_us': 20000, 'period_us': 60000}"
started first 50ms/1000s cold 1000000000 0
first() { list first && [ "$(events first)" -ge 4 ]; }
ok "the first window is open until there are stamps" until_true first
killed
for wrong in 2ms-200ms 300ms/200ms 2/200 0ms/1s 2ms/200ms/; do
	is "$wrong is no window" "$(VPROF_OUT=$TMP/wrong VPROF_GPU_EAGER=$wrong LD_PRELOAD=$BUILD/libvprof.so "$client" busy 1 0 2>&1 >/dev/null | sed 's/.*: //')" \
		"VPROF_GPU_EAGER=$wrong is not understood; off holds"
done

# ---- what does not work ----

# refused NAME RULE: nothing is timed, and the program is none the worse
refused() {
	mkdir "$TMP/$1"
	FAKECUDA_FAIL=$2 VPROF_OUT=$TMP/$1 VPROF_GPU_EAGER=always LD_PRELOAD=$BUILD/libvprof.so "$client" idle 200 200 >"$TMP/$1.out" 2>&1
	"$client" idle 200 0 >"$TMP/$1.plain"
	"$BUILD/gputime/list" "$TMP/$1"/*.ring >"$TMP/$1.list"
	is "$1: nothing is timed, and the program does what it does" "$(events "$1") $(cat "$TMP/$1.out")" "0 $(cat "$TMP/$1.plain")"
}
# The program is over while our thread is at work for its first context, or before it is.
mkdir "$TMP/short"
for n in 0 1 20; do
	is "the end of a program of $n rounds: no call of ours is on its way when the driver goes, and none comes" \
		"$(FAKECUDA_EXIT=150000000 FAKECUDA_DELAY=cuMemHostRegister_v2:100000000 VPROF_OUT=$TMP/short VPROF_GPU_EAGER=always \
			LD_PRELOAD=$BUILD/libvprof.so "$client" cold "$n" 2000 2>&1 >"$TMP/short.out" | sort | uniq -c | head -3)" ""
done
refused "no module" cuModuleLoadData:2:218,cuModuleLoadData:3:218
refused "no pages" cuMemHostRegister_v2:0:1
refused "no answer" cuStreamIsCapturing:0:900
refused "no context" cuStreamGetCtx:0:801

# A thread that never comes back from a call, between a gate and its opening.
export FAKECUDA_HANG=cuMemsetD32Async:30
VPROF_GPU_EAGER=always halting stuck has_timed 1 "$client" stuck 500 200
is "a gate that nobody opens opens itself" "$(cat "$TMP/stuck.out")" "the stream has ended"
unset FAKECUDA_HANG

# ---- killed, hanging, switched ----

# A busy machine may keep the thread that collects from running just then; not each time.
for _ in $(seq 10); do
	started killed always forever 0 500
	many_timed() { list killed && [ "$(events killed)" -gt 300 ]; }
	until_true many_timed
	killed
	list killed
	"$BUILD/vprof" dump "$TMP"/killed/*.ring >"$TMP/dump"
	missing=$(awk '/ cuLaunchKernel / { launch = $1 } / \(timed\) / && $1 > timed { timed = $1 } END { print int(1000 * (launch - timed)) }' "$TMP/dump")
	[ "$missing" -ge 150 ] || break
done
ok "killed: what was timed is there" test "$(events killed)" -gt 300
ok "but for what one round of collecting has ($missing ms)" test "$missing" -lt 150

started hanging always hang 300 200
hangs() { grep -q hanging "$TMP/hanging.out" && list hanging && [ "$(events hanging)" -gt 300 ]; }
ok "a hanging GPU: what it did before is there" until_true hangs
killed
list hanging
is "all of it: nothing behind it" "$(grep -c '	hang	' "$TMP/hanging.list")" 0
ok "operations for which there is no slot are counted" test "$(lost hanging)" -gt 1000

started switched off forever 0 300
words() { python3 -c '
import struct, sys
f = open(sys.argv[1], "r+b"); f.seek(4096 + 24); f.write(struct.pack("<II", int(sys.argv[2]), int(sys.argv[3])))' "$TMP"/switched/*.ring "$@"; }
launches() { "$BUILD/vprof" dump "$TMP"/switched/*.ring | grep -c ' cuLaunchKernel '; }
has_launched() { [ "$(launches)" -ge "$1" ]; }
now() { list switched; events switched; }
# times_no_more: of two hundred launches none
times_no_more() {
	local timed
	timed=$(now)
	until_true has_launched $(($(launches) + 200))
	[ "$(now)" = "$timed" ]
}
has_times() { [ "$(now)" -gt "$1" ]; }
until_true has_launched 200
is "switched off at the start" "$(now)" 0
words 5000 5000
ok "on from outside" until_true has_times 100
words 0 0
ok "and off" until_true times_no_more
killed

done_testing
