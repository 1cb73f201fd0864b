#!/usr/bin/env bash
# Kernels of streams that begin before those ahead of them end are timed, and begin so all the same.
. tests/tap.sh
. tests/gputime/lib.sh
of_streams led

traced programmatic always programmatic 600 200
ok "a kernel that a launch with programmatic serialization follows is timed: behind it an early stamp" \
	test "$(right programmatic _first_ 20690)" -ge 97 -a "$(events programmatic '_first_.*	led	')" -gt 120
ok "others are timed" test "$(right programmatic one_spin_20us 20690)" -ge 97 -a "$(events programmatic one_spin_20us)" -gt 120

# led NAME VERB N PATTERN NS...: until most of the events of each pattern took that.
led_right() { # NAME PATTERN NS...
	local name=$1
	shift
	while [ $# -gt 1 ]; do
		[ "$(right "$name" "$1" "$2")" -ge 97 ] || return
		shift 2
	done
}
led() {
	for _ in 1 2 3 4 5; do
		VPROF_GPU_EAGER=always halting "$1" has_timed 1 "$client" "$2" "$3" 0
		list "$1"
		[ "$(cat "$TMP/$1.out")" = "$(cat "$TMP/$1.plain")" ] && led_right "$1" "${@:4}" && break
	done
	is "$1: what follows early does so with stamps too, what waits does, and the program does what it does" \
		"$(cat "$TMP/$1.out")" "$(cat "$TMP/$1.plain")"
	ok "$1: kernels took what they took" led_right "$1" "${@:4}"
	is "$1: all have their launch, and nothing is lost" "$(sed -n 's/.*\(no_launch=[0-9]*\).*/\1/p' "$TMP/$1.list") $(lost "$1")" "no_launch=0 0"
}
led busy busy 1500 _trigger_ 20690 _behind 15540 _gridwait 10540 spin_20us 20690
is "it does begin early, and nothing that waits does" "$(sed -n 's/^early //p' "$TMP/busy.plain")" "yes wrong 0"
ok "all are timed: what leads, and what follows on a busy stream" \
	test "$(events busy '_trigger_.*	led	')" -gt 1500 -a "$(events busy '_behind.*	following	')" -gt 700 -a "$(events busy '_gridwait.*	following	')" -gt 700
gauges=$("$BUILD/vprof" dump "$TMP"/busy/*.ring | grep -c '(timed).* of=0 .*class=led')
ok "behind one in so many a gauge of its class ($gauges)" test "$gauges" -gt 90 -a "$gauges" -lt 400
gauges=$("$BUILD/vprof" dump "$TMP"/busy/*.ring | grep -c '(timed).* of=0 .*class=following')
ok "and one of the class of what follows ($gauges)" test "$gauges" -gt 90 -a "$gauges" -lt 400
FAKECUDA_EARLY_NS=800 led later busy 1500 _trigger_ 20690 spin_20us 20690
led idle idle 600 _trigger_ 20690 spin_20us 20690
ok "behind gates too" test "$(events idle '_trigger_.*	led	')" -gt 900
led apart apart 1000 _trigger_ 20690 _gridwait 10540 spin_20us 20690
ok "what does not come directly behind is not timed" \
	test "$(events apart _behind)" = 0 -a "$(events apart '_gridwait.*	following	')" -gt 400
led unled unled 1500 _trigger_ 20690 spin_20us 20690
ok "what is not followed this time has the same stamps, and what comes then is timed as any" \
	test "$(events unled '_trigger_.*	led	')" -gt 1500 -a "$(events unled '_behind.*	\(stream\|gated\)	')" -gt 700
# At the end of a stream whose kernels all could be followed a gauge is owed, which is not for the stream that comes next.
led gone gone 60 _trigger_ 20690
ok "streams that have gone leave no gauge to the next" test "$(events gone '_trigger_.*	led	')" -gt 16 -a "$(events gone 'spin_20us.*	gated	')" -gt 16 -a \
	"$("$BUILD/vprof" dump "$TMP"/gone/*.ring | grep -c '(timed).* of=0 .*class=led')" = 0
FAKECUDA_APART=1 led short short 1500 _trigger_ 20690 spin_20us 20690
ok "what is over before the kernel that it follows has no time, and what comes then begins behind both" \
	test "$(events short '_behind.*	following	')" -gt 700 -a "$(right short '_behind.*	following	' 0 0)" -ge 97
# Another thread's kernel of 20 us comes before the stamp of what follows a gauge has been put, which takes 0.1 ms.
FAKECUDA_DELAY=cuLaunchKernelEx:100000 VPROF_GPU_EAGER=always halting shared has_timed 1 "$client" shared 1500 0
list shared
is "shared: the program does what it does without" "$(cat "$TMP/shared.out")" "$(cat "$TMP/shared.plain")"
"$BUILD/vprof" dump "$TMP"/shared/*.ring | sed -n 's/.*(timed).* of=0 ns=\([0-9]*\) class=following.*/\1/p' >"$TMP/shared.gauges"
ok "gauges of what follows are told beside another thread ($(wc -l <"$TMP/shared.gauges"))" test "$(wc -l <"$TMP/shared.gauges")" -gt 5
is "and none has another thread's work in it" "$(awk '$1 > 15000' "$TMP/shared.gauges")" ""
FAKECUDA_SM=80 led plain busy 600 spin_20us 20690
# The program has asked for four functions, and the library for those of its table, before it asks for these two.
asked=$((4 + $(grep -c '{ &gpu->[a-z_]*, "vprof_' shim/gpu.c)))
FAKECUDA_FAIL=cuModuleGetFunction:$((asked + 1)):500 led no_follower busy 600 spin_20us 20690
FAKECUDA_FAIL=cuModuleGetFunction:$((asked + 2)):500 led no_early busy 600 spin_20us 20690
for name in plain no_follower no_early; do
	ok "$name: without early stamps neither is timed, and what comes then is" \
		test "$(events $name _trigger_)" -le 2 -a "$(events $name '_behind\|_gridwait')" = 0 -a "$(events $name spin_20us)" -gt 300
done
is "though the GPU has programmatic launches" \
	"$("$BUILD/vprof" info --json "$TMP"/no_{follower,early}/*.ring | sed -n 's/.*"mode": "\([a-z]*\)".*/\1/p' | xargs)" "programmatic programmatic"

done_testing
