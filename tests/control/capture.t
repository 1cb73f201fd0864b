#!/usr/bin/env bash
# VPROF_CAPTURE: when a process records by itself, and how that goes with what is asked from outside.
. tests/tap.sh
. tests/control/lib.sh

# ---- always, off ----

worker_start
tell launch 2
is "always is the default" "$(launches)/$(windows)" "2/begin open"
ctl stop
tell launch 1
is "and can be stopped" "$(launches)/$(windows)" "2/begin request"
worker_end

worker_start VPROF_CAPTURE=off
tell launch 2
ok "off: there is a ring" test -n "$(ring)"
is "without launches" "$(launches)/$(windows)" "0/"
worker_end

worker_start VPROF_CAPTURE=sometimes
tell launch 2
is "a word that is none: always" "$(launches)" 2
is "and a line says so" "$(grep -c "VPROF_CAPTURE=sometimes is not always, off, profiler or range:PATTERN; always holds" "$TMP/said")" 1
worker_end
worker_start VPROF_CAPTURE=range:
tell launch 2
is "so is a range without a pattern" "$(launches)/$(grep -c "VPROF_CAPTURE=range:" "$TMP/said")" 2/1
worker_end

# ---- profiler ----

worker_start VPROF_CAPTURE=profiler
tell launch 1
is "profiler: not before a start" "$(launches)" 0
tell pstart
tell launch 2
tell elsewhere pstart
tell launch 3
tell pstop
tell launch 4
is "nested, from any thread: until the outermost stop" "$(launches)" 9
tell elsewhere pstop
tell launch 5
tell pstop
# A window that could not be written at once is written soon after.
seen() { echo "$(launches)/$(windows)"; }
becomes "and no longer" "9/profiler profiler" seen
tell pstart
tell launch 1
ctl stop
tell launch 6
is "a stop from outside wins" "$(launches)" 10
tell elsewhere pstart
tell launch 6
is "over a start within" "$(launches)" 10
tell pstop
tell pstop
tell pstart
tell launch 1
is "until the next outermost one" "$(launches)" 11
tell pstop
ctl start
tell launch 1
is "so does a start" "$(launches)" 12
tell pstart
tell pstop
tell launch 1
is "until the next stop" "$(launches)" 12
ctl start launches=2
tell launch 1
tell pstart
tell launch 10
tell pstop
is "which makes limits void" "$(launches)" 23
ctl start for=200
tell pstart
sleep 0.4
tell launch 2
newest() { echo "$(launches)/$(window)"; }
becomes "by time too" "25/profiler open" newest
worker_end

# ---- range ----

worker_start VPROF_CAPTURE='range:step,exec*'
tell push step
tell launch 2
tell pop
is "range: one that is open when the ring is made" "$(launches)" 2
tell launch 1
tell push other
tell launch 1
tell push execute
tell launch 3
tell elsewhere push 'step'
tell pop
tell launch 4
tell pop
is "nested; a thread that has ended has no ranges" "$(launches)" 5
tell nstart 'step'
tell launch 1
tell nstart 'unstep'
tell launch 1
is "a range of NVTX, of no thread" "$(launches)" 7
worker_end
is "the ranges themselves are recorded" \
	"$("$BUILD/vprof" dump "$(ring)" | sed -n 's/.*(range) .*name=\([a-z]*\).*/\1/p' | sort | uniq -c | awk '{print $2 $1}' | paste -sd,)" \
	"execute1,step3,unstep1"

worker_start VPROF_CAPTURE='range:step'
tell launch 1
tell push step
tell fork launch 3
child=$(child)
is "a child has its parent's range" "$(launches_of "$child" 3)" 3
tell pop
kill -9 "$child"
worker_end
worker_start VPROF_CAPTURE='range:step' VPROF_NVTX=other
tell launch 1
tell nstart step
tell launch 2
tell nend
tell launch 1
is "a range that VPROF_NVTX leaves out is gone by" "$(launches)" 2
is "and left out" "$("$BUILD/vprof" dump "$(ring)" | grep -c '(range)')" 0
worker_end
done_testing
