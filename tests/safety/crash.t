#!/usr/bin/env bash
# SIGKILL at every testpoint and at random moments: what was recorded before is in the
# ring, whole and in order, and nothing else is (ring_check.c says what that means).
. tests/tap.sh
. tests/safety/lib.sh

RANDOM_KILLS=${RANDOM_KILLS:-48}
RANDOM=$$

check() { "$PROGRAMS/ring_check" "$TMP/progress" "$OUT" "$@"; }

# run_killed NAME:N THREADS LAUNCHES KERNELS: exit status in $status
run_killed() {
	new_out
	LIBRARY=$TEST_LIBRARY traced FAKECUDA_INSTANT=1 VPROF_RING_MB="${ring_mb:-2}" VPROF_TESTPOINT="$1" \
		"$PROGRAMS/launcher" "$TMP/progress" "${@:2}" >"$TMP/output" 2>&1
	status=$?
} 2>/dev/null

# ---- at each point that the sources name ----

points=$(grep -rhoE 'TESTPOINT\("[^"]+"\)' preload shim | sed 's/.*("//; s/").*//' | grep -vx launch_taken | sort -u)
ok "the sources have testpoints" test -n "$points"
for point in $points; do
	case $point in # reached where recording is switched
	capture_* | window_*) capture=profiler ;;
	*) capture=always ;;
	esac
	for n in 1 2 3 300 70000; do
		VPROF_CAPTURE=$capture run_killed "$point:$n" 4 30000 300
		case $n:$status in
		*:137) how="killed at" ;;
		1:*)   how="NOT killed at" ;;
		*)     how="never reached" ;;
		esac
		if [ "$n:$status" = "1:$status" ]; then
			is "$point kills the first time" "$status" 137
		fi
		ok "$how $point number $n: the ring holds what was made, no more" check
		[ "$status" = 137 ] || is "$point number $n: else the program ends well" "$status" 0
	done
done

# One is passed where launches are limited, which takes somebody else. By one thread: others would take some more while it dies.
new_out
LIBRARY=$TEST_LIBRARY run=exec traced VPROF_CAPTURE=off FAKECUDA_INSTANT=1 VPROF_TESTPOINT=launch_taken:500 \
	"$PROGRAMS/launcher" "$TMP/progress" 1 0 300 >"$TMP/output" 2>&1 &
pid=$!
# It dies when it does what it is asked to, with or without an answer.
asked() { [ -e "$(echo "$OUT"/*.ring)" ] && { "$BUILD/vprof" start --wait 2s --launches 1000000 "$OUT" || ! kill -0 $pid; }; }
until_true asked
wait $pid 2>/dev/null
is "launch_taken kills" $? 137
ok "killed at launch_taken: the tools read it" tools_read "$OUT"/*.ring
launches=$(grep -c cuLaunchKernel "$TMP/dump.out")
ok "it has launches, no more than were taken ($launches)" test $((launches > 0 && launches <= 500)) = 1

# The record path's points with one thread: exactly one launch can be in flight.
for point in publish_after end_before; do
	run_killed "$point:7000" 1 30000 1
	ok "one thread killed at $point: its last launch is in flight" check 1
done

# ---- in the middle of a call ----

new_out
run=exec traced FAKECUDA_HANG=cuLaunchKernel:5000 "$PROGRAMS/launcher" "$TMP/progress" 1 0 7 2>/dev/null &
pid=$!
hangs() { "$BUILD/vprof" dump "$OUT" | awk '/ cuLaunchKernel / { made++; open += $6 == "in-flight" } END { exit !(made == 5000 && open) }'; }
until_true hangs
kill -9 $pid
wait $pid 2>/dev/null
ok "killed in a call that hangs: the call is in flight" check 1
ok "the tools read it" tools_read "$OUT"/*.ring
is "vprof dump has every call that was made" "$(grep -c cuLaunchKernel "$TMP/dump.out")" 5000

# ---- at random moments ----

# Half of them in a ring that goes round all the time, a third of them in one on storage,
# and half of them while the process has hardly begun; the others when it has launched.
has_launched() { [ "$(od -An -tu8 -j72 -N8 "$TMP/progress" | tr -d ' ')" -gt 0 ]; } # tests/safety/progress.h
kill_at_random() {
	local pid mb=64 at=auto delay=$((RANDOM % 30))
	(($1 % 2)) || mb=1
	(($1 % 3)) || at=out
	(($1 % 4 < 2)) || delay=$((RANDOM % 150))
	new_out
	rm -f "$TMP/progress"
	run=exec traced FAKECUDA_INSTANT=1 VPROF_RING_MB=$mb VPROF_RING_AT=$at \
		"$PROGRAMS/launcher" "$TMP/progress" 6 0 100 2>"$TMP/output" &
	pid=$!
	(($1 % 4 < 2)) || until_true has_launched
	sleep "0.$(printf %03d $delay)"
	kill -9 $pid
	wait $pid 2>/dev/null
	moment="after $delay ms, ring of $mb MiB ($at)"
}

recorded=0
for ((i = 0; i < RANDOM_KILLS; i++)); do
	kill_at_random $i
	# Before the launcher has made its file there is nothing to lose.
	if [ ! -s "$TMP/progress" ]; then
		is "killed $moment: no ring" "$(rings)" 0
		continue
	fi
	ok "killed $moment: the ring holds what was made, no more" check
	if check >"$TMP/said" && ! grep -q '^0 launches\|^0 rings\|not' "$TMP/said"; then
		recorded=$((recorded + 1))
	fi
	# One that was killed between making the file and making it a ring has left nothing to read.
	! grep -q ' launches, ' "$TMP/said" || [ $((i % 8)) != 7 ] || ok "the tools read it" tools_read "$OUT"/*.ring
done
ok "of $RANDOM_KILLS kills $recorded hit a process that was recording" test $recorded -ge $((RANDOM_KILLS / 2))

done_testing
