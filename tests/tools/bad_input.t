#!/usr/bin/env bash
# The commands on files that are no rings: a message with the file's name, exit 1 when
# nothing was readable, and what is intact is still given.
. tests/tap.sh

vprof=$BUILD/vprof
"$BUILD/tests/make_ring" "$TMP/good.ring"
: > "$TMP/empty.ring"
head -c 100 "$TMP/good.ring" > "$TMP/short.ring"
head -c 50000 "$TMP/good.ring" > "$TMP/cut.ring"
head -c 65536 /dev/urandom > "$TMP/noise.ring"
head -c 65536 /dev/zero > "$TMP/zero.ring"
cp "$TMP/good.ring" "$TMP/newer.ring"
printf '\x02' | dd of="$TMP/newer.ring" bs=1 seek=12 conv=notrunc status=none
cp "$TMP/good.ring" "$TMP/swapped.ring"
printf '\x31\x47\x4e\x49\x52\x50\x56\x56' | dd of="$TMP/swapped.ring" bs=1 conv=notrunc status=none
mkdir "$TMP/folder" "$TMP/folder.ring"
mkfifo "$TMP/pipe.ring"
ln -s "$TMP/gone-from-tmpfs" "$TMP/dangling.ring"
cp "$TMP/good.ring" "$TMP/locked.ring"
chmod 000 "$TMP/locked.ring"

# program VERB: sets the words that run it.
program() {
	if [ "$1" = merge ]; then
		program=("$BUILD/vprof-merge")
	else
		program=("$vprof" "$1")
	fi
}

# refused FILE REASON: all that read rings exit 1, and name the file and the reason.
refused() {
	local verb code out name
	for verb in dump info top merge; do
		program $verb
		out=$("${program[@]}" "$1" 2>&1 > "$TMP/stdout")
		code=$?
		name="vprof $verb"
		[ $verb = merge ] && name=vprof-merge
		[ $code = 1 ] || { echo "$name: exit $code"; return 1; }
		case $out in
		*$'\n'*) echo "$name: more than one line: $out"; return 1 ;;
		"$name: $1: "*"$2"*) ;;
		*) echo "$name: $out"; return 1 ;;
		esac
		[ ! -s "$TMP/stdout" ] || { echo "$name printed something"; return 1; }
	done
}

ok "an empty file" refused "$TMP/empty.ring" "is empty"
ok "a file that ends within its header" refused "$TMP/short.ring" "cut short"
ok "random bytes" refused "$TMP/noise.ring" "is not a vprof ring"
ok "zeros" refused "$TMP/zero.ring" "is not a vprof ring"
ok "a newer format" refused "$TMP/newer.ring" "newer vprof"
ok "the other byte order" refused "$TMP/swapped.ring" "byte order"
ok "a missing file" refused "$TMP/nothing.ring" "does not exist"
ok "a folder without rings" refused "$TMP/folder" "holds no rings"
ok "a pipe" refused "$TMP/pipe.ring" "not a regular file"
ok "a link whose ring is gone" refused "$TMP/dangling.ring" "tmpfs"
ok "a pattern that nothing fits" refused "$TMP/no*such" "no file fits"
if [ "$(id -u)" = 0 ]; then
	echo "ok $((++tap_run)) - no permission # SKIP root may read everything"
else
	ok "no permission" refused "$TMP/locked.ring" "Permission denied"
fi

is "a file cut within its chunks gives what is whole" \
	"$("$vprof" dump "$TMP/cut.ring" | wc -l)" "$("$vprof" info --json "$TMP/cut.ring" |
	sed -n 's/.*"present": \([0-9]*\),/\1/p')"
missing=$(($(stat -c %s "$TMP/good.ring") - 50000))
for verb in dump info top merge; do
	program $verb
	"${program[@]}" "$TMP/cut.ring" >/dev/null 2>"$TMP/err"
	is "$verb of it: exit 0" $? 0
	ok "which says how much is missing, $verb" grep -qx "${program[*]##*/}: $TMP/cut.ring: is cut short: its last $missing bytes are missing" "$TMP/err"
	ok "and calls none of it overwritten, $verb" not grep -q overwritten "$TMP/err"
done
ok "what is gone with it is counted" grep -qE "lost: [1-9][0-9]* cut_off" "$TMP/err"
is "the same in info" "$("$vprof" info --json "$TMP/cut.ring" 2>/dev/null | jq -c '.[0] | [.overwritten, .cut_off > 0]')" "[0,true]"
# A ring that has gone round: as many as the missing chunk may have held, and the others are overwritten.
"$BUILD/tests/make_ring" --chunks 4 --records 2000 "$TMP/round.ring"
head -c -16384 "$TMP/round.ring" >"$TMP/round.cut.ring"
of() { "$vprof" info --json "$1" 2>/dev/null | jq .[0].overwritten; }
is "one that had gone round: the rest is overwritten" "$(of "$TMP/round.cut.ring")" "$(($(of "$TMP/round.ring") - 255))"
head -c 8192 "$TMP/good.ring" >"$TMP/head.ring"
for verb in dump top merge memory steps; do
	program $verb
	"${program[@]}" "$TMP/head.ring" >"$TMP/stdout" 2>"$TMP/err"
	is "no record is left, $verb: exit 1" $? 1
	is "and nothing printed, $verb" "$(cat "$TMP/stdout")" ""
	ok "but why, $verb" grep -q "no record is left" "$TMP/err"
done
ok "and says that it is cut" sh -c "'$vprof' info '$TMP/cut.ring' | grep -q 'lacks its last'"
out=$("$vprof" dump "$TMP/empty.ring" "$TMP/good.ring" "$TMP/noise.ring" 2> "$TMP/err")
code=$?
is "good among bad: exit 0" $code 0
is "good among bad: its records" "$(echo "$out" | wc -l)" 1200
is "good among bad: a message for each bad one" "$(wc -l < "$TMP/err")" 2
for verb in info top merge; do
	program $verb
	"${program[@]}" "$TMP/good.ring" > "$TMP/alone" 2> "$TMP/alone.err"
	"${program[@]}" "$TMP/newer.ring" "$TMP/good.ring" "$TMP/swapped.ring" "$TMP/nothing.ring" "$TMP/folder" \
		> "$TMP/among" 2> "$TMP/err"
	is "good among bad, $verb: exit 0" $? 0
	ok "good among bad, $verb: the same as of the good one alone" cmp "$TMP/alone" "$TMP/among"
	is "good among bad, $verb: each bad one is named" "$(grep -vxFf "$TMP/alone.err" "$TMP/err" |
		sed -n "s|^[^:]*: $TMP/\([^:]*\): .*|\1|p" | sort | xargs)" "folder newer.ring nothing.ring swapped.ring"
done
"$BUILD/vprof-merge" -o "$TMP/none.json" "$TMP/empty.ring" "$TMP/noise.ring" "$TMP/nothing.ring" 2> "$TMP/err"
is "merge of bad ones only: exit 1" $? 1
is "merge of bad ones only: each is named" "$(wc -l < "$TMP/err")" 3
ok "merge of bad ones only: no trace" not test -e "$TMP/none.json"
for verb in dump info top merge; do
	program $verb
	"${program[@]}" > /dev/null 2>&1
	is "no argument is wrong usage, $verb" $? 2
done
ok "an unknown verb is wrong usage, with the nearest" \
	sh -c "'$vprof' dmup 2>&1 | grep -q \"did you mean 'dump'\""
ok "a full disk is a failure" sh -c "! '$vprof' dump '$TMP/good.ring' > /dev/full 2> /dev/null"
done_testing
