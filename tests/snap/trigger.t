#!/usr/bin/env bash
# VPROF_SNAP_ON: a process copies its own ring when something happens, and tools take no record twice.
. tests/tap.sh
. tests/snap/lib.sh
command -v jq >/dev/null || skip_all "no jq"

# traced NAME=VALUE... PROGRAM...: in the foreground, with an output folder of its own.
traced() {
	drop "$OUT"
	(exec_traced FAKECUDA_INSTANT=1 VPROF_RING_MB=4 "$@") >"$TMP/stdout" 2>"$TMP/stderr"
}
copies() { find "$OUT" -name '*.snap-*.ring' | wc -l; }
have_copies() { [ "$(copies)" -ge "$1" ]; }
loop=$BUILD/snap/loop

# ---- each kind ----

# Times are such that a program that a busy machine keeps waiting is neither idle nor slow.
traced VPROF_SNAP_ON=idle:800ms "$loop" 100 1 0 0 4000
is "a process that becomes idle makes one copy" "$(copies)" 1
is "named as its ring" "$(cd "$OUT" && ls ./*.snap-1.ring)" "$(cd "$OUT" && ls | sed '1s|^|./|; 1s/\.ring$/.snap-1.ring/; q')"
is "for its owner's eyes" "$(stat -c %a "$OUT"/*.snap-1.ring)" 600
# 5 calls at the start, and 10 in each step; one more step comes after the copy.
is "it has all records up to then" "$(json "$OUT"/*.snap-1.ring '.[0] | "\(.state) \(.in_flight) \(.torn) \(.thread_table[0].records % 10)"')" \
	"copy 0 0 $(json "$OUT" '.[0].thread_table[0].records % 10')"
ok "and not those after it" test "$(json "$OUT"/*.snap-1.ring '.[0].present')" = "$(($(json "$OUT" '.[0].present') - 10))"
ok "the moment is behind the last call by the time that was asked for" \
	json "$OUT"/*.snap-1.ring -e '.[0] | (.cut_ns - .last_ns) / 1e6 | . > 800 and . < 4000'
is "nothing is said" "$(cat "$TMP/stderr")" ""

traced VPROF_SNAP_ON=idle:800ms "$loop" 5 1 0 0 2000
is "one that was never busy makes none" "$(copies)" 0

drop "$OUT"
start FAKECUDA_INSTANT=1 FAKECUDA_HANG=cuLaunchKernel:5000 VPROF_SNAP_ON=hang:500ms,cooldown:1ms "$BUILD/safety/launcher" "$TMP/progress" 1 0 20
until_true have_copies 1
sleep 1.2
is "a call that hangs makes one copy" "$(copies)" 1
is "it is in flight there" "$(json "$OUT"/*.snap-1.ring '.[0].in_flight')" 1
end_programs

traced VPROF_SNAP_ON=slow_step:10x,cooldown:1ms VPROF_SNAP_MOST=2 "$loop" 300 8 40 200 0
is "slow steps make copies, up to the number that is allowed" "$(copies)" 2
ok "at the end of a slow step, or soon after" json "$OUT"/*.snap-1.ring -e '.[0].thread_table[0].records | . >= 400 and . % 400 < 200'
traced VPROF_SNAP_ON=slow_step:30x,cooldown:1ms "$loop" 100 6 0 0 0
is "steps that are alike make none" "$(copies)" 0
traced VPROF_SNAP_ON=slow_step:60ms,cooldown:60s "$loop" 100 4 30 80 0
is "a limit in ms, and a cooldown" "$(copies)" 1

# ---- the copy while other threads launch without pause ----

drop "$OUT"
start FAKECUDA_INSTANT=1 FAKECUDA_HANG=cuLaunchKernel:50000 VPROF_SNAP_ON=hang:400ms,cooldown:50ms VPROF_SNAP_MOST=3 VPROF_RING_MB=16 \
	"$BUILD/safety/launcher" "$TMP/progress" 4 0 20
until_true have_copies 1
sleep 0.5
for copy in "$OUT"/*.snap-*.ring; do
	ok "${copy##*.snap-} is sound" "$BUILD/snap/copy_check" "$copy"
	ok "and nothing in it is torn" json "$copy" -e 'all(.torn == 0 and .bad_chunks == 0 and .bad_defs == 0 and .cut_bytes == 0 and .cut_ns >= .last_ns)'
	ok "and has the call that hangs" test "$(json "$copy" '.[0].in_flight')" -ge 1
done
end_programs

# ---- no record twice ----

traced VPROF_SNAP_ON=idle:800ms,cooldown:1ms "$loop" 100 1 0 0 3000
launches() { "$BUILD/vprof" dump "$@" 2>"$TMP/note" | grep -c cuLaunchKernel; }
is "of a folder the copies are left out" "$(launches "$OUT")" 808
ok "which is said" grep -q '1 copy (\*.snap-N.ring) left out' "$TMP/note"
is "of files, those whose ring is among them" "$(launches "$OUT"/*.ring)" 808
is "alone they are read" "$(launches "$OUT"/*.snap-1.ring)" 800
is "vprof info lists all" "$(json "$OUT" 'map(.state) | sort | join(" ")')" "closed copy"
"$BUILD/vprof" snap "$OUT" -o "$TMP/again" >"$TMP/said"
is "vprof snap copies no copies" "$(rings "$TMP/again")" 1

# ---- bad input, no room ----

for bad in idle idle:0s idle:5 slow_step:1x slow_step:fast hang:1s,,idle:1s hang:1s, sometimes:1s; do
	traced VPROF_SNAP_ON="$bad" "$loop" 3 1 0 0 0
	is "VPROF_SNAP_ON=$bad is named in one line" "$(sed 's/^vprof: pid [0-9]*: //' "$TMP/stderr")" \
		"VPROF_SNAP_ON=$bad is not understood; none holds"
done

if [ "$(id -u)" = 0 ] && mkdir "$TMP/small" && mount -t tmpfs -o size=6m tmpfs "$TMP/small" 2>/dev/null; then
	OUT=$TMP/small/out
	: >"$TMP/stderr"
	start FAKECUDA_INSTANT=1 VPROF_SNAP_ON=hang:400ms,cooldown:1ms VPROF_RING_MB=5 FAKECUDA_HANG=cuLaunchKernel:60000 \
		"$BUILD/safety/launcher" "$TMP/progress" 2 0 20
	complaints() { grep -c 'no copy of the ring in .*: no space left on device' "$TMP/stderr"; }
	until_true says 1 complaints
	sleep 1
	end_programs
	is "without room no part of a copy is left" "$(copies)" 0
	is "and one line says so" "$(complaints)" 1
	umount "$TMP/small"
fi
done_testing
