#!/usr/bin/env bash
# A ring on tmpfs outlives its link by a day, and not longer; one that has a link stays.
. tests/tap.sh
. tests/safety/lib.sh
client=$DRIVER/client
[ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] || skip_all "no tmpfs on /dev/shm"
[ "$(stat -f -c %T "$TMP")" != tmpfs ] || skip_all "the tests' folder is tmpfs itself: rings have no links"

make_ring() { # make_ring NAME: a ring in $TMP/NAME; sets `ring` to where its bytes lie
	env LD_LIBRARY_PATH="$DRIVER" LD_PRELOAD="$LIBRARY" VPROF_OUT="$TMP/$1" VPROF_RING_MB=1 VPROF_RING_AT=shm \
		"$client" --launches 1 2>"$TMP/$1.err" >/dev/null
	ring=$(readlink "$TMP/$1"/*.ring)
}
# Every anchor of the clock page (32 bytes: ticks, monotonic, realtime, error) says realtime NS.
set_time() { python3 -c '
import struct, sys
with open(sys.argv[1], "r+b") as f:
    for at in range(12288, 16384, 32):
        f.seek(at)
        if struct.unpack("<Q", f.read(8))[0]:
            f.seek(at + 16)
            f.write(struct.pack("<Q", int(sys.argv[2])))' "$1" "$2"; }
hours_ago() { echo $((($(date +%s) - $1 * 3600) * 1000000000)); }

make_ring moved; moved=$ring
mv "$TMP/moved" "$TMP/elsewhere"
make_ring young; young=$ring
set_time "$young" "$(hours_ago 23)"
rm -r "$TMP/young"
make_ring kept; kept=$ring
set_time "$kept" "$(hours_ago 48)"
make_ring old; old=$ring
set_time "$old" "$(hours_ago 25)"
rm -r "$TMP/old"
ok "four rings lie on tmpfs" test -f "$moved" -a -f "$young" -a -f "$kept" -a -f "$old"
make_ring last
ok "without a link for more than a day: gone" test ! -e "$old"
ok "and said, in one line" grep -q '^vprof: pid [0-9]*: removed 1 rings of ended processes' "$TMP/last.err"
is "nothing else is said" "$(wc -l <"$TMP/last.err")" 1
ok "without a link for less: there" test -f "$young"
ok "in a folder that was moved: there" test -f "$moved"
ok "and readable from where it is now" "$BUILD/vprof" info "$TMP/elsewhere"
ok "old, with its link: there" test -f "$kept"
rm -f "$young"
done_testing
