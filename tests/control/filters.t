#!/usr/bin/env bash
# VPROF_PROCS and VPROF_THREADS: who is recorded at all.
. tests/tap.sh
. tests/control/lib.sh

# ---- processes ----

# recorded PATTERNS [NAME=VALUE...]: how many of three launches.
recorded() {
	worker_start VPROF_PROCS="$@"
	tell launch 3
	tell show
	[ "$ANSWER" = "made 3 failed 0" ] || echo "$ANSWER"
	[ -z "$(ring)" ] && echo none || launches
	worker_end
}

is "no pattern: all" "$(recorded '')" 3
is "by its name" "$(recorded 'worker')" 3
is "by a pattern on its name" "$(recorded 'nobody,w?rk*')" 3
is "by any part of its command line" "$(recorded 'control/work')" 3
is "a part with a pattern in it" "$(recorded 'cont*/work')" 3
is "another process has no ring" "$(recorded 'nobody,EngineCore')" none
is "and nothing to say" "$(cat "$TMP/said")" ""
is "a list of nothing fits nobody" "$(recorded ',')" none

worker_start VPROF_PROCS=EngineCore
tell launch 2
tell fork 'name VLLM::EngineCor; launch 5'
other=$(child)
tell fork 'launch 5'
no=$(child)
kill -9 "$other" "$no"
is "a child is judged anew" "$(ring "$other"; ring "$no")" ""
worker_end
worker_start VPROF_PROCS='VLLM::Engine*'
tell launch 2
tell fork 'name VLLM::EngineCor; launch 5'
child=$(child)
is "and recorded, by its own name" "$(launches_of "$child" 5)" 5
is "though its parent is not" "$(ring)" ""
kill -9 "$child"
worker_end

# ---- threads ----

worker_start VPROF_THREADS='engine,copy*'
tell launch 2
tell elsewhere 'name engine; launch 3'
tell elsewhere 'name copy-7; launch 4'
tell elsewhere 'name copier; launch 5'
is "threads by their names" "$(launches)" 7
tell elsewhere 'launch 1000; name engine; launch 3000'
got=$(launches)
ok "a name that comes late is seen after a while ($got)" test "$got" -ge $((7 + 1976)) -a "$got" -le $((7 + 3000))
tell elsewhere 'name engine; launch 3; name other; launch 4'
is "who has been chosen stays" "$(launches)" $((got + 7))
ctl stop
ctl start launches=10
tell elsewhere 'name other; launch 20'
tell elsewhere 'name engine; launch 20'
is "a limit on launches counts those that are recorded" "$(launches)" $((got + 17))
ctl mark text=still
is "marks from outside come all the same" "$("$BUILD/vprof" dump "$(ring)" | grep -c '(mark)')" 1
worker_end
is "the threads that have a lane" "$("$BUILD/vprof" dump "$(ring)" | awk '/cuLaunchKernel/ { print $4 }' | sort -u | paste -sd,)" \
	"copy-7,engine"
done_testing
