#!/usr/bin/env bash
# vprof snap: copies at one moment of processes that go on, are stopped, or are dead.
. tests/tap.sh
. tests/snap/lib.sh
command -v jq >/dev/null || skip_all "no jq"

# in_order FOLDER: no copy has a record, or the end of one, that is later than its cut.
not_later() { json "$1" -e 'all(.cut_ns >= .last_ns)'; }

# at_one_moment FOLDER NS: the copies' last records are so near to the cut, and the cuts to each other.
at_one_moment() {
	json "$1" -e --argjson ns "$2" 'all(.cut_ns - .last_ns < $ns) and (map(.cut_ns) | max - min < $ns)' ||
		json "$1" -r '.[] | "cut \(.cut_ns), last \(.cut_ns - .last_ns) ns before"'
}
whole() { json "$1" -e 'all(.torn == 0 and .bad_chunks == 0 and .bad_defs == 0 and .bad_holdings == 0 and .cut_bytes == 0)'; }

# ---- processes that launch without pause ----

hammer 1
hammer 1
until_true have_rings 2
sleep 1
# The best of three: a program that is not running at the moment has its last record before.
near=
for i in 1 2 3 4 5; do
	ok "snap $i" snap "$OUT" -o "$TMP/s$i"
	ok "$i: nothing is later than the moment" not_later "$TMP/s$i"
	ok "$i: nothing is torn or damaged" whole "$TMP/s$i"
	is "$i: a copy of each, with its name" "$(cd "$TMP/s$i" && ls)" "$(cd "$OUT" && ls)"
	[ -n "$near" ] || { at_one_moment "$TMP/s$i" 1000000 >"$TMP/near" && near=$i; }
done
ok "all end at one moment, to a millisecond" test -n "$near"
is "mode of the folder and its files" "$(stat -c %a "$TMP/s1" "$TMP"/s1/* | sort -u | xargs)" "600 700"
ok "the processes are as before" kill -0 "${programs[@]}"
end_programs
done_testing
