#!/usr/bin/env bash
# Memory goes with the lanes in use and not with the records; large sets stay whole and in order.
. tests/tap.sh
merge=$(realpath "$BUILD/vprof-merge")
forge=$(realpath "$BUILD/tests/forge")
cd "$TMP" || exit

ring() { # FILE LANES CHUNKS
	"$forge" "$1" <<SCRIPT
ring pid=100 lanes=$2 chunks=$3
call id=1 family=1 name=cuLaunchKernel
kernel name=_Z3foov
kernel name=_Z3barPf
fill lanes=$2
SCRIPT
}
peak() { # KiB that a merge of FILE takes at most
	python3 -c '
import resource, subprocess, sys
subprocess.check_call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$merge" -j2 -o /dev/null "$1"
}
ring small.ring 16 160
ring large.ring 16 3200
small=$(peak small.ring)
large=$(peak large.ring)
diag "16 lanes: $small KiB for 40,800 records, $large KiB for 816,000"
ok "20 times the records take less than 4 MiB more" test $((large - small)) -lt 4096
ring wide.ring 1000 2000
wide=$(peak wide.ring)
diag "1000 lanes: $wide KiB"
ok "1000 lanes at once stay under 64 MiB" test "$wide" -lt 65536

"$merge" -j4 large.ring > large.json
ok "816,000 records, all of them, in order of time" python3 -c '
last, count, seen = -1.0, 0, set()
for line in open("large.json"):
    if not line.startswith("{\"ph\":\"X\""): continue
    ts = float(line.split("\"ts\":")[1].split(",")[0])
    assert ts >= last, line
    last, count = ts, count + 1
    seen.add(line.rsplit(":", 1)[1])
assert count == len(seen) == 3200 * 255, (count, len(seen))'

done_testing
