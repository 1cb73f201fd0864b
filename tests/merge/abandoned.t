#!/usr/bin/env bash
# Calls that never returned since their threads ended within them: they end with the thread and say so.
# A call in flight when its process came to its own end goes no further than that.
. tests/tap.sh
merge=$(realpath "$BUILD/vprof-merge")
vprof=$(realpath "$BUILD/vprof")
forge=$(realpath "$BUILD/tests/forge")
cd "$TMP" || exit

# Lane 0: its thread has ended. Lane 1: taken over, within a chunk (2) and by a new chunk (3). Lane 2:
# the takers' chunks are gone, the table tells (5). Lanes 3 and 4: alive, the table newer or older.
"$forge" a.ring <<'SCRIPT'
ring pid=100 lanes=5 chunks=8
call id=1 family=1 name=cuLaunchKernel
kernel name=_Z3foov
lane lane=0 thread=1 tid=100 comm=ended state=2 end=5000
lane lane=1 thread=4 tid=104 comm=third start=8000
lane lane=2 thread=6 tid=106 comm=later start=9000
lane lane=3 thread=7 tid=107 comm=alive
lane lane=4 thread=8 tid=108 comm=old start=100 end=20000
chunk lane=0 thread=1 tid=100 comm=ended
rec kernel=1 t=1000 open=1
rec kernel=1 t=2000 dur=100
chunk lane=1 thread=2 tid=102 comm=first
rec kernel=1 t=1100 open=1
owner t=3000 thread=3 tid=103 comm=second
rec kernel=1 t=3100 open=1
chunk lane=1 thread=4 tid=104 comm=third open=7000
rec kernel=1 t=7100 open=1
chunk lane=2 thread=5 tid=105 comm=gone
rec kernel=1 t=1200 open=1
chunk lane=3 thread=7 tid=107 comm=alive
rec kernel=1 t=1300 open=1
chunk lane=4 thread=9 tid=109 comm=newer
rec kernel=1 t=1400 open=1
beat t=11000
SCRIPT
"$merge" -o a.json a.ring
is "where they end, and what they are" "$(python3 -c '
import json
for e in json.load(open("a.json"))["traceEvents"]:
    if e["ph"] == "X":
        print(e["tid"], e["name"], "%g" % (1000 * (e["ts"] + e["dur"]) + 1000), e["args"].get("abandoned"), e["args"].get("in_flight"))')" \
"100 [abandoned] foo 5000 True None
102 [abandoned] foo 3000 True None
105 [abandoned] foo 9000 True None
107 [in flight] foo 11000 None True
109 [in flight] foo 11000 None True
100 foo 2100 None None
103 [abandoned] foo 7000 True None
104 [in flight] foo 11000 None True"
ok "counted apart" python3 -c '
import json
ring = json.load(open("a.json"))["otherData"]["rings"][0]
assert (ring["in_flight"], ring["abandoned"]) == (3, 4), ring'
is "dump" "$("$vprof" dump a.ring | grep -v ' (thread) ' | cut -d' ' -f3,6 | xargs)" \
	"100 abandoned 102 abandoned 105 abandoned 107 in-flight 109 in-flight 100 0.100us 103 abandoned 104 in-flight"
is "dump --json" "$("$vprof" dump --json a.ring | grep -c '"in_flight":false,"abandoned":true')" 4
is "top keeps them apart" "$("$vprof" top a.ring | sed -n '/^in flight/,$p' | sed 's/.*, \(.*\): .* for /\1 /')" \
"in flight at the end:
alive (107) 9.7 us
newer (109) 9.6 us
third (104) 3.9 us

abandoned, their threads having ended:
main (100) 4.0 us
first (102) 1.9 us
gone (105) 7.8 us
second (103) 3.9 us"
is "info counts and names them" "$("$vprof" info a.ring | grep -oE '[0-9]+ in flight.*|cuLaunchKernel \(abandoned\)' | sort | uniq -c | sed 's/^ *//')" \
"1 3 in flight, 4 abandoned
3 cuLaunchKernel (abandoned)"

# A process that ended in order at 4000, beside one that went on to 90000.
"$forge" closed.ring <<'SCRIPT'
ring pid=200 state=2 end=4000
call id=1 family=5 name=cuStreamSynchronize
chunk lane=0 thread=1 tid=200 comm=app
rec kind=5 t=1000 open=1
beat t=3500
SCRIPT
"$forge" longer.ring <<'SCRIPT'
ring pid=300
call id=1 family=5 name=cuStreamSynchronize
chunk lane=0 thread=1 tid=300 comm=app
rec kind=5 t=1000 dur=89000
SCRIPT
ok "in flight up to the end of its process" bash -c "'$merge' closed.ring longer.ring |
	grep -q '\[in flight\] cuStreamSynchronize\",\"pid\":200,\"tid\":200,\"ts\":0.000,\"dur\":3.000'"
done_testing
