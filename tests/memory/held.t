#!/usr/bin/env bash
# What a program holds, by the ring's table and its records: each way of taking and giving back.
. tests/tap.sh
command -v python3 > /dev/null || skip_all "no python3"

# held NAME [MEMORY OPTION...] < SCRIPT: a traced run; what `vprof memory` says of it is in $TMP/NAME.
held() {
	local name=$1
	shift
	rm -rf "$TMP/out"
	env FAKECUDA_DEVICES=2 VPROF_RING_AT=out VPROF_RING_MB="${MB:-1}" VPROF_OUT="$TMP/out" \
		LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="${LIBRARY:-$BUILD/libvprof.so}" \
		"$BUILD/memory/holder" 2>"$TMP/said"
	"$BUILD/vprof" memory --json "$@" "$TMP/out" > "$TMP/$name"
}

# show NAME WHAT...: "PLACE BYTES PEAK" of each place, or the rows of another list.
show() {
	python3 - "$TMP/$1" "$2" <<'END'
import json, sys
ring, = json.load(open(sys.argv[1]))
if sys.argv[2] == "places":
    for p in ring["places"]:
        print(p["place"], *(p[k] for k in p if k not in ("place", "peak_ns")))
elif sys.argv[2] in ("held", "ended_with_context"):
    for g in ring[sys.argv[2]]:
        print(g["bytes"], g["count"], g["place"], g["kind"], g.get("call", "?"))
elif sys.argv[2] == "not_taken":
    for g in ring["not_taken"]:
        print(g["kind"], g["call"])
else:
    print(ring[sys.argv[2]])
END
}

# ---- kinds ----

each_kind='malloc a 4096
managed b 8192
pitch p 100 10
async c 65536
pool q 1
from d q 1000
pinned e 12288
register f 4096
create g 2097152 1
array i 64 64'
held kinds <<<"$each_kind"
is "a program's memory by place: malloc pool VMM, allocated registered other, sum and peak" "$(show kinds places)" \
"device 0 82944 65536 0 148480 148480
device 1 0 1000 2097152 2098152 2098152
host 12288 4096 0 16384 16384"
is "who holds it" "$(show kinds held)" \
"2097152 1 device 1 physical cuMemCreate
65536 1 device 0 pool cuMemAllocAsync
65536 1 device 0 array cuArrayCreate_v2
12288 1 host pinned cuMemHostAlloc
8192 1 device 0 managed cuMemAllocManaged
5120 1 device 0 device cuMemAllocPitch_v2
4096 1 device 0 device cuMemAlloc_v2
4096 1 host registered cuMemHostRegister_v2
1000 1 device 1 pool cuMemAllocFromPoolAsync"

held freed <<END
$each_kind
arrayfree i
release g
unregister f
unpin e
freeasync d
poolfree q
freeasync c
free p
free b
free a
END
is "given back it is gone, and the peaks stay" "$(show freed places)" \
"device 0 0 0 0 0 148480
device 1 0 0 0 0 2098152
host 0 0 0 0 16384"
is "nothing is held" "$(show freed held)" ""

held wrong <<'END'
malloc a 4096
free a
!again a
malloc b 100
END
is "a free that fails gives nothing back" "$(show wrong places)" "device 0 100 0 0 100 4096"
is "and is not counted as one without an allocation" "$(show wrong strays)" 0

# ---- physical memory: as long as anything maps it ----

held mapped <<'END'
create g 2097152 0
reserve r 8388608
map r 0 g 2097152
map r 4194304 g 2097152
release g
unmap r 0 2097152
END
is "released memory that is mapped is held" "$(show mapped places)" "device 0 0 0 2097152 2097152 2097152"
held mapped --all <<'END'
create g 2097152 0
create h 4194304 0
reserve r 8388608
map r 0 g 2097152
map r 2097152 h 4194304
release h
unmap r 0 6291456
END
is "one call unmaps two mappings: what was released goes, what was not stays" "$(show mapped places)" \
	"device 0 0 0 2097152 2097152 6291456"
is "with --all: addresses are shown beside memory" "$(show mapped held)" \
"8388608 1 - reserved cuMemAddressReserve
2097152 1 device 0 physical cuMemCreate"
held imported <<'END'
create g 2097152 0
import i g
release i
release g
END
is "memory that was imported counts where it was made" "$(show imported places)" "device 0 0 0 0 0 2097152"
is "and its release is no stray" "$(show imported strays)" 0

# ---- captures, contexts ----

held captured <<'END'
capture
async a 512
freeasync a
async b 512
captured graph
freeasync b
malloc keep 9
END
is "a capture survives what the library asks" "$(cat "$TMP/said")" ""
is "what a capture makes a node of takes nothing" "$(show captured places)" "device 0 9 0 0 9 9"
is "memory of a graph that is freed outside was never taken" "$(show captured not_taken)" "pool cuMemFreeAsync"

held contexts <<'END'
pinned h 50
context c 1
malloc x 1000
malloc y 2000
free x
async z 70
end c
use primary
malloc p 100
END
is "the end of a context gives back its own; a pool is where its stream is" "$(show contexts places)" \
"device 0 100 70 0 170 170
device 1 0 0 0 0 3000
host 50 0 0 50 50"
is "and the tools tell that from being freed" "$(show contexts ended_with_context)" "2000 1 device 1 device cuMemAlloc_v2"
held primary <<'END'
malloc p 100
pinned h 50
release_primary
END
is "so does the last release of a primary context" "$(show primary places)" \
"device 0 0 0 0 0 100
host 0 0 0 0 50"
held primary <<'END'
malloc p 100
reset_primary
malloc q 7
END
is "and its reset" "$(show primary places)" "device 0 7 0 0 7 100"

# ---- the past ----

held old <<'END'
malloc a 1000
malloc gone 500
free gone
churn 300000
malloc b 24
END
is "memory that was taken long ago is still known" "$(show old held)" \
"1024 2 device 0 device cuMemAlloc_v2"
is "with the peak of then" "$(show old places)" "device 0 1024 0 0 1024 1500"
ok "the records of it are gone" test "$("$BUILD/vprof" dump "$TMP/out" | grep -c cuMemAlloc)" = 1

held then --at 25ms <<'END'
malloc a 1000
pause 50
free a
malloc b 24
END
is "at an earlier moment" "$(show then held)" "1000 1 device 0 device cuMemAlloc_v2"

held unknown --at 5ms <<'END'
malloc a 1000
churn 100000
pause 20
free a
END
is "by whom it was taken may be gone" "$(show unknown held)" "1000 1 device 0 device ?"

VPROF_TRACE=launch held unrecorded <<'END'
malloc a 1000
free a
malloc b 20
END
is "calls that are not recorded count" "$(show unrecorded places)" "device 0 20 0 0 20 1000"

# ---- a table that is full, a death ----

held full <<'END'
many 2000 100
END
is "what finds no room in the table is counted" "$(python3 - "$TMP/full" <<'END'
import json, sys
ring, = json.load(open(sys.argv[1]))
rows = sum(g["count"] for g in ring["held"])
print(rows + ring["no_room"], rows <= 512, rows > 400, ring["places"][0]["bytes"] == 100 * rows)
END
)" "2000 True True True"

held dead 2>/dev/null <<'END'
malloc a 1000
pinned b 24
kill
END
is "what a killed process held" "$(show dead held)" \
"1000 1 device 0 device cuMemAlloc_v2
24 1 host pinned cuMemHostAlloc"
ok "is said to be that" grep -q "held when it died" <("$BUILD/vprof" memory "$TMP/out")
for point in holding_filled holding_given; do
	LIBRARY=$BUILD/test/libvprof.so VPROF_TESTPOINT=$point:2 held torn 2>/dev/null <<'END'
malloc a 1000
malloc b 2000
free a
free b
END
	is "killed at $point: the table is whole" "$(show torn held | cut -d' ' -f1 | xargs)" \
		"$([ $point = holding_filled ] && echo 1000)"
done

is "vprof info has the totals" "$("$BUILD/vprof" info "$TMP/out" | grep -c 'memory  *device 0: .* held, at most')" 1
done_testing
