#!/usr/bin/env bash
# A limit by steps is counted in the process: so many whole ones are recorded, and the window says how many.
. tests/tap.sh
. tests/control/lib.sh

# start KIND GAP_US: a program in the background that goes on until it is stopped.
start() {
	rm -rf "$TMP/out"
	env LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="$BUILD/libvprof.so" FAKECUDA_INSTANT=1 VPROF_RING_AT=out \
		VPROF_RING_MB=16 VPROF_OUT="$TMP/out" VPROF_FACTS=0 "$BUILD/steps/loops" "$1" 0 "$2" 2>"$TMP/said" &
	PID=$!
	until_true has_begun
}
has_begun() { ring && [ "$("$BUILD/vprof" dump "$(ring)" | wc -l)" -gt 300 ]; }
end() { kill -9 "$PID"; wait "$PID" 2>/dev/null; }
last_window() { ctl show | tail -1; }
word_of() { last_window | sed -n "s/.* $1 \([0-9]*\).*/\1/p"; }
# Until the newest window has an end.
settle() {
	until_true is_settled
}
is_settled() { last_window | grep -q 'request steps'; }
found() { "$BUILD/vprof" steps --json "$(ring)" | grep -c '"step":'; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "$1 is not in $2 to $3"; return 1; }; }

for kind in train serve piecewise; do
	start "$kind" 5000
	ctl stop
	sleep 0.3
	earlier=$(found)
	ctl start steps=10
	ok "$kind: the limit ends the window" settle
	is "$kind: after ten steps" "$(word_of steps)" 10
	# What was under way at the beginning is none; one more may have begun before it was known that ten were over.
	ok "$kind: ten whole ones are in the ring, and little more" between $(($(found) - earlier)) 10 13
	before=$("$BUILD/vprof" dump "$(ring)" | wc -l)
	sleep 0.1
	is "$kind: and nothing after them" "$("$BUILD/vprof" dump "$(ring)" | wc -l)" "$before"
	ctl start steps=3
	ok "$kind: again, three" settle
	is "$kind: as the window says" "$(word_of steps)" 3
	end
done
start plain 1000
ctl start steps=30
ok "a loop that only waits" settle
ok "counts from its 24th turn on" between "$(word_of steps)" 30 31
end
start unwaited 1000
ctl start steps=1
sleep 0.5
ok "a program without steps never reaches the limit" test "$(last_window | cut -d' ' -f2-3)" = "request open"
ctl stop
is "and is stopped as any other" "$(last_window | cut -d' ' -f2-3)" "request request"
end
start two 4000
ctl start steps=20 groups=1
ok "what is needed to count is recorded, whatever was asked for" settle
is "steps of two threads count together" "$(word_of steps)" 20
end
done_testing
