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
# returned N: launches of the Nth program, by its own account (tests/safety/progress.h); newest N: the last in the copy
returned() { od -An -tu8 -j72 -N8 "$TMP/progress.$1" | tr -d ' '; }
newest() { "$BUILD/vprof" dump "$TMP/near"/*."${programs[$1]}".*.ring | sed -n 's/.* cuLaunchKernel .*grid=\([0-9]*\),.*/\1/p' | sort -n | tail -1; }
# Of programs that do not go round their rings while these are copied.
again() {
	end_programs
	drop "$OUT"
	hammer 1 "$@"
	hammer 1 "$@"
	until_true have_rings 2
}
is_near() {
	local first second
	first=$(returned 0) second=$(returned 1)
	snap "$OUT" --last 1s -o "$TMP/near"
	[ "$(newest 0)" -ge "$first" ] && [ "$(newest 1)" -ge "$second" ]
}
again FAKECUDA_DELAY=cuLaunchKernel:20000
sleep 1
ok "of each program records up to the moment are there" is_near
again
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
{ wait "$program"; } 2>/dev/null
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
# A step of 8 launches in each ms that it runs.
start FAKECUDA_INSTANT=1 VPROF_RING_MB=4 "$BUILD/snap/loop" 1000000 1 0 0 0
goes_back() { json "$OUT" '.[0] | .present > 8000 and .last_ns - .first_ns > 1.8e9'; }
until_true says true goes_back
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
# More than these, if a busy machine does not let the program run while it is copied.
: >"$TMP/overwritten"
for ((i = 1; i <= 6 || (i <= 60 && $(grep -c . "$TMP/overwritten") == 0); i++)); do
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
