#!/usr/bin/env bash
# vprof watch: each kind of event is told, and acted upon, once.
. tests/tap.sh
. tests/snap/lib.sh
command -v jq >/dev/null || skip_all "no jq"
mkdir "$OUT"
cd "$TMP" || exit

# watch OPTION...: in the background; $watcher is its pid, its lines are in $TMP/told.
watch() {
	"$BUILD/vprof" watch "$OUT" --every 20ms "$@" >"$TMP/told" 2>"$TMP/told.err" &
	watcher=$!
	programs+=("$watcher")
}
# A watch with --limit ends by itself; one that has not after a minute is killed, and its status says so.
watch_ends() {
	until_true not kill -0 "$watcher" || kill -KILL "$watcher"
	wait "$watcher"
}
# loop ARGUMENT...: the program of steps (loop.c).
loop() { start FAKECUDA_INSTANT=1 VPROF_RING_MB=4 "$BUILD/snap/loop" "$@"; }
events() { grep -c . "$TMP/told"; }
# Times are such that a program that a busy machine keeps waiting is neither idle nor slow.
told() { grep -qE "$@" "$TMP/told"; }

# ---- a slow step ----

loop 1000 8 40 200 0
until_true have_rings 1
watch --slow-step 10x --limit 1 --cooldown 0s --json -- sh -c 'env | grep ^VPROF_WATCH_ | sort >env'
watch_ends
is "a watch for slow steps ends with its limit" $? 0
is "the event" "$(jq -r '[.reason, .pid, .ms > 190, .usual_ms > 7 and .usual_ms < 25, .action] | @csv' "$TMP/told")" \
	"\"slow_step\",$program,true,true,\"started\""
is "what the action is told" "$(sed 's/=.*//' env | xargs)" \
	"VPROF_WATCH_MS VPROF_WATCH_PID VPROF_WATCH_REASON VPROF_WATCH_RING VPROF_WATCH_STEP"
is "the reason and the pid" "$(grep -E 'REASON|PID' env | xargs)" "VPROF_WATCH_PID=$program VPROF_WATCH_REASON=slow_step"
ok "the ring" test -e "$(sed -n 's/^VPROF_WATCH_RING=//p' env)"
end_programs

loop 300 6 0 0 0
until_true have_rings 2
watch --slow-step 30x -- true
wait "$program"
kill -INT "$watcher"
watch_ends
is "Ctrl-C ends a watch well" $? 0
is "steps that are alike give no event" "$(events)" 0
ok "a summary" grep -q ' 0 slow steps' "$TMP/told.err"
end_programs

loop 1000 8 40 200 0
until_true have_rings 3
watch --slow-step 150ms --limit 1 -- true
watch_ends
is "a limit in ms" $? 0
ok "is told" told "pid $program loop: step [0-9]+ took (1[5-9]|2.)[0-9.]+ ms"
end_programs

# ---- idle ----

loop 100 1 0 0 8000
watch --idle 800ms --cooldown 0s
until_true told "pid $program loop: no call for"
sleep 1
kill -INT "$watcher"
watch_ends
is "a process that is idle is told once" "$(grep -c 'no call for' "$TMP/told")" 1
is "the default action copies all rings" "$(ls -d snap-*/*."$program".*.ring | wc -l)" 1
ok "one that has ended is not judged" not told 'hang|not returned'
end_programs

# ---- a hang, a command that fails, and one that goes on ----

rm -rf snap-*
start FAKECUDA_INSTANT=1 FAKECUDA_HANG=cuLaunchKernel:5000 "$BUILD/safety/launcher" "$TMP/progress" 1 0 20
hung=$program
watch --hang 500ms --cooldown 0s --last 60s -o "$TMP"
until_true told "pid $hung launcher: cuLaunchKernel has not returned for"
sleep 1
kill -INT "$watcher"
watch_ends
is "a call that hangs is told once" "$(grep -c 'not returned' "$TMP/told")" 1
is "it is in flight in the copy" "$(json snap-* '[.[] | select(.pid == '"$hung"')] | .[0].in_flight')" 1

# Named as a person in the folder above names them, copied into a folder that is not there yet, and then not any more.
mkdir late
"$BUILD/vprof" watch late --every 20ms --hang 300ms --cooldown 0s --limit 1 -o gone >"$TMP/told" 2>"$TMP/told.err" &
watcher=$!
programs+=("$watcher")
until_true test -d gone && rmdir gone
late() { start VPROF_OUT="$TMP/late" FAKECUDA_INSTANT=1 FAKECUDA_HANG=cuLaunchKernel:5000 "$BUILD/safety/launcher" "$TMP/$1" 1 0 20; }
late early
until_true grep -q '^vprof watch: the action ended with status 1' "$TMP/told.err"
mkdir gone
late later
watch_ends
is "copies that could not be made are told, and do not count" "$? $(grep -c '^vprof watch: gone/snap-[0-9-]*: No such file' "$TMP/told.err")" "0 1"
is "those that could are there, of rings that were named by where one is" "$(ls gone/snap-*/*.ring | wc -l)" 2
is "a file is no folder for copies" "$("$BUILD/vprof" watch --idle 1s -o told "$OUT" 2>&1; echo $?)" \
	"vprof watch: --output told: Not a directory
1"

watch --hang 300ms --json -- sh -c 'exit 3'
until_true told hang
kill -INT "$watcher"
watch_ends
ok "an action that fails is told" grep -q 'the action ended with status 3' "$TMP/told.err"

start FAKECUDA_INSTANT=1 FAKECUDA_HANG=cuLaunchKernel:5000 "$BUILD/safety/launcher" "$TMP/progress2" 1 0 20
hangs() { "$BUILD/vprof" ps "$OUT" "$program" | grep -q 'cuLaunchKernel IN FLIGHT [0-9.]* s'; }
until_true hangs
watch --hang 300ms --json --cooldown 0s -- sleep 3
until_true says 2 events
is "one action at a time" "$(jq -r .action "$TMP/told" | xargs)" "started busy"
kill -INT "$watcher"
watch_ends
ok "the other is counted" grep -q '1 event without' "$TMP/told.err"
end_programs

"$BUILD/vprof" watch --idle 1s "$TMP/nothing" 2>"$TMP/told.err" &
programs+=($!)
ok "with nothing to watch it says so" until_true grep -qx 'vprof watch: no process to be watched yet; waiting for one' "$TMP/told.err"
end_programs
mkdir usual
VPROF_OUT=$TMP/usual "$BUILD/vprof" watch --idle 1s 2>"$TMP/told.err" &
programs+=($!)
ok "and where, if nobody named a folder" until_true grep -qx "vprof watch: no process to be watched yet in $TMP/usual; waiting for one" "$TMP/told.err"
end_programs
start VPROF_OUT="$TMP/usual" FAKECUDA_INSTANT=1 "$BUILD/safety/launcher" "$TMP/progress3" 1 0 20
until_true compgen -G 'usual/*.ring'
VPROF_OUT=$TMP/usual "$BUILD/vprof" watch --idle 1s 2>"$TMP/told.err" &
programs+=($!)
ok "likewise with something" until_true grep -qx "vprof watch: 1 process in $TMP/usual" "$TMP/told.err"
end_programs

# ---- SIGSTOP ----

hammer 1
until_true have_rings 7
sleep 0.3
watch --idle 800ms --hang 800ms -- true
sleep 0.5
kill -STOP "$program"
sleep 2.5
is "a process that is stopped is neither idle nor hung" "$(events)" 0
kill -INT "$watcher"
watch_ends
end_programs

# ---- usage ----

usage() { "$BUILD/vprof" watch "$OUT" "$@" >"$TMP/said" 2>&1; echo $?; }
is "nothing to watch for" "$(usage)" 2
is "a factor that is none" "$(usage --slow-step 1x)" 2
is "neither factor nor time" "$(usage --slow-step fast)" 2
ok "is named" grep -q 'fast is neither a factor' "$TMP/said"
is "too often" "$(usage --idle 1s --every 10us)" 2
cd - >/dev/null || exit
done_testing
