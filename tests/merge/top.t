#!/usr/bin/env bash
# vprof top: kernels by launches over all processes, and the calls that never returned.
. tests/tap.sh
vprof=$(realpath "$BUILD/vprof")
forge=$(realpath "$BUILD/tests/forge")
cd "$TMP" || exit

process() { # FILE PID
	"$forge" "$1" <<SCRIPT
ring pid=$2 chunks=4 title=p$2
call id=1 family=1 name=cuLaunchKernel
call id=2 family=2 name=cuGraphLaunch
call id=4 family=5 name=cuStreamSynchronize
kernel name=_Z3fooi
kernel name=bar
graph number=3
chunk lane=0 thread=1 tid=$2 comm=app
rec call=1 kernel=1 t=1000 dur=1000
rec call=1 kernel=1 t=3000 dur=3000
rec call=1 kernel=2 t=7000 dur=500 result=700
rec kind=2 call=2 graph=1 t=8000 dur=100
rec kind=5 call=4 t=9000 open=1
rec call=1 kernel=1 t=9500 open=1
rec kind=2 call=2 graph=1 t=9600 dur=400
SCRIPT
}
process a.ring 100
process b.ring 200

is "the table" "$("$vprof" top a.ring b.ring)" "LAUNCHES   TOTAL    MEAN     MAX  KERNEL
       6  8.0 us  2.0 us  3.0 us  foo(int)
       2  1.0 us  500 ns  500 ns  bar
       2  500 ns  250 ns  400 ns  graph 3 (pid 100)
       2  500 ns  250 ns  400 ns  graph 3 (pid 200)

in flight at the end:
  p100 (pid 100), main (100): cuStreamSynchronize for 1.0 us
  p200 (pid 200), main (200): cuStreamSynchronize for 1.0 us
  p100 (pid 100), main (100): cuLaunchKernel of foo(int) for 500 ns
  p200 (pid 200), main (200): cuLaunchKernel of foo(int) for 500 ns"
is "-n, one process" "$("$vprof" top -n1 --pid 100 a.ring b.ring | sed -n 2,3p)" \
	"       3  4.0 us  2.0 us  3.0 us  foo(int)"
is "--raw-names" "$("$vprof" top --raw-names -n1 a.ring | sed -n 2p | awk '{print $NF}')" _Z3fooi
is "--json" "$("$vprof" top --json a.ring | python3 -c '
import json, sys
top = json.load(sys.stdin)
for k in top["kernels"]: print(k["kernel"], k["launches"], k["failed"], k["total_ns"], k["mean_ns"], k["max_ns"])
for o in top["in_flight"]: print(o["pid"], o["tid"], o["call"], o.get("kernel"), o["for_ns"])')" \
"foo(int) 3 0 4000 2000 3000
graph 3 (pid 100) 2 0 500 250 400
bar 1 1 500 500 500
100 100 cuStreamSynchronize None 1000
100 100 cuLaunchKernel foo(int) 500"
"$vprof" top > out 2> err
is "no ring is wrong usage" $? 2
"$vprof" top missing.ring > out 2> err
is "no readable ring: exit 1" $? 1

# What is lost is said, of the rings that were chosen, apart from the table.
{
	echo ring pid=300
	echo call id=1 family=1 name=cuLaunchKernel
	echo chunk lane=0 thread=1 tid=300 comm=app skip=7
	echo rec t=1
	echo loss which=0 count=3
} | "$forge" lossy.ring
is "losses, on standard error" "$("$vprof" top lossy.ring 2>&1 > out)" "vprof top: lost: 7 overwritten, 3 no_chunk"
is "losses of a ring that was not chosen" "$("$vprof" top --pid 100 a.ring lossy.ring 2>&1 > out)" ""
is "losses in --json" "$("$vprof" top --json lossy.ring | python3 -c 'import json, sys; print(json.load(sys.stdin)["lost"])')" \
	"{'overwritten': 7, 'no_chunk': 3}"

# Names are what some program gave: none may command the terminal.
"$forge" escape.ring <<SCRIPT
ring pid=7 title=$(printf 'x\033[2J') command=$(printf '\033]0;gotcha\007')
call id=1 family=1 name=$(printf 'cu\033Launch')
kernel name=$(printf 'k\033[31m')
chunk lane=0 thread=1 tid=7 comm=$(printf 'a\033b')
rec t=1 kernel=1
rec t=2 kernel=1 open=1
SCRIPT
for verb in top info dump "dump --defs" "dump --lanes" "info --json"; do
	is "no escape reaches the terminal from vprof $verb" "$("$vprof" $verb escape.ring | tr -dc '\033\007' | wc -c)" 0
done

done_testing
