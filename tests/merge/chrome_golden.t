#!/usr/bin/env bash
# One ring with a record of each kind, in full: names, arguments, errors, calls in flight,
# lanes that change hands, losses.
. tests/tap.sh

"$BUILD/tests/forge" "$TMP/a.ring" <<'SCRIPT'
ring pid=100 lanes=4 chunks=4 real=1000000000 title=/usr/bin/python3_train.py command=python3_train.py_--epochs_3
call id=1 family=1 name=cuLaunchKernel
call id=2 family=2 name=cuGraphLaunch
call id=3 family=3 name=cuMemcpyHtoDAsync_v2
call id=4 family=5 name=cuStreamSynchronize
call id=5 family=11 name=cuDeviceGetCount
call id=6 family=13 name=cuStreamQuery
call id=7 family=4 name=cuMemsetD32Async
call id=8 family=8 name=cuMemAlloc_v2
call id=9 family=9 name=cuModuleGetFunction
call id=10 family=2 name=cuGraphInstantiateWithFlags
call id=11 family=6 name=cuEventRecord
call id=12 family=12 name=cuProfilerStart
kernel name=_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_11FillFunctorIfEESt5arrayIPcLm1EEEEviT0_T1_
kernel name=triton_"fused"\0
graph number=7 nodes=309 exec=0x99
lane lane=0 thread=1 tid=100 comm=python3
lane lane=1 thread=4 tid=101 comm=renamed
chunk lane=0 thread=1 tid=100 comm=python3 skip=5
rec kind=1 call=1 t=1000 dur=2345 kernel=1 w0=0x7f00 grid=64 block=256 shared=1024
rec kind=2 call=2 t=5000 dur=900 graph=1 w0=0 w1=0x99
rec kind=3 call=3 t=6000 dur=100 object=0x101 w0=0xd000 w1=0xe000 w2=4096 w3=2
rec kind=5 call=4 t=7000 dur=100 result=700 w0=0x7f00
rec kind=11 call=5 t=7500 dur=1 w0=0x11 w1=2
rec kind=6 call=6 t=7600 dur=1 w1=0x7f00 result=600
rec kind=4 call=7 t=7610 dur=1 w0=0xd000 w1=64 w2=1 w3=0x0000000400000005
rec kind=7 call=8 t=7620 dur=1 w0=0xd000 w1=1048576
rec kind=8 call=9 t=7630 dur=1 kernel=2 w0=0x5 w1=0x6
rec kind=9 call=10 t=7640 dur=1 graph=1 w0=0x77 w1=0x99
rec kind=6 call=11 t=7650 dur=1 w0=0xe1 w1=0x7f00
rec kind=10 call=12 t=7660 dur=1
rec kind=11 call=5 t=7670 dur=1 result=60000
rec kind=1 call=1 t=7700 dur=1 object=4000
rec kind=11 call=77 t=7710 dur=1
rec kind=1 call=1 t=7800 torn=1
rec kind=1 call=1 t=8000 open=1 kernel=2 w0=2 flags=15
chunk lane=1 thread=2 tid=101 comm=older
rec kind=5 call=4 t=2000 dur=1000 w0=1
owner t=3500 thread=3 tid=102 comm=newborn
rec kind=5 call=4 t=4000 dur=5500 w0=1
owner t=9600 thread=4 tid=101 comm=again
rec kind=5 call=4 t=9700 dur=100 w0=1
loss which=0 count=3
SCRIPT

BUILD=$(realpath "$BUILD")
cd "$TMP" || exit
"$BUILD/vprof-merge" a.ring 2> err | sed 's/"version":"vprof [^"]*"/"version":"vprof VERSION"/' > a.json
cat > wanted.json <<'JSON'
{"schemaVersion":1,
"displayTimeUnit":"ns",
"baseTimeNanoseconds":1000001000,
"traceEvents":[
{"ph":"M","cat":"__metadata","name":"process_name","pid":100,"tid":0,"ts":0,"args":{"name":"python3 train.py"}},
{"ph":"M","cat":"__metadata","name":"process_labels","pid":100,"tid":0,"ts":0,"args":{"labels":"python3 train.py --epochs 3"}},
{"ph":"M","cat":"__metadata","name":"process_sort_index","pid":100,"tid":0,"ts":0,"args":{"sort_index":0}},
{"ph":"X","cat":"launch","name":"at::native::vectorized_elementwise_kernel","pid":100,"tid":100,"ts":0.000,"dur":2.345,"args":{"kernel":"void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>, std::array<char*, 1ul> >(int, at::native::FillFunctor<float>, std::array<char*, 1ul>)","call":"cuLaunchKernel","grid":[64,64,64],"block":[256,1,1],"shared memory":1024,"stream handle":"0x7f00","correlation":257}},
{"ph":"X","cat":"sync","name":"cuStreamSynchronize","pid":100,"tid":101,"ts":1.000,"dur":1.000,"args":{"call":"cuStreamSynchronize","handle":"0x1","correlation":513}},
{"ph":"X","cat":"sync","name":"cuStreamSynchronize","pid":100,"tid":102,"ts":3.000,"dur":5.500,"args":{"call":"cuStreamSynchronize","handle":"0x1","correlation":515}},
{"ph":"X","cat":"graph_launch","name":"graph 7","pid":100,"tid":100,"ts":4.000,"dur":0.900,"args":{"graph":7,"graph nodes":309,"call":"cuGraphLaunch","stream handle":"default","exec":"0x99","correlation":258}},
{"ph":"X","cat":"copy","name":"cuMemcpyHtoDAsync_v2","pid":100,"tid":100,"ts":5.000,"dur":0.100,"args":{"call":"cuMemcpyHtoDAsync_v2","direction":"HtoD","dst":"0xd000","src":"0xe000","bytes":4096,"stream handle":"per-thread","correlation":259}},
{"ph":"X","cat":"sync","name":"cuStreamSynchronize","pid":100,"tid":100,"ts":6.000,"dur":0.100,"cname":"terrible","args":{"call":"cuStreamSynchronize","handle":"0x7f00","error":700,"error name":"CUDA_ERROR_ILLEGAL_ADDRESS","correlation":260}},
{"ph":"X","cat":"device","name":"cuDeviceGetCount","pid":100,"tid":100,"ts":6.500,"dur":0.001,"args":{"call":"cuDeviceGetCount","arg 0":"0x11","arg 1":"0x2","correlation":261}},
{"ph":"X","cat":"query","name":"cuStreamQuery","pid":100,"tid":100,"ts":6.600,"dur":0.001,"args":{"call":"cuStreamQuery","stream handle":"0x7f00","result":"not ready","correlation":262}},
{"ph":"X","cat":"set","name":"cuMemsetD32Async","pid":100,"tid":100,"ts":6.610,"dur":0.001,"args":{"call":"cuMemsetD32Async","dst":"0xd000","bytes":64,"stream handle":"legacy","value":5,"width":4,"correlation":263}},
{"ph":"X","cat":"memory","name":"cuMemAlloc_v2","pid":100,"tid":100,"ts":6.620,"dur":0.001,"args":{"call":"cuMemAlloc_v2","address":"0xd000","bytes":1048576,"correlation":264}},
{"ph":"X","cat":"module","name":"cuModuleGetFunction","pid":100,"tid":100,"ts":6.630,"dur":0.001,"args":{"kernel":"triton_\"fused\"\\0","call":"cuModuleGetFunction","handle":"0x5","from":"0x6","correlation":265}},
{"ph":"X","cat":"graph","name":"cuGraphInstantiateWithFlags","pid":100,"tid":100,"ts":6.640,"dur":0.001,"args":{"graph":7,"graph nodes":309,"call":"cuGraphInstantiateWithFlags","graph handle":"0x77","exec":"0x99","correlation":266}},
{"ph":"X","cat":"event","name":"cuEventRecord","pid":100,"tid":100,"ts":6.650,"dur":0.001,"args":{"call":"cuEventRecord","event":"0xe1","stream handle":"0x7f00","correlation":267}},
{"ph":"X","cat":"profiler","name":"cuProfilerStart","pid":100,"tid":100,"ts":6.660,"dur":0.001,"args":{"call":"cuProfilerStart","correlation":268}},
{"ph":"X","cat":"device","name":"cuDeviceGetCount","pid":100,"tid":100,"ts":6.670,"dur":0.001,"cname":"terrible","args":{"call":"cuDeviceGetCount","error":60000,"correlation":269}},
{"ph":"X","cat":"launch","name":"kernel ?","pid":100,"tid":100,"ts":6.700,"dur":0.001,"args":{"call":"cuLaunchKernel","grid":[1,1,1],"block":[128,1,1],"shared memory":0,"stream handle":"default","correlation":270}},
{"ph":"X","cat":"other","name":"call ?","pid":100,"tid":100,"ts":6.710,"dur":0.001,"args":{"call":"call ?","correlation":271}},
{"ph":"X","cat":"launch","name":"[in flight] triton_\"fused\"\\0","pid":100,"tid":100,"ts":7.000,"dur":1.800,"cname":"bad","args":{"kernel":"triton_\"fused\"\\0","call":"cuLaunchKernel","grid":[1,1,1],"block":[128,1,1],"shared memory":0,"stream handle":"per-thread","cooperative":true,"cluster":true,"programmatic":true,"in_flight":true,"correlation":273}},
{"ph":"X","cat":"sync","name":"cuStreamSynchronize","pid":100,"tid":4194305,"ts":8.700,"dur":0.100,"args":{"call":"cuStreamSynchronize","handle":"0x1","correlation":517}},
{"ph":"M","cat":"__metadata","name":"thread_name","pid":100,"tid":100,"ts":0,"args":{"name":"main"}},
{"ph":"M","cat":"__metadata","name":"thread_sort_index","pid":100,"tid":100,"ts":0,"args":{"sort_index":0}},
{"ph":"M","cat":"__metadata","name":"thread_name","pid":100,"tid":101,"ts":0,"args":{"name":"older"}},
{"ph":"M","cat":"__metadata","name":"thread_sort_index","pid":100,"tid":101,"ts":0,"args":{"sort_index":3}},
{"ph":"M","cat":"__metadata","name":"thread_name","pid":100,"tid":4194305,"ts":0,"args":{"name":"renamed (101)"}},
{"ph":"M","cat":"__metadata","name":"thread_sort_index","pid":100,"tid":4194305,"ts":0,"args":{"sort_index":5}},
{"ph":"M","cat":"__metadata","name":"thread_name","pid":100,"tid":102,"ts":0,"args":{"name":"newborn"}},
{"ph":"M","cat":"__metadata","name":"thread_sort_index","pid":100,"tid":102,"ts":0,"args":{"sort_index":4}}
],
"otherData":{"version":"vprof VERSION","rings":[
{"ring":"a.ring","host":"host","command":"python3 train.py --epochs 3","library":"forge","pid":100,"os_pid":100,"state":"running or killed","threads":4,"slices":19,"records":21,"in_flight":1,"abandoned":0,"clock_error_ns":0,"lost":{"overwritten":5,"torn":1,"no_chunk":3}}
]}}
JSON
ok "the trace, byte for byte" diff wanted.json a.json
ok "it is JSON" python3 -m json.tool a.json /dev/null
is "one line tells the losses" "$(cat err)" "vprof-merge: lost: 5 overwritten, 1 torn, 3 no_chunk"

done_testing
