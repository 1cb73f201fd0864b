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

# Every range has a name of its own, in the record behind it.
python3 - <<'END' >names.script
print("ring pid=100 lanes=1 chunks=200")
for chunk in range(200):
    print("chunk lane=0 thread=1 tid=100 comm=app")
    for i in range(127):
        n = chunk * 127 + i
        words = [int.from_bytes(f"step {n}".ljust(16, "\0").encode()[at:at + 8], "little") for at in (0, 8)]
        print(f"rec kind=14 t={n * 10} dur=5 call=0 w2={1 << 48}")
        print(f"rec kind=16 t={n * 10} dur=1 call=0 w0={words[0]} w1={words[1]}")
END
"$forge" names.ring <names.script
names=$(peak names.ring)
diag "25,400 names: $names KiB"
ok "25,400 names of ranges take less than 16 MiB more" test $((names - small)) -lt 16384
"$merge" names.ring >names.json
is "and all are there" "$(grep -c '"name":"step ' names.json)" 25400

# A name whose demangled form has some terabytes: each type is a pair of the one before.
name=$(python3 -c '
digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
print("_Z1f4pairI" + "S_I" * 34 + "1XS0_E" + "".join("S%s_E" % digits[i] for i in range(1, 35)))')
"$forge" name.ring <<SCRIPT
ring pid=100
call id=1 family=1 name=cuLaunchKernel
kernel name=$name
chunk lane=0 thread=1 tid=100 comm=app
rec t=1 kernel=1
SCRIPT
ok "a name that would be terabytes long stays as it is" \
	bash -c "ulimit -v 1000000; timeout 10 '$merge' name.ring | grep -q '\"name\":\"$name\"'"

# A damaged header may speak of any number of lanes; only those that have chunks cost anything.
cp small.ring lanes.ring
python3 - <<'END'
import struct
data = bytearray(open("lanes.ring", "rb").read())
data[52:56] = struct.pack("<I", 0xffffff00)
chunks, = struct.unpack_from("<Q", data, 40)
struct.pack_into("<I", data, chunks + 8, 0xfffffe00)
open("lanes.ring", "wb").write(data)
END
ok "four billion lanes take no longer than sixteen" timeout 5 "$merge" -o lanes.json lanes.ring

done_testing
