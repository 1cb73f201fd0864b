#!/usr/bin/env bash
# What `vprof dump` and `vprof info` print, and how rings are named.
. tests/tap.sh

vprof=$BUILD/vprof
make=$BUILD/tests/make_ring
mkdir "$TMP/out" "$TMP/shm" "$TMP/runs" "$TMP/runs/a" "$TMP/runs/b"
"$make" --lanes 1 --chunks 1 --records 33 --kernels 2 --in-flight 1 "$TMP/one.ring"
"$make" --pid 100 --switch-every 50 --torn 1 --loss 2 "$TMP/shm/100.ring"
"$make" --pid 200 --records 5100 --closed "$TMP/out/200.ring"
ln -s "$TMP/shm/100.ring" "$TMP/out/100.ring"
cp "$TMP/one.ring" "$TMP/runs/a/1.ring"
cp "$TMP/one.ring" "$TMP/runs/b/2.ring"

is "a launch" "$("$vprof" dump "$TMP/one.ring" | sed -n 2p)" \
"0.000001000 4242 4242 worker-1 cuLaunchKernel 0.375us kernel=_Z13kernel_100001Pfi grid=2,1,1 block=128,1,1 shared=1024 stream=0x1100 corr=258"
is "a copy" "$("$vprof" dump "$TMP/one.ring" | sed -n 6p)" \
"0.000005000 4242 4242 worker-1 cuMemcpyHtoDAsync_v2 0.125us direction=HtoD form=async bytes=4101 dst=0x7f0000000000 src=0x550000000000 stream=0x1200 corr=262"
is "a graph launch" "$("$vprof" dump "$TMP/one.ring" | sed -n 9p)" \
"0.000008000 4242 4242 worker-1 cuGraphLaunch 0.250us graph=1 exec=0x6000 stream=0x1200 corr=265"
is "a result that is not 0" "$("$vprof" dump "$TMP/one.ring" | sed -n 16p)" \
"0.000015000 4242 4242 worker-1 cuEventRecord 0.125us result=600 event=0x9000 stream=0x1000 corr=272"
is "a call in flight" "$("$vprof" dump "$TMP/one.ring" | tail -1)" \
"0.000032000 4242 4242 worker-1 cuLaunchKernel in-flight kernel=_Z13kernel_100000Pfi grid=33,1,1 block=128,1,1 shared=0 stream=0x1200 corr=289"
is "names as C++ has them" "$("$vprof" dump -C "$TMP/one.ring" | sed -n 1p | grep -o 'kernel=[^ ]*')" \
'kernel=kernel_100000(float*,\x20int)'
is "a thread takes over a lane" "$("$vprof" dump -t worker-3 "$TMP/out/100.ring" | head -1)" \
"0.000100000 100 102 worker-3 (thread) - thread=3 corr=307"
is "from and to" "$("$vprof" dump --from 10us --to 12us "$TMP/one.ring" | cut -d' ' -f1 | xargs)" \
"0.000010000 0.000011000 0.000012000"
is "from before the end" "$("$vprof" dump --from -2us "$TMP/one.ring")" "$("$vprof" dump --last 2us "$TMP/one.ring")"
is "the last of it" "$("$vprof" dump --last 2us "$TMP/one.ring" | cut -d' ' -f1 | xargs)" \
"0.000031000 0.000032000"
is "one process of two" "$("$vprof" dump --pid 200 "$TMP/out" | grep -vc '^#')" 4080
is "threads by a pattern" "$("$vprof" dump -t 'worker-[12]' "$TMP/shm/100.ring" | cut -d' ' -f4 | sort -u | xargs)" \
	"worker-1 worker-2"
is "one thread by its id" "$("$vprof" dump -t 201 "$TMP/out" | grep -v '^#' | cut -d' ' -f3 | sort -u)" 201
ok "every line of --json is an object" python3 - "$vprof" "$TMP/out" <<'END'
import json, subprocess, sys
out = subprocess.run([sys.argv[1], "dump", "--json", sys.argv[2]], capture_output=True, check=True)
rows = [json.loads(line) for line in out.stdout.decode().splitlines()]
assert len(rows) == 4080 + 1199, len(rows)
assert rows[0]["call"] == "cuLaunchKernel" and rows[0]["grid"] == [1, 1, 1], rows[0]
times = [row["time"] for row in rows if row["pid"] == 200]
assert times == sorted(times)
END
ok "info as JSON" python3 - "$vprof" "$TMP/out" <<'END'
import json, subprocess, sys
out = subprocess.run([sys.argv[1], "info", "--json", sys.argv[2]], capture_output=True, check=True)
one, two = json.loads(out.stdout)
assert (one["pid"], two["pid"]) == (100, 200)
assert one["path"].endswith("out/100.ring") and one["real"].endswith("shm/100.ring"), one["real"]
assert (one["present"], one["torn"], one["overwritten"]) == (1199, 1, 0)
assert (two["present"], two["overwritten"], two["state"]) == (4080, 6120, "closed"), two
assert one["lost"]["no_chunk"] == 2 and one["lost"]["reentrant"] == 4, one["lost"]
assert sum(t["records"] for t in one["thread_table"]) == 1199
assert sum(t["overwritten"] for t in two["thread_table"]) == 6120
assert one["start_ns"] == 1700000000000000000, one["start_ns"]
END
is "a folder, a file of it and a pattern are three ways to one ring" \
	"$("$vprof" info "$TMP/out" "$TMP/shm/100.ring" "$TMP/o*/200.ring" | grep -c '  process ')" 2
is "a folder of folders" "$("$vprof" info "$TMP/runs" | grep -c '  process ')" 2
ok "the ring says where it lies" sh -c "'$vprof' info '$TMP/out/100.ring' | grep -q 'lies at.*shm/100.ring'"
is "losses by name" "$("$vprof" info "$TMP/out/100.ring" | sed -n 's/^  lost *//p' | head -2 | xargs)" "2 no_chunk 3 no_lane"

# States: a ring of this host and boot whose process lives, or is gone.
boot=$(cat /proc/sys/kernel/random/boot_id)
"$make" --boot-id "$boot" --host "$(uname -n)" --pid 4194303 "$TMP/dead.ring"
ok "a process that is gone" sh -c "'$vprof' info '$TMP/dead.ring' | grep -q 'ended without closing'"
is "another boot: nobody knows" "$("$vprof" info "$TMP/one.ring" | sed -n 's/^  state *//p')" "not closed"
for variable in $(sed -n 's/^VPROF_ENV(\([A-Z_]*\),.*/\1/p' include/vprof/env.def); do
	ok "help env tells $variable" sh -c "'$vprof' help env | grep -q '^$variable '"
done
for shown in "help env" "run --help" "env --help"; do
	is "in lines of usual width: $shown" "$("$vprof" $shown | awk 'length > 80')" ""
done
ok "help of a verb" sh -c "'$vprof' help dump | grep -q -- --demangle"
is "version" "$("$vprof" --version | cut -d' ' -f1)" vprof
done_testing
