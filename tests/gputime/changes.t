#!/usr/bin/env bash
# Nodes that the program sets in its executable graph are set in the twin: results are what they are without, and
# launches stay stamped.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda
changes=$BUILD/gputime/changes

. tests/gputime/lib.sh

# timed WHAT EVERY N: what the ring has of it, and whether the program did what it does without the library. MADE: how
# many twins there have to be each time that the program halts.
timed() {
	VPROF_GPU=sample:2 halting "$1" has_twins "${MADE-1}" "$changes" "$@" 300
	look "$1" launches >/dev/null
	is "$1: each launch does what it does without" "$(cat "$TMP/$1.out")" "$(cat "$TMP/$1.plain")"
	is "$1: each replay is of a stamped launch, and all are collected" \
		"$(seen "$1" wrong) $(seen "$1" replays) $(seen "$1" lost)" "0 $(seen "$1" stamped) 0"
}
for what in none kernel kernel1 any copy fill host event; do
	timed "$what" 9 600
	ok "$what: launches are stamped all along" test "$(seen "$what" stamped)" -gt 100
	ok "$what: by one twin, two at most" test "$(seen "$what" twins)" -le 2
	is "$what: none is refused" "$(seen "$what" refused)" ""
done

# What the ring says of the node changes with it: another definition, and another twin. So has another child graph.
for what in function shape child; do
	MADE='1 2 3 4 5 6' timed "$what" 101 600
	ok "$what: launches are stamped all along" test "$(seen "$what" stamped)" -gt 100
	ok "$what: by other twins" test "$(seen "$what" twins)" -ge 4
done
"$BUILD/gputime/list" "$TMP"/function/*.ring >"$TMP/list"
is "function: each time is that of the kernel that ran" \
	"$(awk -F '\t' '{ ns = substr($6, 8) - substr($5, 8) } $2 ~ /spin_20us/ { print (ns > 20490 && ns < 20890 ? "right" : "wrong") }
	$2 ~ /spin_10us/ { print (ns > 10490 && ns < 10890 ? "right" : "wrong") }' "$TMP/list" | sort -u)" right

timed off 101 600
ok "off: none while a node is off" test "$(seen off gaps | awk '{ print $NF }')" -gt 90
ok "off: and again when it is on" test "$(seen off stamped)" -gt 40
is "off: which is said" "$(seen off refused)" 10
timed foreign 101 600
is "foreign: what cannot be followed ends it" "$(seen foreign refused)" 10
done_testing
