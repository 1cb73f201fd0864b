#!/usr/bin/env bash
# Rings that shrink while they are merged: no crash, what is still there is given, what is gone is counted.
#
# A reader that stops early holds the merge up in the middle; then the file is cut, and the reader goes on.
. tests/tap.sh
merge=$(realpath "$BUILD/vprof-merge")
forge=$(realpath "$BUILD/tests/forge")
cd "$TMP" || exit

"$forge" whole.ring <<'SCRIPT'
ring pid=100 lanes=4 chunks=200
call id=1 family=1 name=cuLaunchKernel
kernel name=_Z3foov
kernel name=_Z3barPf
fill lanes=4
SCRIPT
"$merge" whole.ring > whole.json
cat > shrink.py <<'PYTHON'
"""shrink.py MERGE JOBS KEEP: merges a.ring, of which KEEP chunks are left after the first output; 0: nothing."""
import array, fcntl, json, os, struct, subprocess, sys, termios, time

merge, jobs, keep = sys.argv[1], sys.argv[2], float(sys.argv[3])
head = open("whole.ring", "rb").read(4096)
chunks_at, = struct.unpack_from("<Q", head, 40)
CHUNK, SLOT = 16384, 64

def waiting(pipe):
    bytes = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, bytes)
    return bytes[0]

def slices(trace):
    """Lines of slices by place: number of the chunk, and slot in it."""
    found = {}
    for line in trace.decode().splitlines():
        if line.startswith('{"ph":"X"'):
            line = line.rstrip(",")
            number = json.loads(line)["args"]["correlation"]
            place = (number >> 8) - 1, number & 255
            assert place not in found, "twice: " + line
            found[place] = line
    return found

child = subprocess.Popen([merge, "-j" + jobs, "a.ring"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
# The merge is stuck when what waits in the pipe no longer grows.
before, now = -1, 0
limit = time.monotonic() + 30
while (not now or now != before) and time.monotonic() < limit:
    time.sleep(0.2)
    before, now = now, waiting(child.stdout)
assert child.poll() is None, "it did not wait for its reader"
os.truncate("a.ring", chunks_at + int(keep * CHUNK) if keep else 0)
trace, said = child.communicate()
assert child.returncode == 0, (child.returncode, said)

ring, = json.loads(trace)["otherData"]["rings"]
wanted, got = slices(open("whole.json", "rb").read()), slices(trace)
for place, line in got.items():
    assert line == wanted[place], "not in the ring: " + line
for place, line in wanted.items():
    if place[0] * CHUNK + (place[1] + 1) * SLOT <= keep * CHUNK:
        assert place in got, "not in the trace: " + line
missing = len(wanted) - len(got)
assert missing > len(wanted) // 4, "it had read all before"
assert ring["slices"] == len(got) and sum(ring["lost"].values()) == missing, (ring, len(got), missing)
lost = ", ".join("%d %s" % (count, reason) for reason, count in ring["lost"].items())
assert said.decode() == "vprof-merge: lost: %s\n" % lost, said
PYTHON
for jobs in 1 4; do
	for keep in 100 70.5 0; do
		cp whole.ring a.ring
		ok "-j$jobs, $keep of 200 chunks left" python3 shrink.py "$merge" $jobs $keep
	done
done

done_testing
