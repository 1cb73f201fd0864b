#!/usr/bin/env bash
# What timing graphs takes: device memory, by what the driver says is free, and pages that are pinned.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda
client=$BUILD/gputime/client

# taken NAME GRAPHS NODES TIMES: what the program has lost to the library; its ring is looked at
taken() {
	local name=$1
	shift
	mkdir "$TMP/$name"
	VPROF_OUT=$TMP/$name VPROF_GPU=sample:2 LD_PRELOAD=$BUILD/libvprof.so timeout 100 "$client" memory "$@" >"$TMP/$name.out" 2>&1
	python3 tests/gputime/seen.py "$TMP/$name"/*.ring >"$TMP/$name.seen"
	TAKEN=$(sed -n 's/^taken //p' "$TMP/$name.out")
}
seen() { sed -n "s/^$2 *//p" "$TMP/$1.seen"; }
most=$((16 << 20))

taken small 64 20 80
is "64 twins" "$(seen small twins) $(seen small refused)" "64 "
ok "take of the device what is ours alone" test "$TAKEN" -gt 0 -a "$TAKEN" -le 65536

# A driver that takes 8 KiB for each node of an executable graph: 41 of them and a clone's.
FAKECUDA_NODE_BYTES=8192 taken costly 64 20 80
ok "where the driver takes much there are fewer" test "$(seen costly twins)" -lt 64 -a "$(seen costly twins)" -gt 32
ok "and they take no more than is stated" test "$TAKEN" -gt $((most / 2)) -a "$TAKEN" -le "$most"
is "which is said" "$(seen costly refused)" 7

# The ninth piece of 2 MiB would be one too many: an error that the program would see.
FAKECUDA_FAIL=cuMemHostRegister_v2:9:700 taken large 64 1000 10
is "64 twins of 1000 kernels: no more than 16 MiB is pinned" "$(grep error "$TMP/large.out")" ""
ok "of which most have room" test "$(seen large twins)" -gt 30
FAKECUDA_FAIL=cuMemHostRegister_v2:4:700 taken seen 64 1000 10
ok "(more than 6 are)" grep -q error "$TMP/seen.out"

# Of four graphs one has 3 MiB of the 12 there are: 2 in one piece, which the first piece has no room for. Half of it has.
FAKECUDA_FAIL=cuMemHostRegister_v2:2:700 VPROF_GPU_TWINS=4 taken share 1 300 20
ok "one launch in two is timed: a graph's one twin has all of its share" grep -q error "$TMP/share.out"
FAKECUDA_FAIL=cuMemHostRegister_v2:2:700 VPROF_GPU_TWINS=8 taken half 1 300 20
is "and no more than that" "$(seen half twins) $(grep error "$TMP/half.out")" "1 "
done_testing
