#!/usr/bin/env bash
# The first driver call of a program in a state that few are in: it comes back, in time and with
# the same result, and nothing is lost on the way (states.c tells the states).
. tests/tap.sh
. tests/safety/lib.sh

launches() { "$BUILD/vprof" dump "$OUT"/*.ring 2>&1 | grep -c cuLaunchKernel; }

# state NAME LAUNCHES SURROUNDINGS...
state() {
	run_both "${@:3}" timeout -s KILL 300 "$PROGRAMS/states" "$1"
	ok "$1: output and exit status" unchanged
	[ "$2" = none ] || is "$1: launches recorded" "$(launches)" "$2"
}

state cancelled 20
ok "cancelled: nothing on stderr" test ! -s "$TMP/traced.err"
state unwound 10
ok "unwound: what the frames clean up is cleaned up" grep -q 'cleaned 1' "$TMP/traced.out"
state no-memory none
is "no-memory: one line says why" "$(grep -c 'cannot allocate memory$' "$TMP/traced.err")" 1
is "no-memory: one line" "$(wc -l <"$TMP/traced.err")" 1
echo content >"$TMP/file"
state full-stderr none VPROF_OUT="$TMP/file"
state dead-stderr none VPROF_OUT="$TMP/file"
state sandbox 10
state old-errno 10
state tls 10
ok "tls: a housekeeping thread" test ! -s "$TMP/traced.err"
done_testing
