#!/usr/bin/env bash
# What the spill does when it has no more room: its budget, the disk, a limit on files. The program does not notice.
. tests/tap.sh
. tests/spill/lib.sh
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
all_counted() { [ $(($(seen present) + $(seen overwritten))) = "$(seen reserved)" ]; }

# 1 MiB holds some 250,000 of these launches.
WITH="VPROF_SPILL_MB=1" loop 6 400000 1000 3000
look 400000
size=$(cat "$OUT"/*.spill.* | wc -c)
ok "drop-oldest: no more than the budget ($size bytes)" between "$size" 600000 1048576
ok "the oldest files are gone" test ! -e "$(echo "$OUT"/*.spill.0)"
ok "and counted ($(show dropped_files dropped_chunks spilled))" \
	test "$(seen dropped_chunks)" -gt 100 -a "$(seen spilled)" -ge "$(seen dropped_chunks)"
ok "all records are there or counted" all_counted
is "what is there is whole" "$(show twice order open odd torn bad_files bad_frames)" "twice=0 order=0 open=0 odd=0 torn=0 bad_files=0 bad_frames=0"
is "nothing is said of it" "$(cat "$TMP/err")" ""

# A ring that does not come round before the spill's thread has begun, on a busy machine either.
MB=16 WITH="VPROF_SPILL_MB=1 VPROF_SPILL_FULL=stop" loop 6 400000 1000 3000
look 400000
ok "stop: no more than the budget" between "$(cat "$OUT"/*.spill.* | wc -c)" 600000 1048576
is "in one file" "$(basename -a "$OUT"/*.spill.* | sed 's/.*spill/spill/')" spill.0
ok "all records are there or counted" all_counted
is "said once" "$(grep -c 'VPROF_SPILL_MB' "$TMP/err")" 1
ok "the first launches are kept" grep -q 'grid=1,1,1 ' <("$BUILD/vprof" dump "$(ring)" | grep -m1 cuLaunchKernel)

# A limit on the size of files, for which the kernel would send SIGXFSZ.
drop "$OUT"
(ulimit -f 1024 && traced VPROF_RING_AT=shm "$BUILD/spill/loop" 2 100000 1000 2000 </dev/null >"$TMP/said" 2>"$TMP/err")
is "RLIMIT_FSIZE: the program ends well" $? 0
look 100000
ok "files end at the limit" test "$(stat -c %s "$OUT"/*.spill.0)" -le 1048576
ok "all records are there or counted" all_counted

# A disk that fills up: a small tmpfs, where we may make one.
cat >"$TMP/full.sh" <<'END'
mount -t tmpfs -o size=1400k none "$1" || exit 77
shift
"$@" >&2 </dev/null || exit 1
echo "room $(($(df --output=avail -k "$VPROF_OUT" | tail -1)))"
"$BUILD/spill/check" "$VPROF_OUT"/*.ring 400000
END
drop "$OUT"
mkdir "$OUT"
SEEN=$(BUILD=$BUILD traced unshare -rm bash "$TMP/full.sh" "$OUT" "$BUILD/spill/loop" 2 400000 1000 2000 2>"$TMP/err")
case $? in
77) diag "no mounts here: a full disk is not tried" ;;
*)
	ok "a full disk: the program ends well" test -n "$(seen launches)"
	is "the disk was full" "$(seen room)" 0
	ok "all records are there or counted" all_counted
	is "what is there is whole" "$(show twice order open odd torn bad_files bad_frames torn_bytes)" \
		"twice=0 order=0 open=0 odd=0 torn=0 bad_files=0 bad_frames=0 torn_bytes=0"
	is "said once" "$(grep -c 'the spill .* ends' "$TMP/err")" 1
	;;
esac
done_testing
