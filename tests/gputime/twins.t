#!/usr/bin/env bash
# Graphs are timed by twins: the program is the same with them, and the ring says which launches were stamped.
. tests/tap.sh

GAUGES=6 # stamps of gauges, three each

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda
client=$BUILD/gputime/client

. tests/gputime/lib.sh

# timed NAME GPU VERB ARGUMENT...: its ring as seen.py has it, its output, and that of the program without the library.
# At three quarters of each row of launches the program halts; MADE says how many twins there have to be when it goes on.
timed() {
	VPROF_GPU=$2 halting "$1" has_twins "${MADE-1}" "$client" "${@:3}"
	timed_well "$1"
}
timed_well() {
	local name=$1
	look "$name" launches >/dev/null
	is "$name: the program does what it does without" "$(cat "$TMP/$name.out")" "$(cat "$TMP/$name.plain")"
	is "$name: each replay is of a stamped launch" "$(seen "$name" wrong)" 0
}

MADE='' timed off off chain 100 200
is "off: nothing is stamped" "$(seen off stamped) $(seen off twins)" "0 0"
timed sample sample:4 chain 1600 300
ok "sample:4: launches are stamped" test "$(seen sample stamped)" -gt 50
is "one in four" "$(seen sample gaps)" 4
is "all of them are collected" "$(seen sample replays) $(seen sample lost)" "$(seen sample stamped) 0"
is "each with a stamp behind each node" "$(seen sample stamps)" $(((5 + GAUGES) * $(seen sample replays)))
is "by one twin" "$(seen sample twins)" 1
is "what stamps cost is measured, in graphs and on streams" "$(seen sample measured)" "1 2 6 7"
ok "the GPU's clock is tied to the host's" test "$(seen sample ties)" -ge 1
"$BUILD/gputime/list" "$TMP"/sample/*.ring >"$TMP/list"
is "kernels took what they took" \
	"$(awk -F '\t' '$2 ~ /spin_20us/ { ns = substr($6, 8) - substr($5, 8); print (ns < 20490 ? "short" : (ns > 20890 ? "long" : "right")) }' "$TMP/list" |
	sort | uniq -c | awk '{ print $2 }')" right
is "none began before its launch, and none was left out" "$(sed -n 's/.*\(no_stamp=[0-9]*\).*\(no_launch=[0-9]*\) \(early=[0-9]*\).*/\1 \2 \3/p' "$TMP/list")" \
	"no_stamp=0 no_launch=0 early=0"
(unset VPROF_GPU; halting unasked has_twins 1 "$client" chain 1600 300)
timed_well unasked
is "one in 64, if nothing is said" "$(seen unasked gaps)" 64
(unset VPROF_GPU; halting seldom has_twins 1 "$client" chain 100 300)
timed_well seldom
ok "seldom: a graph that is launched a hundred times is timed as well" test "$(seen seldom stamped)" -ge 1
for launches in 23 24; do
	(unset VPROF_GPU; halting "first$launches" has_twins 1 "$client" chain "$launches" 300)
	look "first$launches" launches >/dev/null
	is "a graph of $launches launches" "$(seen "first$launches" stamped)" $((launches / 24))
done
timed all all chain 1200 500
is "all: each launch from the first stamped one on" "$(seen all gaps)" 1
ok "all: most of them" test "$(seen all stamped)" -gt 150

# An edge that the program made programmatic.
timed programmatic all programmatic 800 400
is "programmatic: by one twin, and all is collected" "$(seen programmatic twins) $(seen programmatic refused) $(seen programmatic lost)" "1  0"
"$BUILD/gputime/list" "$TMP"/programmatic/*.ring >"$TMP/list"
is "a stamp behind each node, and one tells when it was started" "$(seen programmatic stamps)" $(((5 + 1 + GAUGES) * $(seen programmatic replays)))
is "what that leads to, and nothing else, is inherited" "$(awk -F '\t' '$10 == "inherited" { print $4 }' "$TMP/list" | sort -u)" 1
is "what it leads to has its own time" "$(awk -F '\t' '$2 ~ /spin_10us/ && $4 == 1 { ns = substr($6, 8) - substr($5, 8); print (ns > 10490 && ns < 10890 ? "right" : "wrong") }' "$TMP/list" | sort -u)" right

# Far more are queued than a twin has blocks, fifty of 3 ms.
# On a busy machine the thread that collects them comes late at times, which is counted; not each time.
for _ in $(seq 10); do
	VPROF_GPU=all VPROF_GPU_PARTS=1 halting burst has_twins 1 "$client" burst 400 300 2
	[ "$(look burst lost)" != 0 ] || break
done
timed_well burst
is "hundreds at once: each launch is stamped" "$(seen burst gaps) $(($(seen burst stamped) >= 800))" "1 1"
is "and each is collected" "$(seen burst replays) $(seen burst lost)" "$(seen burst stamped) 0"
is "with all stamps" "$(seen burst stamps)" $(((300 + GAUGES) * $(seen burst replays)))
# twins_of GPU NODES WANTED: how many twins a graph of so many nodes has.
twins_of() {
	VPROF_GPU=$1 halting divided has_twins "$3" "$client" burst 100 "$2" 2
	look divided twins
}
is "each launch of 64 nodes is timed: in two parts" "$(twins_of all 64 2)" 2
is "of 63: as one" "$(twins_of all 63 1)" 1
is "one launch in two of 64: as one" "$(twins_of sample:2 64 1)" 1
# parts NAME: of its twins, a line each.
parts() { "$BUILD/vprof" dump --defs "$TMP/$1"/*.ring | sed -n 's/.*\(part=[0-9]* parts=[0-9]*\).*/\1/p'; }
# The second part is a second in the making, from when the first is told of.
between_parts() {
	has_twins "$1" "$2" || return
	rate "$1" 64
	until_true has_twins "$1" 2
}
FAKECUDA_DELAY=cuGraphClone:1000000000 VPROF_GPU=all halting between between_parts 1 "$client" burst 100 64 2
is "another rate comes between the two: they are of two parts" \
	"$(parts between | head -2 | xargs)" "part=0 parts=2 part=1 parts=2"
# While launches are queued.
other_rate() { has_twins "$1" 1 && rate "$1" "$2"; }
VPROF_GPU=sample:2 halting hurried other_rate 1 "$client" burst 400 64 4
timed_well hurried
is "another rate while hundreds are queued: all is collected" "$(seen hurried lost) $(seen hurried replays)" "0 $(seen hurried stamped)"
# Fewer launches than there are records in a chunk: the first of another is looked at in any case. One in a thousand million
# would be the next turn.
rate_and_time() { rate "$1" "$2" && sleep 0.5; }
VPROF_GPU=sample:1000000000 halting counting rate_and_time 2 "$client" chain 200 20000
timed_well counting
ok "another rate while a launch is counted down to: from the next on" test "$(seen counting stamped)" -gt 0
# While the first launch asks whether its stream is captured.
rate_at_launch() {
	until "$BUILD/vprof" dump --defs "$TMP/$1" 2>"$TMP/err" | grep -q 'graph - number=1'; do sleep 0.02; done
	rate "$1" "$2"
}
rate_at_launch counted 2 &
FAKECUDA_DELAY=cuStreamIsCapturing:1500000000 timed counted sample:1000000000 chain 24 1000
ok "or while a launch sets the count for the one before" test "$(seen counted stamped)" -gt 0
VPROF_GPU_PARTS=1 timed queue all burst 2500 5 3
ok "more than may wait: some go without" test "$(seen queue lost)" -gt 500
ok "which is counted" test $(($(seen queue lost) + $(seen queue stamped))) -gt 7400
is "and told" "$("$BUILD/vprof" info "$TMP/queue" | awk '$1 == "lost" { print $2, $3 }')" "$(seen queue lost) stamps"

MADE='1 2 3' timed update sample:4 update 1200 300
ok "an update has a twin of its own" test "$(seen update twins)" -ge 2
is "and all is collected" "$(seen update replays) $(seen update lost)" "$(seen update stamped) 0"
# Looking at an update takes 5 ms at least here, so after eight of them the next one is looked at 0.5 s later.
FAKECUDA_DELAY=cuGraphClone:5000000 MADE='1 2' timed often sample:4 often 800 300
is "often: that updates are not looked at is said" "$(seen often refused)" 12
ok "often: what is looked at again has a twin" test "$(seen often twins)" -ge 2
is "often: and all is collected" "$(seen often replays) $(seen often lost)" "$(seen often stamped) 0"
is "often: it is not said again and again" "$("$BUILD/vprof" dump --defs "$TMP/often" | sed -n 's/.* twin .* why=\([0-9]*\) .*/\1/p' | uniq -c | grep -c '[2-9] 12$')" 0
MADE='1 2' timed change sample:4 change 800 400
is "a graph whose node is set has another" "$(seen change twins) $(seen change refused)" "2 "
MADE='1 2' timed renew sample:4 renew 800 300
is "a graph at the handle of another has its own" "$(seen renew twins)" 2
MADE='' timed alloc sample:4 alloc 100 200
is "one that allocates has none" "$(seen alloc twins) $(seen alloc refused)" "0 1"
MADE='' timed ordered sample:4 ordered 800 400
is "one with an edge from a kernel's beginning: none" "$(seen ordered twins) $(seen ordered refused)" "0 11"
MADE='1 2' timed context sample:4 context 400 400
is "a context that goes takes its twin with it" "$(seen context twins)" 2

timed capture sample:2 capture 400 500
ok "beside another thread's capture" test "$(seen capture stamped)" -gt 20
timed captured sample:3 captured 600 400
ok "what is captured is not stamped, the rest is" test "$(seen captured stamped)" -gt 20

timed pairs sample:4 pairs 800 0
ok "in pairs: the second of a pair" test "$(seen pairs stamped)" -gt 50
ok "and the next stream has the program's own again ($(seen pairs gaps))" test "$(seen pairs gaps | cut -d ' ' -f 1)" -ge 4
timed heirs sample:2 heirs 800 400
ok "threads one after the other, in one lane" test "$(seen heirs stamped)" -gt 50
ok "each replay is its thread's: one in two of 200 at most" test "$("$BUILD/vprof" dump "$TMP"/heirs/*.ring |
	grep '(replay)' | grep -o 'thread=[0-9]*' | sort | uniq -c | sort -n | awk '{ n = $1 } END { print n }')" -le 100

# The previous launch was on the other stream, always: no launch may go to the twin.
MADE='' timed alternate sample:2 alternate 200 300
is "streams in turn: never" "$(seen alternate stamped)" 0
timed blocks sample:4 blocks 1200 300
ok "streams one after the other: some" test "$(seen blocks stamped)" -gt 30

MADE=3 VPROF_GPU_TWINS=3 timed few sample:2 many 8 40 300
is "VPROF_GPU_TWINS: so many and no more" "$(seen few twins) $(seen few execs)" "3 3"
MADE='1 1 2' VPROF_GPU_TWINS=1 timed late sample:2 late 3 40 600
is "one that comes to be launched most has the place of another" "$(seen late twins) $(seen late execs)" "2 2"
is "and who has none is told why" "$(seen late refused)" 7

# 32 graphs of eight parts have all the places there are.
MADE='256 264' VPROF_GPU_TWINS=256 VPROF_GPU_PARTS=8 timed crowd sample:2 crowd 33 128 8
is "all places taken by fewer graphs than may have twins: one gives way" "$(seen crowd twins) $(seen crowd execs)" "264 33"
is "and until it does who has none is told why" "$(seen crowd refused)" 7

# forever NAME VERB... PAUSE: launches until it is killed; its pid is in $pid
forever() {
	drop "$TMP/$1"
	mkdir "$TMP/$1"
	VPROF_OUT=$TMP/$1 VPROF_GPU=sample:2 LD_PRELOAD=$BUILD/libvprof.so "$client" "${@:2}" >/dev/null 2>&1 &
	pid=$!
}
killed() {
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || :
}
more() { [ "$(look "$1" "$2")" -gt "$3" ]; }

# A busy machine may keep the thread that collects from running just then; not each time.
for _ in $(seq 10); do
	forever killed forever 1000
	until_true more killed replays 100
	killed
	collected=$(look killed replays) missing=$(($(look killed stamped) - $(look killed replays)))
	[ "$missing" -gt 60 ] || break
done
ok "killed: what was stamped is there" test "$collected" -gt 100
ok "but for what one round of collecting has ($missing)" test "$missing" -le 60

forever switched forever 500
# stamps_no_more: of a hundred launches none
stamps_no_more() {
	local stamped launches
	stamped=$(look switched stamped) launches=$(seen switched launches)
	until_true more switched launches $((launches + 100))
	[ "$(seen switched stamped)" = "$stamped" ]
}
ok "on at the start" until_true more switched stamped 0
rate switched 0
ok "off: no more from then on" until_true stamps_no_more
off=$(seen switched stamped)
rate switched 5
ok "on again" until_true more switched stamped $((off + 20))
is "one in five" "$(seen switched gaps | tr ' ' '\n' | grep -cx 5)" 1
# Shorter than housekeeping sleeps.
python3 - "$TMP"/switched/*.ring <<'END'
import sys, time
with open(sys.argv[1], "r+b", buffering=0) as f:
    for gpu in (0, 5):
        f.seek(4096 + 16)
        f.write(gpu.to_bytes(4, "little"))
        time.sleep(0.003)
END
blinked=$(look switched stamped)
ok "and after a moment off" until_true more switched stamped $((blinked + 20))
killed
is "and the twin is the one that was there" "$(seen switched twins)" 1

# From one part to two and back.
forever divided long 64 1000
ok "one launch in two: one part" until_true has_twins divided 1
rate divided 1
ok "each launch: two" until_true has_twins divided 3
ok "and they are stamped" until_true more divided stamped $(($(look divided stamped) + 50))
rate divided 3
ok "one in three: one again" until_true has_twins divided 4
ok "which is stamped" until_true more divided stamped $(($(look divided stamped) + 20))
killed
is "of so many parts" "$(parts divided | xargs)" "part=0 parts=1 part=0 parts=2 part=1 parts=2 part=0 parts=1"
is "each replay is of a stamped launch" "$(look divided wrong)" 0
VPROF_GPU_PARTS=3 forever told long 64 1000
ok "where VPROF_GPU_PARTS says how many" until_true has_twins told 3
rate told 1
ok "launches are stamped at another rate" until_true more told stamped $(($(look told stamped) + 100))
killed
is "by the same twins" "$(look told twins)" 3

done_testing
