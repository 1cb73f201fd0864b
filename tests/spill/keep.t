#!/usr/bin/env bash
# With VPROF_SPILL=1 nothing is lost that the spill's thread can keep up with; what it cannot is counted.
. tests/tap.sh
. tests/spill/lib.sh

# kept NAME LAUNCHES WANTED LOOP...: a machine with much else to do may keep the spill's thread waiting; it has ten tries.
kept() {
	local name=$1 launches=$2 wanted=$3
	shift 3
	for _ in $(seq 10); do
		loop "$@"
		look "$launches"
		[ "$(seen missing)" != 0 ] || break
		diag "$name: $(show missing overwritten spilled), once more"
	done
	is "$name" "$(show launches) $(whole)" "launches=$wanted $WHOLE"
}

kept "one thread: every launch, once, in order" 30000 30000 1 30000 1000 20000
ok "of which the ring alone has a part" test "$(seen records)" -gt 10000
is "and nothing is said" "$(cat "$TMP/err")" ""
is "the spill is its owner's alone" "$(stat -c %a "$OUT"/*.spill.0)" 600
ok "it takes less than 16 bytes a record" test $(($(seen bytes) / $(seen records))) -lt 16
for verb in "vprof dump" vprof-merge; do
	# shellcheck disable=SC2086 # a command and its verb
	is "$verb has them all" "$("$BUILD"/$verb "$(ring)" 2>/dev/null | grep -c '"\?cuLaunchKernel')" 30000
done

MB=16 kept "8 threads, 2 million launches" 250000 2000000 8 250000 2000 25000
MB=4 kept "threads that end, lanes that pass on" 9000 360000 4 9000 1500 25000 turns 10

# Faster than anybody can write.
loop 8 200000 1 0
look 200000
is "whatever happens, all are counted" "$(($(seen present) + $(seen overwritten)))" "$(seen reserved)"
is "and those that are there are whole" "$(show twice order open odd torn)" "twice=0 order=0 open=0 odd=0 torn=0"
diag "$(show launches missing overwritten spilled)"
[ "$(seen overwritten)" = 0 ] || ok "losses are told" test "$(seen spilled)" -gt 0

# Children keep their own.
loop 2 20000 500 10000 fork
for ring in "$OUT"/*.ring; do
	look 20000 "$ring"
	is "parent and child, each in its own" "$(show launches) $(whole)" "launches=40000 $WHOLE"
done
is "two rings, two spills" "$(compgen -G "$OUT/*.ring" | wc -l) $(compgen -G "$OUT/*.spill.0" | wc -l)" "2 2"
done_testing
