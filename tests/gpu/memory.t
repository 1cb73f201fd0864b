#!/usr/bin/env bash
# What vprof says a program holds, against what the driver says is in use.
. tests/gpu/lib.sh
need_gpu

# held < SCRIPT: MiB that the driver has in use at each `info`, above the first, then what vprof says at the end.
held() {
	rm -rf "$TMP/out"
	env VPROF_OUT="$TMP/out" LD_PRELOAD="$BUILD/libvprof.so" "$BUILD/memory/holder" > "$TMP/infos" 2> "$TMP/said" || cat "$TMP/said"
	awk 'NR == 1 { base = $1; next } { printf "%s ", $1 - base }' "$TMP/infos"
	"$BUILD/vprof" memory --json "$TMP/out" | python3 -c '
import json, sys
ring, = json.load(sys.stdin)
place = {p["place"]: p for p in ring["places"]}
print(place.get("device 0", {"bytes": 0})["bytes"] >> 20)'
}

is "cuMemAlloc" "$(held <<'END'
info
malloc a 1073741824
info
END
)" "1024 1024"
is "physical memory that is mapped outlives its handle" "$(held <<'END'
info
create g 1073741824 0
reserve r 2147483648
map r 0 g 1073741824
release g
info
END
)" "1024 1024"
is "and goes with its last mapping" "$(held <<'END'
info
create g 1073741824 0
reserve r 2147483648
map r 0 g 1073741824
release g
unmap r 0 1073741824
info
END
)" "0 0"
for groups in all launch; do
	is "what is allocated in a capture is the graph's, VPROF_TRACE=$groups" "$(VPROF_TRACE=$groups held <<'END'
capture
async a 1048576
freeasync a
captured graph
END
)" "0"
done
done_testing
