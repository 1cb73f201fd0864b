#!/usr/bin/env bash
# What goes wrong around controllers: many at once, one that dies in mid-write, garbage in the page,
# a file that shrinks, processes that are stopped or in another pid namespace.
. tests/tap.sh
. tests/control/loopers.sh
ctl=$BUILD/control/ctl

recording() { "$vprof" ps --once --json "$@" >"$TMP/json" && json "$TMP/json" recording | tr -d '\n'; }
lost() { "$vprof" ps --once --json "$@" >"$TMP/json" && json "$TMP/json" lost_by; }
result() { json "$TMP/order" result; }
ms() { local s; s=$(date +%s%N); "$@" >/dev/null 2>&1; echo $((($(date +%s%N) - s) / 1000000)); }
# poke FILE OFFSET FORMAT VALUE: into a ring that may be mapped elsewhere.
poke() {
	python3 -c 'import os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR); os.pwrite(fd, struct.pack(sys.argv[3], int(sys.argv[4], 0)), int(sys.argv[2]))' "$@"
}

begin one 1000; one=$last
begin two 1000; two=$last

# Six at once, each of which waits for its answers: no request may be lost or torn.
controllers() {
	local shells=()
	for shell in 1 2 3 4 5 6; do
		(
			for i in 1 2 3 4 5 6 7 8 9 10; do
				"$vprof" start --wait 60s && "$vprof" mark --wait 60s "mark-$shell-$i" && "$vprof" stop --wait 60s --now || exit 1
			done
		) >/dev/null &
		shells+=($!)
	done
	for shell in "${shells[@]}"; do wait "$shell" || return 1; done
}
ok "many controllers at once: each is answered" controllers
is "no request was lost" "$(lost "$one" "$two")" "{} {}"
is "every mark is there, in both" "$("$vprof" dump "$OUT" | grep -c 'name=mark-')" 120
is "the last one holds" "$("$vprof" stop >/dev/null; recording "$one" "$two"; "$vprof" start >/dev/null; echo; recording "$one" "$two")" "False False
True True"

# More at once than a ring has places for requests
crowd() {
	local shells=()
	for i in {1..40}; do
		"$vprof" mark --wait 60s "crowd-$i" >/dev/null &
		shells+=($!)
	done
	for shell in "${shells[@]}"; do wait "$shell" || return 1; done
}
ok "forty at once: each is answered" crowd
is "and none is overwritten before it is taken up" "$("$vprof" dump "$OUT" | grep -c 'name=crowd-') $(lost "$one" "$two")" "80 {} {}"

# A controller that was killed with the lock taken and half a request written
# The lock of a living one would take 100 ms; a busy machine may take as long for other reasons, but not each time.
stops_at_once() {
	{ "$ctl" "$(ring "$one")" half; } 2>/dev/null
	[ "$(ms "$vprof" stop "$one")" -lt 90 ]
}
ok "a dead controller's lock is no hindrance" until_true stops_at_once
is "and what comes next holds" "$(recording "$one")" False
is "half a request is none" "$(lost "$one")" "{}"
# One that lives and does not let go
sleep 600 & pids+=($!)
poke "$(ring "$one")" 4108 '<I' $!
took=$(ms "$vprof" start "$one")
ok "one that lives and does not let go has 100 ms" test "$took" -ge 100 -a "$took" -lt 30000
is "and what comes next holds" "$(recording "$one")" True

# Garbage, again and again
for round in 1 2 3 4 5 6 7 8; do
	"$ctl" "$(ring "$one")" garbage $round 3000
	"$vprof" stop --wait 60s --json "$one" >"$TMP/order"
	[ "$(recording "$one")" = False ] || echo "round $round: $(cat "$TMP/order")"
done >"$TMP/garbage"
is "garbage in the control page: stop stops" "$(cat "$TMP/garbage")" ""
"$vprof" start --launches 5 --wait 60s "$one" >/dev/null
ended_by_launches() { "$vprof" ps --once "$1" | grep -q ' off #.* launches '; }
ok "start with a limit is understood" until_true ended_by_launches "$one"
ok "the process goes on" kill -0 "$one"

# Stopped, and asked more often than there are places: the newest holds.
kill -STOP "$two"
for i in 1 2 3 4 5; do "$vprof" start "$two"; "$vprof" stop "$two"; done >/dev/null
"$vprof" start --launches 3 --json "$two" >"$TMP/order"
is "a stopped process is told of" "$(result)" stopped
kill -CONT "$two"
ok "it takes up the newest when it goes on" until_true ended_by_launches "$two"
is "and counts the others" "$(lost "$two")" "{'request': 1}"

# A stamp in the past, which only a stopped process can meet: at once
kill -STOP "$two"
"$vprof" start "$two" >/dev/null
kill -CONT "$two"
becomes "a stamp in the past is now" True recording "$two"

# Nobody answers (a copy of a ring): it is said, and the file may shrink meanwhile.
cp "$(ring "$one")" "$TMP/copy.ring"
"$vprof" start --for 1s --json "$TMP/copy.ring" >"$TMP/order"
is "a copy, to which nobody answers" "$(result)" gone
bell() { od -An -tu4 -j4104 -N4 "$TMP/copy.ring"; }
before=$(bell)
has_rung() { [ "$(bell)" != "$before" ]; }
"$vprof" mark --wait 100s --json text "$TMP/copy.ring" >"$TMP/order" &
waiting=$!
until_true has_rung
truncate -s 0 "$TMP/copy.ring"
wait $waiting
is "a file that shrinks: no more than a failure" "$?" 1
is "which is told" "$(json "$TMP/order" why)" "its file was cut short meanwhile"

# Versions
cp "$(ring "$one")" "$TMP/major.ring"
poke "$TMP/major.ring" 12 '<H' 9
is "a newer format is refused" "$(code "$vprof" stop "$TMP/major.ring")" 1
ok "with the reason" grep -q 'major.ring: has format version 9\..*use a newer vprof' "$TMP/errors"
cp "$(ring "$one")" "$TMP/old.ring"
poke "$TMP/old.ring" 14 '<H' 1
is "an older library: by the word" "$("$vprof" start --json "$TMP/old.ring" >"$TMP/order"; result)" word
is "which has no limits" "$("$vprof" start --steps 3 --json "$TMP/old.ring" >"$TMP/order"; result)" too_old

# A mark of any length, cut where a character ends
text=$(printf 'x%.0s' $(seq 118))ÄÄ
"$vprof" mark "$text" "$two" >/dev/null
is "a mark is cut at a whole character" "$("$vprof" dump "$(ring "$two")" | grep -o 'name=x*.*' | tail -1 | cut -d' ' -f1)" "name=${text:0:118}"

# Another pid namespace
if [ "$(id -u)" = 0 ] && unshare -pfm --mount-proc true 2>/dev/null; then
	LD_LIBRARY_PATH=$BUILD/fakecuda unshare -pfm --mount-proc env LD_PRELOAD="$BUILD/libvprof.so" VPROF_OUT="$TMP/inner" \
		"$BUILD/control/looper" 1000 >"$TMP/said" &
	pids+=($!)
	until_true grep -q ready "$TMP/said"
	is "in another pid namespace" "$("$vprof" ps --json "$TMP/inner" >"$TMP/json"; json "$TMP/json" state)" elsewhere
	is "is controlled all the same" "$("$vprof" stop --json "$TMP/inner" >"$TMP/order"; result; recording "$TMP/inner")" "done
False"
	pkill -P $! 2>/dev/null
fi
done_testing
