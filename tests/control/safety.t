#!/usr/bin/env bash
# Controllers that die, lie, come at once or write garbage; processes that are stopped, fork, or have no
# thread of ours: what the program does is never changed, and control goes on.
. tests/tap.sh
. tests/control/lib.sh

word() { ctl show | sed -n 's/^word \([0-9]*\) .*/\1/p'; }
lost() { ctl show | sed -n 's/^word.* lost \([0-9]*\) .*/\1/p'; }

# ---- controllers ----

MB=64
worker_start VPROF_CAPTURE=off
tell launch 1
ctl half 2>/dev/null
ctl start
tell launch 2
is "one that was killed in mid-write: the next takes its lock over" "$(launches)/$(lost)" 2/0
ctl lock=$$
ctl stop
tell launch 2
is "so does one whose lock a living process does not give back" "$(launches)/$(lost)" 2/0
ctl torn
ctl stale
ctl verb=99
ctl verb=0
is "a torn request, one that is not there, verbs that are none: counted" "$(lost)" 4
ctl start groups=0xf0000000
is "so are groups that are none" "$(lost)/$(word)" 5/0
ctl start
tell launch 3
is "and requests are obeyed as before" "$(launches)" 5
before=$(ctl show | sed -n 's/.*serial \([0-9]*\) lost.*/\1/p')
ctl stop
ctl bell=1879048192
sleep 0.05
ctl bell=$((before - 1))
sleep 0.05
ctl bell=$before
sleep 0.1
is "garbage in the bell does not bring back what was asked long ago" "$(word)" 0
ctl start
is "and does not keep anybody from asking" "$(word)" 1535

many() { for ((k = 0; k < 100; k++)); do "$BUILD/control/ctl" "$1" "$2" at=-1 || return 1; done; }
lost=$(lost)
many "$(ring)" start & one=$!
many "$(ring)" stop & two=$!
wait $one && wait $two
ok "two controllers at once: each request is taken up" test $? = 0
is "and none is lost" "$(lost)" "$lost"

# ---- garbage in every byte ----

tell hammer 4
for ((round = 0; round < 40; round++)); do
	timeout 20 "$BUILD/control/ctl" "$(ring)" garbage $round 2000
	sleep 0.01
done
# A STOP forgets a START for some day, and ends what garbage has begun.
ctl stop
tell rest
tell show
is "garbage: the program's calls are as without" "${ANSWER#* * }" "failed 0"
ok "the process lives" kill -0 "$PID"
ok "vprof dump reads the ring" "$BUILD/vprof" dump --last 1ms "$(ring)"
ctl start
before=$(launches)
tell launch 5
is "requests are obeyed as before" "$(launches)" $((before + 5))
ctl stop
is "and windows have an order" "$(ctl show | grep -c '^window [a-z]* [a-z]* ')" 32
worker_end

# ---- the process ----

worker_start VPROF_CAPTURE=off
tell launch 1
kill -STOP "$PID"
ctl send start
ctl send mark text=while
sleep 0.1
is "a process that is stopped is not waited for" "$(word)" 0
kill -CONT "$PID"
becomes "and obeys when it goes on" 1535 word
tell launch 2
is "at once" "$(launches)" 2
marks() { "$BUILD/vprof" dump "$(ring)" | grep -c '(mark)'; }
becomes "in order, with marks" 1 marks
ctl stop

ctl start launches=5
tell launch 2
tell fork launch 20
child=$(child)
tell launch 10
# A ring's file is there before what it begins with is.
ready() { "$BUILD/control/ctl" "$(ring "$1")" show >"$TMP/ready" 2>&1; }
limited() { ctl show | tail -1 | cut -d' ' -f2-3,8-9; }
becomes "a limit is the parent's, whatever its child does" "request launches launches 5" limited
until_true ready "$child"
is "the child has a ring of its own, with what the variable says" "$(launches "$child")" 0
"$BUILD/control/ctl" "$(ring "$child")" start
is "and obeys by itself" "$("$BUILD/control/ctl" "$(ring "$child")" show | sed -n 's/^word \([0-9]*\).*/\1/p')/$(word)" 1535/0
kill -9 "$child"

tell _Fork "context; launch 20"
child=$(child)
until_true ready "$child"
"$BUILD/control/ctl" "$(ring "$child")" start
is "a child that _Fork() made, of a parent that records nothing, has one too, and obeys" \
	"$(launches "$child")/$("$BUILD/control/ctl" "$(ring "$child")" show | sed -n 's/^word \([0-9]*\).*/\1/p')/$(word)" 0/1535/0
kill -9 "$child"
worker_end

# ---- a thread that has lost its processor while it switches ----

for at in "window_held bytes=20000" "window_held launches=5" "capture_switched launches=5"; do
	limit=${at#* }
	LIBRARY=$BUILD/test/libvprof.so worker_start VPROF_CAPTURE=profiler "VPROF_TESTPOINT=${at% *}:1:60"
	tell launch 1
	ask pstart
	until_true says 1535 word
	ctl start $limit
	answer pstart
	tell launch 500
	until_true says "request ${limit%=*}" window
	is "another thread is about to write a window, or has: a start waits for that, and its limit is kept" \
		"$(windows)/$(lost)" "profiler request,request ${limit%=*}/0"
	worker_end
done
LIBRARY=$BUILD/test/libvprof.so worker_start VPROF_CAPTURE=profiler VPROF_TESTPOINT=window_held:1:5000
tell launch 1
ask pstart
until_true says 1535 word
ctl start bytes=20000
is "but not for ever: then the start is counted as lost, and the word holds" "$(word)/$(lost)" 1535/1
ctl stop
is "a stop too" "$(word)/$(lost)" 0/1
answer pstart
worker_end

# ---- without a housekeeping thread ----

WORLD=1 worker_start VPROF_CAPTURE=off WORLD=threads
tell launch 1
is "no thread can be made: a line says so" "$(grep -c 'no housekeeping thread' "$TMP/said")" 1
ctl word=1535
tell launch 3
ctl word=0
tell launch 4
is "the word is obeyed all the same" "$(launches)" 3
worker_end

# ---- the time of day jumps ----

WORLD=1 worker_start VPROF_CAPTURE=off WORLD=clock
tell launch 1
ctl start at=50 for=100
until_true says "request time" windows
tell launch 1
ctl start for=50
becomes "the clock jumps by hours: stamps and times are kept" "request time,request time" windows
# The first goes by its stamp, from which the machine may have kept it for a while.
is "for what was asked, or what the machine needs" \
	"$(ctl show | sed -n 's/.* ms \([0-9]*\).*/\1/p' | awk '{ want = NR == 1 ? 0 : 50; if ($1 < want - 1 || $1 > want + 5000) print "not", want, $1 }')" ""
worker_end
is "control knows no other clock" "$(grep -lE 'CLOCK_REALTIME|gettimeofday' preload/{control,windows,launches,capture,housekeeping}.c preload/{control,capture}.h)" ""
done_testing
