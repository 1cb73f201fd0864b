#!/usr/bin/env bash
# vprof kernels: runs, alone and in graphs; facts from the driver or from a saved cubin; occupancy.
. tests/tap.sh
vprof=$(realpath "$BUILD/vprof")
forge=$(realpath "$BUILD/tests/forge")
corpus=$PWD/tests/cubin/corpus
cd "$TMP" || exit

# turn<float, 1024>: 128 threads at most, 4096 bytes of shared memory, 25 bytes of parameters.
turn=_ZN10vprof_test4turnIfLi1024EEEvPT_4pairc
process() { # FILE PID
	"$forge" "$1" <<SCRIPT
ring pid=$2 chunks=4 title=p$2
call id=1 family=1 name=cuLaunchKernel
call id=2 family=2 name=cuGraphLaunch
device ordinal=0
module number=1 image=2 handle=5 size=1000
module number=2 image=1 handle=6 size=2000
kernel name=_Z3fooi module=5
kernel name=bar module=5
kernel name=$turn module=6
kernel name=never module=5
facts kernel=1 registers=33 shared=100 local=8 params=8,4
facts kernel=2 registers=128 ptx=75 params=8
facts kernel=4 registers=16
graph number=3
nodes graph=1 kernel=2 count=3 block=64 shared=2048
saved module=2 name=two.cubin
chunk lane=0 thread=1 tid=$2 comm=app
rec call=1 kernel=1 block=128 t=1000 dur=1000
rec call=1 kernel=1 block=256 t=3000 dur=3000
rec call=1 kernel=1 block=256 t=3500 dur=300
rec call=1 kernel=2 block=128 t=7000 dur=500
rec kind=2 call=2 graph=1 t=8000 dur=100
rec kind=2 call=2 graph=1 t=8200 dur=100
rec call=1 kernel=3 block=128 t=9000 dur=100
SCRIPT
}
process a.ring 100
process b.ring 200

is "without the saved cubin" "$("$vprof" kernels a.ring 2>err)" \
"LAUNCHES  GRAPHS  REGS  SHARED  LOCAL  THREADS  DYNAMIC    BLOCK  OCCUPANCY  LIMIT      PARAMS  BYTES  PTX  BINARY  MODULE    KERNEL
       1       6   128       0      0     1024     2048   64x1x1       25 %  registers       1      8  7.5     9.0  1 fatbin  bar
       3       0    33     100      8     1024        0  256x1x1       75 %  registers       2     12  9.0     9.0  1 fatbin  foo(int)
       1       0     -       -      -        -        0  128x1x1          -  -               -      -    -       -  2 cubin   void vprof_test::turn<float, 1024>(float*, pair, char)"
ok "that it is missing is said" grep -q '1 saved cubins are missing or damaged' err
gzip -dc "$corpus/sm_90.cubin.gz" >two.cubin
is "with it" "$("$vprof" kernels --sort shared -n1 a.ring 2>err)" \
"LAUNCHES  GRAPHS  REGS  SHARED  LOCAL  THREADS  DYNAMIC    BLOCK  OCCUPANCY  LIMIT    PARAMS  BYTES  PTX  BINARY  MODULE   KERNEL
       1       0   12*    4096      0      128        0  128x1x1      100 %  threads       3     25    -     9.0  2 cubin  void vprof_test::turn<float, 1024>(float*, pair, char)"
is "nothing to say then" "$(cat err)" ""
is "--no-cubins" "$("$vprof" kernels --no-cubins --json a.ring | jq -r '[.kernels[].source] | sort | map(. // "none") | join(" ")')" \
	"none driver driver"
is "two processes, one row a kernel" "$("$vprof" kernels --json a.ring b.ring |
	jq -r '.kernels[] | "\(.launches) \(.in_graphs) \(.processes) \(.modules) \(.kernel)"')" \
"2 12 2 2 bar
6 0 2 2 foo(int)
2 0 2 2 void vprof_test::turn<float, 1024>(float*, pair, char)"
is "and one of them" "$("$vprof" kernels --pid 200 --json a.ring b.ring | jq '[.kernels[].launches] | add')" 5
is "--json" "$("$vprof" kernels --json a.ring | jq -c '.kernels[1] | del(.kernel)')" \
'{"symbol":"_Z3fooi","launches":3,"in_graphs":0,"pid":100,"processes":1,"source":"driver","registers":33,"shared_static":100,"shared_most":0,"constant":0,"local":8,"max_threads":1024,"ptx":90,"binary":90,"param_count":2,"param_bytes":12,"params":[{"offset":0,"size":8},{"offset":8,"size":4}],"shapes":[{"block":[256,1,1],"dynamic":0,"runs":2},{"block":[128,1,1],"dynamic":0,"runs":1}],"occupancy":{"percent":75,"blocks":6,"warps":48,"max_warps":64,"limit":"registers"},"device":0,"device_name":"GPU","module":{"number":1,"kind":"fatbin","bytes":1000,"name":""},"modules":1}'
is "--all: those that were only looked up" "$("$vprof" kernels --all --json a.ring | jq -r '.kernels[].symbol' | tail -1)" never

order() { "$vprof" kernels --sort "$1" --raw-names a.ring 2>/dev/null | awk 'NR > 1 { print $NF }' | paste -sd' '; }
is "--sort name" "$(order name)" "_Z3fooi $turn bar"
is "--sort registers" "$(order registers)" "bar _Z3fooi $turn"
is "--sort occupancy: the least first" "$(order occupancy)" "bar _Z3fooi $turn"
is "--sort graphs" "$(order graphs)" "bar _Z3fooi $turn"
is "--sort params" "$(order params)" "$turn _Z3fooi bar"
is "--sort dynamic" "$(order dynamic)" "bar _Z3fooi $turn"
"$vprof" kernels --sort register a.ring >out 2>err
is "a column that is none" "$? $(head -1 err)" "2 vprof kernels: --sort: no column 'register' (did you mean 'registers'?)"
"$vprof" kernels >out 2>err
is "no ring is wrong usage" $? 2
"$vprof" kernels missing.ring >out 2>err
is "no readable ring: exit 1" $? 1

# Of a fatbin the cubin that the device can run. A name that leads elsewhere is not followed.
gzip -dc "$corpus/zstd.fatbin.gz" >two.cubin
is "a saved fatbin" "$("$vprof" kernels --json a.ring | jq -r '.kernels[] | select(.source == "cubin") | .binary')" 90
gzip -dc "$corpus/sm_75.cubin.gz" >two.cubin
is "a cubin for another device" "$("$vprof" kernels --json a.ring | jq -r '[.kernels[] | select(.source == "cubin")] | length')" 0
mkdir sub
gzip -dc "$corpus/sm_90.cubin.gz" >sub/two.cubin
ln -s ../a.ring sub/link.ring
is "beside the link that names the ring" "$("$vprof" kernels --json sub/link.ring | jq -r '[.kernels[] | select(.source == "cubin")] | length')" 1
"$forge" away.ring <<SCRIPT
ring pid=1 chunks=2
call id=1 family=1 name=cuLaunchKernel
module number=1 image=1 handle=6
kernel name=$turn module=6
saved module=1 name=sub/two.cubin
saved module=1 name=../${TMP##*/}/sub/two.cubin
saved module=1 name=.
chunk lane=0 thread=1 tid=1 comm=app
rec call=1 kernel=1 block=128 t=1000 dur=1000
SCRIPT
is "a name that leads elsewhere" \
	"$("$vprof" kernels --json away.ring | jq -r '.kernels[].source, .lost.bad_definitions' | paste -sd' ')" "null 3"
"$forge" ptx.ring <<SCRIPT
ring pid=1 chunks=2
call id=1 family=1 name=cuLaunchKernel
module number=1 image=3 handle=6
kernel name=$turn module=6
saved module=1 name=one.ptx
chunk lane=0 thread=1 tid=1 comm=app
rec call=1 kernel=1 block=128 t=1000 dur=1000
SCRIPT
is "of PTX nothing is asked" "$("$vprof" kernels ptx.ring 2>&1 >/dev/null)" ""
head -c 2000 sub/two.cubin >two.cubin
is "a damaged cubin" "$("$vprof" kernels a.ring 2>&1 >/dev/null)" "vprof kernels: 1 saved cubins are missing or damaged"
done_testing
