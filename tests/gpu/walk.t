#!/usr/bin/env bash
# Every driver function by name, version and flags on a real driver: what it gives is given,
# behind our wrapper where the table has a row.
. tests/gpu/lib.sh
need_gpu
DIR=$OUT/walk
mkdir -p "$DIR"
VPROF_OUT=$DIR/rings LD_PRELOAD=$BUILD/libvprof.so timeout 120 "$BUILD/tests/shim/walk" >"$DIR/walk.tap" 2>"$DIR/walk.err"
rc=$?
diag "$(cat "$DIR/walk.tap")"
ok "the walk ran to its end" test $rc = 0
is "and found nothing wrong" "$(grep -c '^ok' "$DIR/walk.tap") $(grep -c '^not ok' "$DIR/walk.tap")" "3 0"
VPROF_OUT=$DIR/rings LD_PRELOAD=$BUILD/libvprof.so timeout 120 "$BUILD/tests/shim/walk" --time >"$DIR/time.tsv"
diag "$(cat "$DIR/time.tsv")"
ok "1,582 lookups cost at most 1 ms more" grep -q 'ok$' "$DIR/time.tsv"
done_testing
