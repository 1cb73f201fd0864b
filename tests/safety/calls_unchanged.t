#!/usr/bin/env bash
# The result and the errno of a call are the driver's, whatever the preload is doing:
# recording or not, first call or later, with a ring or without, with failures in the driver.
. tests/tap.sh
. tests/safety/lib.sh

calls="$PROGRAMS/calls rounds 3"

# case NAME ENV...
case_is() {
	local name=$1 program
	shift
	for program in "$PROGRAMS/calls" "$PROGRAMS/calls-plt"; do
		run_both "$@" "$program" rounds 3
		ok "$name: results and errno of ${program##*/}" unchanged
		is "$name: nothing on stderr of ${program##*/}" "$(cat "$TMP/traced.err")" "${complaint:-}"
	done
}

case_is "recording"
ok "calls were made, and go through the preload" grep -q '^calls [0-9]\{3\}' "$TMP/traced.side"
ok "the driver left errno alone" not grep -v 'errno +0$\|^memory\|^round' "$TMP/plain.out"
is "there is one ring" "$(rings)" 1
case_is "recording off from the start" VPROF_CAPTURE=off
case_is "disabled" VPROF_ENABLE=0
is "disabled: no ring" "$(rings)" 0
case_is "tiny ring" VPROF_RING_MB=1
case_is "no ring possible" VPROF_OUT=/dev/null VPROF_QUIET=1
ok "no ring possible: losses are counted" grep -q 'unrecorded [1-9]' "$TMP/traced.side"

failures=cuLaunchKernel:3:719
case_is "a sticky error" FAKECUDA_FAIL=$failures
for symbol in cuInit cuModuleLoadData cuModuleGetFunction cuMemAlloc_v2 cuMemcpyHtoD_v2 cuMemcpyDtoH_v2 \
	cuMemsetD32Async cuCtxSynchronize cuStreamSynchronize cuEventQuery cuProfilerStart cuModuleUnload; do
	for n in 0 1 2; do
		run_both FAKECUDA_FAIL=$symbol:$n:999 $calls
		ok "$symbol fails (call $n; 0: each): results and errno" unchanged
	done
done
ok "failures were injected" grep -q 'cuModuleUnload 999' "$TMP/plain.out"
run_both FAKECUDA_FAIL=cuLaunchKernel:300:2,cuMemFree_v2:0:999,cuModuleLoadData:1:209 $calls
ok "several failures at once: results and errno" unchanged

# ---- the control word, written from outside while the program waits ----

# flipped ARM: three rounds, with recording off in the second
flipped() {
	local fifo=$TMP/input
	rm -f "$fifo" "$TMP/$1.out"
	mkfifo "$fifo"
	run=exec "$1" "$PROGRAMS/calls" rounds 3 <"$fifo" >"$TMP/$1.out" &
	exec 9>"$fifo"
	printf x >&9
	until_true grep 'round 2' "$TMP/$1.out"
	control "$1" off
	printf x >&9
	until_true grep 'round 3' "$TMP/$1.out"
	control "$1" on
	printf x >&9
	exec 9>&-
	wait $!
	echo $? >"$TMP/$1.rc"
}
control() { # control WAY on|off: the groups that were chosen stand behind the word
	local ring
	[ "$1" = plain ] && return
	ring=$(echo "$OUT"/*.ring)
	if [ "$2" = on ]; then
		dd if="$ring" bs=1 skip=4100 count=4 status=none
	else
		head -c 4 /dev/zero
	fi | dd of="$ring" bs=1 seek=4096 conv=notrunc status=none
}

new_out
flipped plain
flipped traced
ok "recording switched off and on: results and errno" unchanged
"$BUILD/vprof" dump "$OUT"/*.ring >"$TMP/dump"
is "the rounds with recording on are in the ring, the other is not" \
	"$(grep -c 'cuLaunchKernel' "$TMP/dump")" $((2 * 603))

done_testing
