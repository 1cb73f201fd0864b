#!/usr/bin/env bash
# Counters of memory in use: right from the first moment, although the past was overwritten.
. tests/tap.sh

"$BUILD/tests/forge" "$TMP/a.ring" <<'SCRIPT'
ring pid=100 lanes=4 chunks=4 real=1000000000 title=app
call id=1 family=8 name=cuMemAlloc_v2
call id=2 family=8 name=cuMemFree_v2
call id=3 family=8 name=cuMemAllocAsync
lane lane=0 thread=1 tid=100 comm=app
lane lane=1 thread=2 tid=101 comm=worker
chunk lane=0 thread=1 tid=100 comm=app skip=500
rec kind=7 call=2 t=1000 dur=10 object=0x10201 w0=0xc000 w1=500
rec kind=7 call=3 t=2000 dur=10 object=0x20102 w0=0xb000 w1=64
rec kind=7 call=1 t=3000 dur=10 object=0 w1=4000 result=2
rec kind=7 call=1 t=4000 dur=10 object=0x10101 w0=0xe000 w1=2000
rec kind=7 call=2 t=4500 dur=10 object=0x601 w0=0xf000
rec kind=7 call=2 t=6000 open=1 w0=0xa000
chunk lane=1 thread=2 tid=101 comm=worker
rec kind=7 call=2 t=5000 dur=10 object=0x10201 w0=0xe000 w1=2000
rec kind=7 call=1 t=5500 dur=10 object=0x210104 w0=0x7000 w1=77
held address=0xa000 bytes=1000 kind=1 place=0 t=5 call=1
held address=0xb000 bytes=64 kind=2 place=1 t=2012 call=3
held address=0x7000 bytes=77 kind=4 place=32 t=5512 call=1 thread=2
held address=0x5000 bytes=9999 kind=7 place=99 t=7 call=1
memory place=0 bytes=1000 peak=3000 t=4010
memory place=1 bytes=64 peak=64 t=2010
memory place=32 bytes=77 peak=90 t=20
SCRIPT

# counters FILE...: what follows the name, without what is the same in all
counters() { "$BUILD/vprof-merge" "$@" 2>/dev/null | grep '"ph":"C"' | sed 's/.*"name":"\([^"]*\)","pid":100,"tid":0,"ts":\([0-9.]*\),"args":{\(.*\)}},*$/\2 \1 \3/'; }
device0='Device memory in use, device 0'
device1='Device memory in use, device 1'
host='Pinned host memory in use'

is "the whole" "$(counters "$TMP/a.ring")" \
"0.000 $device0 \"total\":1500,\"malloc\":1500,\"pool\":0,\"VMM\":0
0.000 $device1 \"total\":0,\"malloc\":0,\"pool\":0,\"VMM\":0
0.000 $host \"total\":0,\"allocated\":0,\"registered\":0,\"other\":0
0.000 $device0 \"total\":1000,\"malloc\":1000,\"pool\":0,\"VMM\":0
1.000 $device1 \"total\":64,\"malloc\":0,\"pool\":64,\"VMM\":0
3.000 $device0 \"total\":3000,\"malloc\":3000,\"pool\":0,\"VMM\":0
4.000 $device0 \"total\":1000,\"malloc\":1000,\"pool\":0,\"VMM\":0
4.500 $host \"total\":77,\"allocated\":77,\"registered\":0,\"other\":0"
is "a window begins with what was held then" "$(counters --from 2us --to 3.5us "$TMP/a.ring")" \
"2.000 $device0 \"total\":1000,\"malloc\":1000,\"pool\":0,\"VMM\":0
2.000 $device1 \"total\":64,\"malloc\":0,\"pool\":64,\"VMM\":0
2.000 $host \"total\":0,\"allocated\":0,\"registered\":0,\"other\":0
3.000 $device0 \"total\":3000,\"malloc\":3000,\"pool\":0,\"VMM\":0"
is "threads that are not shown count" "$(counters -t 101 "$TMP/a.ring")" "$(counters "$TMP/a.ring")"
is "but their calls are not there" "$("$BUILD/vprof-merge" -t 101 "$TMP/a.ring" 2>/dev/null | grep -c '"ph":"X"')" 2
is "processes that are not shown do not" "$(counters --pid 7 "$TMP/a.ring")" ""
is "peaks in the window" "$("$BUILD/vprof-merge" "$TMP/a.ring" 2>/dev/null | grep '"ph":"i"')" \
'{"ph":"i","cat":"memory","name":"Peak: Device memory in use, device 0","pid":100,"tid":0,"ts":3.010,"s":"p","args":{"bytes":3000}},
{"ph":"i","cat":"memory","name":"Peak: Device memory in use, device 1","pid":100,"tid":0,"ts":1.010,"s":"p","args":{"bytes":64}},'
is "sums at the end, in otherData" "$("$BUILD/vprof-merge" "$TMP/a.ring" 2>/dev/null | grep -o '"memory":\[.*\]')" \
'"memory":[{"place":"device 0","bytes":1000,"peak":3000,"peak_ns":1000004010},{"place":"device 1","bytes":64,"peak":64,"peak_ns":1000002010},{"place":"host","bytes":77,"peak":90,"peak_ns":1000000020}]'
is "a call says what it took, and where" \
	"$("$BUILD/vprof-merge" "$TMP/a.ring" 2>/dev/null | grep '"name":"cuMemAllocAsync"' | grep -o '"memory":.*"address"')" \
	'"memory":"pool","device":1,"address"'
ok "the trace is JSON" python3 -c 'import json, sys; json.load(sys.stdin)' < <("$BUILD/vprof-merge" "$TMP/a.ring" 2>/dev/null)

# vprof memory on the same ring
is "held at an earlier moment, by the records" "$("$BUILD/vprof" memory --at 3.2us --each "$TMP/a.ring" | sed -n '/^held/,$p' | sed 1,2d)" \
"  2.0 KiB   0xe000    190 ns  device 0  device  cuMemAlloc_v2    main (100)  -
   1000 B   0xa000    4.2 us  device 0  device  cuMemAlloc_v2    main (100)  -
     64 B   0xb000    2.2 us  device 1  pool    cuMemAllocAsync  main (100)  -

given back without having been taken: 1
    WHEN  ADDRESS  KIND    CALL          THREAD
  3.5 us   0xf000  device  cuMemFree_v2  main (100)"
is "at the first moment" "$("$BUILD/vprof" memory --at 0 --json "$TMP/a.ring" | grep -o '"malloc": [0-9]*' | xargs)" "malloc: 1000 malloc: 0"
done_testing
