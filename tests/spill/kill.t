#!/usr/bin/env bash
# kill -9 at any moment loses nothing but what is counted: what was being written is still in the ring.
. tests/tap.sh
. tests/spill/lib.sh
all_counted() { [ $(($(seen present) + $(seen overwritten) + $(seen torn))) = "$(seen reserved)" ]; }

for round in $(seq 12); do
	drop "$OUT"
	MB=2 run=exec traced "$BUILD/spill/loop" 4 "$LAUNCHES" 1500 20000 </dev/null >/dev/null 2>"$TMP/err" &
	pid=$!
	until_true has_gone_on 0
	sleep 0.$((RANDOM % 6 + 2))$((RANDOM % 10))
	kill -9 $pid
	wait $pid 2>/dev/null
	look "$LAUNCHES"
	lost=$(seen overwritten) told=$(($(seen spilled) * 255))
	# Of the frames that were not written yet, all is in the ring; what was not reached in time is told, but for the last gap.
	ok "round $round: $(show launches frames torn_bytes overwritten spilled)" all_counted
	is "and what is there is whole" "$(show twice order odd bad_files bad_frames)" "twice=0 order=0 odd=0 bad_files=0 bad_frames=0"
	ok "but for the call that each thread was in" [ $(($(seen open) + $(seen torn))) -le 4 ]
	[ "$lost" -le $((told + 16 * 255)) ] || diag "more was overwritten than told: $lost, $told"
done
done_testing
