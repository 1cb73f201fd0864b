#!/usr/bin/env bash
# Which graphs have twins where not all can have some: who gives way, who keeps what it has, and who waits for whom.
. tests/tap.sh
. tests/gputime/lib.sh

export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=sample:2

# begin NAME: the program, to be told what to do; end: it ends.
begin() {
	ring=$1
	mkdir "$TMP/$1"
	coproc CLIENT { VPROF_OUT=$TMP/$ring LD_PRELOAD=$BUILD/libvprof.so timeout 300 "$BUILD/gputime/room" 2>&1; }
}
end() {
	local client=$CLIENT_PID lines=${CLIENT[1]} last
	exec {lines}>&-
	read -r last <&"${CLIENT[0]}"
	is "$ring: what was launched has run" "$last" "all have run"
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
# first_of A B: of which of the two a twin was made first
first_of() {
	dump --defs | awk -v a="number=$(($1 + 1))" -v b="number=$(($2 + 1))" '
		$3 == "graph" && ($5 == a || $5 == b) { own["graph=" $2] = substr($5, 8) - 1 }
		$3 == "twin" && own[$5] != "" && / why=0 / { print own[$5]; exit }'
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
# stamped_of G N: of so many launches how many are stamped
stamped_of() {
	local before
	before=$(stamped "$1")
	tell launch "$1" "$1" 0 "$2"
	tell wait 0
	echo $(($(stamped "$1") - before))
}

# ---- who gives way ----

# All 256 places are taken: one by 0, two by 1, one by each of the others. 0 and 1 are launched little; 1 may not go, as
# it is at work. So there cannot be two places for 255.
export VPROF_GPU_TWINS=256 VPROF_GPU_PARTS=2
begin give
tell make 0 0 1
tell make 1 1 40
tell make 2 254 1
tell make 255 255 40
fill 0 254 256
is "all places are taken" "$(twins 0) $(twins 1)" "1 2"
tell launch 2 254 0 100
tell wait 0
tell hold 1
until_true on_twin 1 1
for _ in $(seq 30); do
	tell launch 255 255 0 4
	sleep 0.02
done
ok "where not enough would give way nobody does" test "$(stamped_of 0 8)" -ge 3
is "nor is there a twin" "$(twins 255)" 0
tell go
ok "when one that is launched little may go there is" until_true launched_until 0 255 255 has 255 2
ok "and one that need not go for that stays" test "$(stamped_of 0 8)" -ge 3
is "by the twin that it has" "$(twins 0)" 1
is "the other one's went" "$(stamped_of 1 8)" 0
end

# A driver that takes 8 KiB for each node: what one more would take is not there, but nearly.
unset VPROF_GPU_TWINS VPROF_GPU_PARTS
export FAKECUDA_NODE_BYTES=8192
begin memory
tell make 0 64 20
is_refused() { dump --defs | grep -q ' twin - .* why=7 '; }
until_true launched_until 0 0 63 is_refused
ok "one that is launched most has the memory of another" until_true launched_until 0 64 64 has 64 1
unset FAKECUDA_NODE_BYTES
end

# why REASON: has a graph no twin because of that?
why() { dump --defs | grep -q " twin - .* why=$1 "; }

# 48 MiB are free before the library has taken any, and later when it has a twin.
export FAKECUDA_MEMORY=$((256 << 20))
begin short
tell make 0 1 4
tell take $((208 << 20))
ok "where little of the device's memory is free none is taken" until_true launched_until 0 0 0 why 14
is "which is no twin" "$(twins 0) $(dump --defs | awk '$3 == "gpu"' | wc -l)" "0 0"
tell give
ok "when more is free there is one" until_true launched_until 0 0 0 has 0 1
tell take $((208 << 20))
ok "and no other one while it is not" until_true launched_until 0 1 1 eval 'dump --defs | grep -c " why=14 " | grep -qx 2'
is "nor is there one" "$(twins 1)" 0
ok "the one that there is has its turn" until_true on_twin 0 0
end
unset FAKECUDA_MEMORY

# 65 graphs of 4000 nodes: 256 Ki are remembered.
begin clones
tell make 0 65 4000
until_true launched_until 0 65 65 why 13
ok "beyond so many nodes no graph is remembered" why 13
is "none of those before" "$(tell launch 0 64 0 2; dump --defs | grep -c ' why=13 ')" 1
tell destroy 0
tell make 65 65 4000
# Made anew it is the 67th.
ok "one that goes makes room" until_true launched_until 0 65 65 has 66 1
end

# ---- who waits ----

# Of 0 and 1 launches are on their way when they go, so that their places are not free yet; that of 2 is. 3 wants two.
export VPROF_GPU_TWINS=256 VPROF_GPU_PARTS=2
begin wait
tell make 0 2 1
tell make 3 3 40
tell make 4 4 1
tell make 5 257 1
fill 0 2 3
fill 5 257 256
tell hold 1
until_true on_twin 0 1
until_true on_twin 1 1
for g in 0 1 2; do tell destroy $g; done
sleep 0.2
tell launch 3 3 0 8
sleep 0.2
tell launch 4 4 0 4
ok "while one waits for its places another has its own" until_true has 4 1
is "and not behind it" "$(first_of 3 4)" 4
tell go
ok "who has waited has them then" until_true has 3 2
end

# ---- who keeps what it has ----

# From one part to two, for which there is no place.
export VPROF_GPU_TWINS=256
unset VPROF_GPU_PARTS
begin keep
tell make 0 0 64
tell make 1 255 1
fill 0 255 256
tell launch 1 255 0 200
tell wait 0
rate keep 1
for _ in $(seq 20); do
	tell launch 0 0 0 2
	sleep 0.02
done
is "another rate, and no room for as many parts: none are made" "$(twins 0)" 1
ok "and those of before have their turn" test "$(stamped_of 0 20)" -ge 16
tell destroy 1
ok "when there is room they are made" until_true launched_until 0 0 0 has 0 3
ok "and have their turn" until_true on_twin 0 0
end

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

# ---- what must not overtake a twin ----

unset VPROF_GPU_TWINS VPROF_GPU_PARTS
# Recording stops while a twin alone waits behind what holds its stream.
VPROF_GPU=all begin stopped
tell make 0 0 4
fill 0 0 1
until_true on_twin 0 0
tell wait 0
tell hold 0
until_true on_twin 0 0
"$BUILD/vprof" stop "$TMP/stopped" >/dev/null
before=$(tell ran)
tell launch 0 0 1 1
sleep 0.3
is "recording has stopped: a launch on another stream does not overtake it" "$(tell ran)" "$before"
tell go
"$BUILD/vprof" start "$TMP/stopped" >/dev/null
ok "recording goes on, and stamps" until_true on_twin 0 0
end

# ---- what goes while a twin is made ----

# The system calls in which our thread is, and those of the fake driver that it made: it sleeps in the driver's delay.
at_calls() {
	local tasks
	tasks=/proc/$(basename "$TMP/$ring"/*.ring | awk -F. '{ print $(NF - 2) }')/task
	grep -lx 'vprof gpu' "$tasks"/*/comm | sed 's/comm$/syscall/' | xargs cut -d' ' -f1
}
asleep() { at_calls | grep -qxE '35|230'; }
stays() { for _ in $(seq 10); do "$@" || return; done; }
export FAKECUDA_DELAY=cuGraphUpload:1500000000
begin going
tell make 0 1 4
tell launch 0 0 0 8
if until_true at_calls; then
	until_true asleep
	tell wait 0
	tell destroy 0
	ok "a graph is destroyed when its twin is made, and not before" not stays asleep
	tell launch 1 1 0 8
	until_true asleep
	tell unload
	ok "functions go when a twin is made, and not before" not stays asleep
else
	echo "# what threads are at may not be seen here"
fi
unset FAKECUDA_DELAY
end
done_testing
