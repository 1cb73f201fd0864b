#!/usr/bin/env bash
# vprof snap: copies at one moment of processes that go on, are stopped, or are dead.
. tests/tap.sh
. tests/snap/lib.sh
command -v jq >/dev/null || skip_all "no jq"

sound() { "$BUILD/snap/copy_check" "$1"/*.ring && json "$1" -e 'all(.torn == 0 and .bad_chunks == 0 and .bad_defs == 0 and .bad_holdings == 0 and .cut_bytes == 0)'; }

at_one_moment() { json "$1" -e 'map(.cut_ns) | max - min < 1000000'; }

# ---- processes that launch without pause ----

hammer 1
hammer 1
until_true have_rings 2
sleep 1
for i in 1 2 3 4 5; do
	ok "snap $i" snap "$OUT" -o "$TMP/s$i"
	ok "$i: whole records, none later than the moment, none invented" sound "$TMP/s$i"
	is "$i: a copy of each, with its name" "$(cd "$TMP/s$i" && ls)" "$(cd "$OUT" && ls)"
	ok "$i: of one moment, to a millisecond" at_one_moment "$TMP/s$i"
done
# A program that does not run at the moment, as all do not for a while on a busy machine, has its last record before.
for ((i = 0; i < 40; i++)); do
	snap "$OUT" --last 20ms -o "$TMP/near$i"
	json "$TMP/near$i" '.[] | select(.last_ns and .cut_ns - .last_ns < 1000000) | .pid' >>"$TMP/near"
	[ "$(sort -u "$TMP/near" | wc -l)" -lt 2 ] || break
done
is "of each program records up to the moment, to a millisecond, are there" "$(sort -u "$TMP/near" | wc -l)" 2
is "mode of the folder and its files" "$(stat -c %a "$TMP/s1" "$TMP"/s1/* | sort -u | xargs)" "600 700"
is "vprof info says that they are copies" "$(json "$TMP/s1" 'map(.state) | unique | .[]')" copy
ok "a trace can be made of them" "$BUILD/vprof-merge" "$TMP/s5" -o "$TMP/trace.json"

# ---- which processes, and where to ----

snap "$OUT" "$program" -o "$TMP/one"
is "a pid" "$(cd "$TMP/one" && ls)" "$(cd "$OUT" && ls ./*."$program".* | cut -c3-)"
is "a pid that is not there" "$(snap "$OUT" 1 -o "$TMP/none"; echo $?)" 1
ok "leaves no folder" test ! -e "$TMP/none"
(cd "$TMP" && VPROF_OUT=$OUT snap && VPROF_OUT=$OUT snap)
is "without words: VPROF_OUT, into a folder of the time" "$(cd "$TMP" && ls -d snap-* | sed 's/[0-9]\{8\}-[0-9]\{6\}\(\.[0-9]\)\?$/DATE-TIME/' | uniq -c | xargs)" "2 snap-DATE-TIME"
is "a folder that is not empty is refused" "$(snap "$OUT" -o "$TMP/one"; echo $?)" 1
ok "with the reason" grep -q 'is there already and not empty' "$TMP/said.err"
mkdir "$TMP/empty"
ok "an empty one is taken" snap "$OUT" -o "$TMP/empty"
is "--json" "$(snap "$OUT" -o "$TMP/j" --json; jq -c '[.rings, .failed, .took_ns > 0, .cut_ns > 0]' "$TMP/said")" "[2,0,true,true]"

# ---- stopped and dead ----

kill -STOP "$program"
sleep 0.2
ok "a process that is stopped is copied" snap "$OUT" "$program" -o "$TMP/stopped"
ok "soundly" sound "$TMP/stopped"
ok "its last record lies before the moment" json "$TMP/stopped" -e 'all(.cut_ns - .last_ns > 1e8)'
kill -KILL "$program"
sleep 0.3
ok "one that was killed is copied" snap "$OUT" "$program" -o "$TMP/dead"
# A slot that was reserved and never written may be of after the moment, so the copy does not tell of it.
is "with all that it had" "$(json "$TMP/dead" '.[] | [.present, .in_flight, .reserved - .torn] | @csv')" \
	"$(json "$OUT"/*."$program".*.ring '.[] | [.present, .in_flight, .reserved - .torn] | @csv')"
sleep 1.2
snap "$OUT" --last 1s -o "$TMP/late"
is "with --last one that had ended before is left out" "$(cd "$TMP/late" && ls)" "$(cd "$OUT" && ls | grep -v "\.$program\.")"
end_programs

# ---- --last ----

drop "$OUT"
# Four steps of 8 launches in each ms that it runs: 5 chunks a second in the beginning, and then nothing for a while.
start FAKECUDA_INSTANT=1 VPROF_RING_MB=4 "$BUILD/snap/loop" 2000 1 0 0 4000
sleep 1
until_true have_rings 1
sleep 1
snap "$OUT" -o "$TMP/all"
snap "$OUT" --last 300ms -o "$TMP/last"
ok "--last copies the last records only" test "$(json "$TMP/last" '.[0].present')" -lt "$(json "$TMP/all" '.[0].present * 2 / 3 | floor')"
ok "and no less than that time" json "$TMP/last" -e '.[0] | (.cut_ns - .first_ns) > 2.9e8 and .cut_ns - .cut_first_ns > 2.9e8 and .cut_ns - .cut_first_ns < 3.1e8'
is "what was left out counts as overwritten" "$(json "$TMP/last" '.[0] | .present + .overwritten == .reserved')" true
ok "a merge does not say that it was" sh -c "'$BUILD/vprof-merge' -o '$TMP/last.json' '$TMP/last' 2>'$TMP/last.err'; ! grep -q overwritten '$TMP/last.err'"
is "but how much is not in the copy" "$(sed -n 's/.*--last): \([0-9]*\) earlier .*/\1/p' "$TMP/last.err") $(jq '[.otherData.rings[].not_copied] | add' "$TMP/last.json")" "$(json "$TMP/last" '.[0].overwritten | "\(.) \(.)"')"
ok "the rest is holes" test "$(du -s "$TMP/last" | cut -f1)" -lt "$(du -s "$TMP/all" | cut -f1)"
end_programs

# ---- rings that have more in files beside them ----

drop "$OUT"
hammer 1 VPROF_RING_MB=1 VPROF_SPILL=1
hammer 1
until_true have_rings 2
until_true compgen -G "$OUT/*.spill.0"
ok "a process that keeps everything is copied" snap "$OUT" -o "$TMP/kept"
is "without the files" "$(find "$TMP/kept" -type f ! -name '*.ring')" ""
is "which a line says" "$(grep -c 'what 1 of the rings had overwritten and kept in files' "$TMP/said.err")" 1
snap "$OUT" -j -o "$TMP/kept2"
is "and the object" "$(jq .spilled "$TMP/said")" 1
end_programs

# ---- a small ring that goes round all the time ----

drop "$OUT"
hammer 8 VPROF_RING_MB=4
until_true have_rings 1
sleep 0.5
for i in 1 2 3 4 5 6; do
	ok "small ring $i" snap "$OUT" -o "$TMP/small$i"
	ok "whole records, none later than the moment, none invented" "$BUILD/snap/copy_check" "$TMP/small$i"/*.ring
	grep 'overwritten while they were copied' "$TMP/said" >>"$TMP/overwritten"
done
ok "what was overwritten while it was copied is told" test -s "$TMP/overwritten"
end_programs

# ---- other users, no room ----

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$TMP"
	mkdir -m 777 "$TMP/theirs"
	is "a ring of another user" "$(cd "$TMP/theirs" && setpriv --reuid 65534 --clear-groups "$BUILD/vprof" snap "$OUT" >"$TMP/said" 2>"$TMP/said.err"; echo $?)" 1
	ok "is refused with the reason" grep -q 'ermission denied.*belongs to root' "$TMP/said.err"
	is "and leaves nothing" "$(ls "$TMP/theirs")" ""
fi
if [ "$(id -u)" = 0 ] && mkdir "$TMP/tiny" && mount -t tmpfs -o size=1m tmpfs "$TMP/tiny" 2>/dev/null; then
	is "without room" "$(snap "$OUT" -o "$TMP/tiny/s"; echo $?)" 1
	ok "the reason is told" grep -q 'cannot be copied to .*: No space left on device' "$TMP/said.err"
	is "and no part of a copy is left" "$(find "$TMP/tiny" | wc -l)" 1
	umount "$TMP/tiny"
fi
done_testing
