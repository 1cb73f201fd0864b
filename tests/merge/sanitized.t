#!/usr/bin/env bash
# vprof-merge built with ASan and UBSan, and with TSan: it writes, says and returns what the plain build does.
#
# A report of a sanitizer is one more line on standard error and another exit code, so comparing finds it.
. tests/tap.sh
tools=$(realpath "$BUILD")
forge=$tools/tests/forge
make_ring=$tools/tests/make_ring
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
here=$(realpath tests/merge)
cd "$TMP" || exit

"$forge" a.ring <<'SCRIPT'
ring pid=100 lanes=8 chunks=96
call id=1 family=1 name=cuLaunchKernel
kernel name=_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_11FillFunctorIfEESt5arrayIPcLm1EEEEviT0_T1_
kernel name=_Z3barPf
fill lanes=8
SCRIPT
"$forge" late.ring <<'SCRIPT'
ring pid=200 lanes=4 chunks=4
call id=1 family=1 name=cuLaunchKernel
kernel name=triton_"fused"\0
graph number=7 nodes=309 exec=0x99
lane lane=0 thread=1 tid=200 comm=ended state=2 end=5000
chunk lane=0 thread=1 tid=200 comm=ended skip=5
rec t=1000 open=1 kernel=1
rec t=1100 torn=1
rec kind=2 t=1200 dur=7 graph=1
rec kind=5 t=1300 dur=9 result=700
rec kind=99 call=77 t=1400 dur=9 object=4000
owner t=3000 thread=3 tid=203 comm=second
rec t=3100 open=1
loss which=0 count=3
beat t=9000
SCRIPT
# Names of ranges are learnt by one thread while another looks up that of a stream.
{
	echo "ring pid=400 lanes=8 chunks=96"
	echo "call id=1 family=1 name=cuLaunchKernel"
	echo "kernel name=_Z3barPf"
	echo "label handle=0x7f32a8c01230 name=copies"
	for i in $(seq 200); do
		echo "text name=layer_$i"
	done
	echo "fill lanes=8 ranges=1"
} | "$forge" names.ring
"$make_ring" --lanes 5 --chunks 40 --records 2000 --switch-every 50 --ranges 7 --in-flight 2 --torn 2 --loss 3 --pid 300 b.ring
: > empty.ring
mkdir none
head -c 100000 a.ring > cut.ring
head -c 65536 /dev/urandom > noise.ring
# Rings whose bytes are wrong here and there; the same at each run.
python3 - <<'PYTHON'
import random
random = random.Random(1)
for n in range(12):
    data = bytearray(open(random.choice(["a.ring", "late.ring", "b.ring"]), "rb").read(1 << 18))
    for _ in range(1 << n % 6 * 2):
        at = random.choice([random.randrange(512), random.randrange(len(data)), 8192 + random.randrange(70000)])
        if at >= 16 and at < len(data):
            data[at] = random.choice([0, 1, 0x7f, 0x80, 0xff, random.randrange(256)])
    open("bad%d.ring" % n, "wb").write(data)
PYTHON

# merge KIND ARGUMENT...: what the build of that kind gives, below KIND/.
merge() {
	local kind=$1 bin=$tools
	shift
	[ "$kind" = plain ] || bin=$tools/$kind
	mkdir -p "$kind"
	rm -rf "$kind"/*
	timeout 60 "$bin/vprof-merge" "$@" > "$kind/stdout" 2> "$kind/stderr"
	echo $? > "$kind/code"
	[ ! -e out.file ] || mv out.file "$kind/"
}

# same CODE ARGUMENT...: plain and sanitized builds give the same, and the plain one that exit code.
same() {
	local code=$1 kind
	shift
	merge plain "$@"
	[ "$(cat plain/code)" = "$code" ] || { cat plain/code plain/stderr; return 1; }
	for kind in asan tsan; do
		merge $kind "$@"
		diff -r plain $kind > difference && continue
		echo "$kind differs:"
		head -c 4000 $kind/stderr
		head -c 400 difference
		return 1
	done
}

ok "the builds have their sanitizers" sh -c "nm '$tools/asan/vprof-merge' | grep -q __asan_report &&
	nm '$tools/asan/vprof-merge' | grep -q __ubsan_handle && nm '$tools/tsan/vprof-merge' | grep -q __tsan_read"
for jobs in 1 4; do
	ok "-j$jobs" same 0 -j$jobs a.ring b.ring late.ring
	for form in gz zst; do
		ok "-j$jobs -z $form" same 0 -j$jobs -z $form -o out.file a.ring b.ring late.ring
	done
	ok "-j$jobs, names of streams and ranges" same 0 -j$jobs names.ring
	ok "-j$jobs, filters" same 0 -j$jobs --from 1us --to 20ms --pid 100 --thread 'work*' --raw-names a.ring b.ring late.ring
	ok "-j$jobs, the last millisecond" same 0 -j$jobs --last 1ms a.ring b.ring late.ring
	ok "-j$jobs, good among bad" same 0 -j$jobs empty.ring a.ring noise.ring cut.ring missing.ring late.ring
	ok "-j$jobs, a full disk" same 1 -j$jobs -o /dev/full a.ring b.ring
done
ok "in the torch profiler's layout" same 0 -j4 --format kineto -o out.file a.ring b.ring late.ring names.ring
ok "likewise, damaged ones" same 0 --format kineto -o out.file bad*.ring
# GPU times that contradict themselves.
python3 "$here/../gputime/made.py" gpu.ring --replays 16 >/dev/null
python3 - <<'PYTHON'
import random
random = random.Random(2)
for n in range(8):
    data = bytearray(open("gpu.ring", "rb").read())
    end = len(data)
    for _ in range(1 << n):
        at = random.choice([random.randrange(16640, 20480), random.randrange(end - 16384, end)])
        data[at] = random.choice([0, 1, 0x7f, 0x80, 0xff, random.randrange(256)])
    open("worse%d.ring" % n, "wb").write(data)
PYTHON
ok "with what a GPU did, damaged" same 0 --format kineto -o out.file gpu.ring worse*.ring
ok "only bad ones" same 1 empty.ring noise.ring missing.ring none
for ring in bad*.ring; do
	merge plain "$ring"
	ok "damaged: $ring" same "$(cat plain/code)" "$ring"
done
ok "damaged ones together" same 0 -j4 bad*.ring a.ring
ok "wrong usage" same 2 --from never a.ring
ok "help" same 0 --help

# A ring whose chunks are taken over and filled anew all the time: no two readings are the same.
cp a.ring live.ring
python3 - <<'PYTHON' &
import mmap, os, struct
data = mmap.mmap(os.open("live.ring", os.O_RDWR), 0)
chunks, = struct.unpack_from("<Q", data, 40)
count = (len(data) - chunks) // 16384
ticket = count
parent = os.getppid()
while os.getppid() == parent:
    at = chunks + ticket % count * 16384
    ticket += 1
    struct.pack_into("<Q", data, at, 0)
    chunk = bytearray(data[at:at + 16384])
    for slot in range(1, 256):
        struct.pack_into("<Q", chunk, slot * 64, (ticket << 8) + slot)
    data[at + 64:at + 16384] = chunk[64:]
    struct.pack_into("<Q", data, at, ticket << 8)
PYTHON
writer=$!
# in_use KIND JOBS: a few merges of it give JSON and nothing is said but what is lost.
in_use() {
	for _ in 1 2 3; do
		merge "$1" "-j$2" live.ring late.ring
		[ "$(cat "$1/code")" = 0 ] || { cat "$1/code" "$1/stderr"; return 1; }
		grep -v '^vprof-merge: lost: ' "$1/stderr" && return 1
		python3 -m json.tool "$1/stdout" /dev/null || return 1
	done
}
for kind in asan tsan; do
	for jobs in 1 4; do
		ok "$kind -j$jobs, a ring in use" in_use $kind $jobs
	done
done
ok "the ring was in use until then" kill -0 $writer
ok "and all of it has changed" test "$(cmp -l a.ring live.ring | wc -l)" -gt $((96 * 255))
kill $writer
wait $writer 2> /dev/null

done_testing
