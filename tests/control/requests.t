#!/usr/bin/env bash
# What is asked of a process through its ring is done: at once, at a stamp, for so long, for so many.
. tests/tap.sh
. tests/control/lib.sh

ms_of() { ctl show | sed -n "s/^window $1 .* ms \([0-9]*\).*/\1/p" | tail -1; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

worker_start VPROF_CAPTURE=off
tell launch 3
is "recording off: nothing" "$(launches)" 0
ctl start
tell launch 5
ctl stop
tell launch 7
is "from start to stop" "$(launches)" 5
is "and a window says so" "$(windows)" "request request"

ctl word=1535
tell launch 2
ctl word=0
tell launch 4
is "the word itself is obeyed too" "$(launches)" 7

# What is for a day that does not come is seen before it, however long that takes; another takes its place.
pending() { ctl show | head -1 | sed 's/.*pending //'; }
ctl start at=1000000
tell launch 1
is "a start that is yet to come is pending" "$(pending)" 1
is "and nothing is recorded" "$(launches)" 7
ctl start at=300
until_true says "request open" window
tell launch 1
is "until then" "$(launches)" 8
ctl stop at=1000000
tell launch 1
is "a stop likewise: not before it" "$(launches)" 9
ctl stop at=300
until_true says "request request" window
tell launch 1
is "but then" "$(launches)" 9

ctl start at=1000
ctl stop
is "a stop forgets a start that is yet to come" "$(pending)" 0
sleep 1.1
tell launch 1
is "which does not come" "$(launches)" 9
requested() { windows | tr , '\n' | grep -c 'request request'; }
before=$(requested)
ctl start at=300
ctl stop at=400
becomes "but not one that comes before it" $((before + 1)) requested
ctl start at=-5000
tell launch 1
is "a stamp in the past is now" "$(launches)" 10
ctl stop at=-5000
tell launch 1
is "in a stop too" "$(launches)" 10

ctl start for=50
until_true says "request time" window
tell launch 1
is "for so long" "$(launches)" 10
ok "which is what the window says" between "$(ms_of 'request time')" 49 5000

ctl start bytes=100000
tell launch 4000
until_true says "request bytes" window
ctl start bytes=1
tell elsewhere launch 300
until_true says "request bytes" window
is "so many bytes" "$(windows | tr , '\n' | grep -c 'request bytes')" 2

ctl mark text='ready for it'
is "a mark, though nothing is recorded" "$("$BUILD/vprof" dump "$(ring)" | grep -c "(mark).*name=ready.x20for.x20it")" 1
ctl start groups=2
tell launch 9
is "one group and not another" "$(ctl show | sed -n 's/^window request open groups \([0-9]*\).*/\1/p')" 2
ctl start groups=2 launches=2
tell launch 9
becomes "a limit records what it counts" "request launches" window
ctl start
is "a second start is a window of its own" "$(ctl show | tail -1 | cut -d' ' -f2-5)" "request open groups 1535"
ctl stop
worker_end
done_testing
