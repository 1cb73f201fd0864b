#!/usr/bin/env bash
# A limit on launches is kept exactly, whatever the number of threads.
. tests/tap.sh
. tests/control/lib.sh

# How the newest window ended, and with how many launches.
limited() { ctl show | tail -1 | cut -d' ' -f2-3,8-9; }

MB=64
worker_start VPROF_CAPTURE=off
tell launch 3
ctl start launches=10
tell launch 7
is "not yet" "$(launches)" 7
is "the window is open" "$(windows)" "request open"
tell launch 7
is "ten and no more" "$(launches)" 10
becomes "the limit ended the window" "request launches" windows
tell hammer 8
total=10
for n in 1 2 7 100 1000 50000; do
	ctl start launches=$n
	total=$((total + n))
	becomes "eight threads without pause: $n" "request launches launches $n" limited
	# One too many may be recorded later: it is one too many in the next round, and at the end.
	becomes "and that is what is recorded" $total launches
done
tell rest
tell show
is "the program's launches are its own affair" "${ANSWER#* * }" "failed 0"
is "and none of them was recorded too many" "$(launches)" $total

ctl start launches=100
tell launch 10
ctl start
tell launch 200
ctl stop
is "another start makes the limit void" "$(launches)" $((total + 210))
ctl start launches=100
tell launch 10
ctl stop
ctl word=1535
tell launch 200
ctl word=0
is "so does a stop" "$(launches)" $((total + 420))
worker_end

# A launch that is under way when the limit is set, in a process that records: held up for 70 ms, in which the limit
# has to come. The window before it tells whether it did; if not, once more.
for _ in $(seq 20); do
	LIBRARY=$BUILD/test/libvprof.so worker_start VPROF_TESTPOINT=launch_taken:3:70
	tell launch 3
	ctl start launches=1000
	before=$(launches)
	tell launch 2
	ask launch 1
	sleep 0.003
	ctl start launches=5
	answer launch 1
	tell launch 10
	until_true says "request launches launches 5" limited
	[ "$(ctl show | tail -2 | head -1 | cut -d' ' -f8-9)" != "launches 2" ] || break
	worker_end
done
is "one that is under way when a limit is set is not in its window" "$(limited) $(($(launches) - before - 2))" \
	"request launches launches 5 5"
worker_end
done_testing
