#!/usr/bin/env bash
# Twins that have gone, and whose blocks are another's.
. tests/tap.sh
. tests/gputime/lib.sh

export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=sample:2

# begin NAME: the program, to be told what to do; end: it ends, and its result is in $word.
begin() {
	ring=$1
	mkdir "$TMP/$1"
	coproc CLIENT { VPROF_OUT=$TMP/$ring LD_PRELOAD=$BUILD/libvprof.so timeout 300 "$BUILD/gputime/room" 2>&1; }
}
end() {
	local client=$CLIENT_PID answers=${CLIENT[0]} lines=${CLIENT[1]}
	exec {answers}<&0 {lines}>&-
	wait "$client"
}
# tell COMMAND...: and when it is done, what else the program says.
tell() {
	local line
	echo "$*" >&"${CLIENT[1]}"
	while read -r line <&"${CLIENT[0]}" && [ "$line" != done ]; do echo "$line"; done
}
dump() { "$BUILD/vprof" dump "$@" "$TMP/$ring"/*.ring; }
# stamped G: of its launches; twins G: how many were made of it, in all
stamped() { dump | grep 'cuGraphLaunch' | grep -c "graph=$(($1 + 1)) .*flags=0x2[0-9a-f] "; }
twins() {
	dump --defs | awk -v n="number=$(($1 + 1))" '$3 == "graph" && $5 == n { own["graph=" $2] = 1 }
		$3 == "twin" && own[$5] && / why=0 / && / first=0 / { count++ } END { print count + 0 }'
}
has() { [ "$(twins "$1")" -ge "$2" ]; }
# launched_until S A B CONDITION...: each of the graphs, some times on that stream
launched_until() {
	tell launch "$2" "$3" "$1" 2
	tell wait "$1"
	"${@:4}"
}
has_all() { [ "$(dump --defs | grep -c ' twin - .* why=0 .* first=0 ')" -ge "$1" ]; }
fill() { until_true launched_until 0 "$1" "$2" has_all "$3"; }
# A launch to a twin is the last one of graph G.
on_twin() {
	local before
	before=$(stamped "$1")
	tell launch "$1" "$1" "$2" 1
	[ "$(stamped "$1")" -gt "$before" ]
}
# ---- whose block it was ----

# What `waits` says: not often.
few() { [ "${1#waited }" -lt 100 ]; }

# 1 was on a twin, whose area is blank now, and another's.
export VPROF_GPU_TWINS=4
begin update
tell make 0 0 1
tell make 1 2 60
fill 0 1 2
until_true on_twin 1 0
tell wait 0
sleep 0.2
tell update 1
tell destroy 0
sleep 0.2
tell launch 2 2 0 4
until_true has 2 1
waited=$(tell waits 1 1)
ok "a graph is updated, and on another stream then: nothing is waited for ($waited)" few "$waited"
end

# The same where its twins, of two parts, gave way to another's: whose areas they had are of a third's then.
export VPROF_GPU_TWINS=3 VPROF_GPU_PARTS=2
begin evicted
tell make 0 1 1
tell make 2 2 60
tell make 3 3 1
tell make 4 4 60
fill 0 2 4
tell launch 0 1 0 100
until_true on_twin 2 0
tell wait 0
sleep 0.2
until_true launched_until 0 3 3 has 3 1
tell destroy 0
tell destroy 1
sleep 0.2
tell launch 4 4 0 4
until_true has 4 2
waited=$(tell waits 2 1)
ok "a graph has given way, and is on another stream then: nothing is waited for ($waited)" few "$waited"
end
done_testing
