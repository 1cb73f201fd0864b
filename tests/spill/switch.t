#!/usr/bin/env bash
# Keeping everything begins and ends by request, while the program goes on.
. tests/tap.sh
. tests/spill/lib.sh
vprof=$BUILD/vprof
files() { compgen -G "$OUT/*.spill.*" | wc -l; }
spill_thread() { grep -lx vprof-spill /proc/$pid/task/*/comm 2>/dev/null | wc -l; }

has_grown() { look "$LAUNCHES"; [ "$(seen frames)" -gt "$1" ] 2>/dev/null; }
has_files() { [ "$(files)" -gt 0 ]; }
# Nothing is kept of what comes round meanwhile.
is_quiet() {
	local a
	a=$(cat "$OUT"/*.spill.* | wc -c)
	until_true has_gone_on $(($(reserved) + 10000))
	[ "$a" = "$(cat "$OUT"/*.spill.* | wc -c)" ]
}

MB=2 run=exec traced VPROF_SPILL=0 "$BUILD/spill/loop" 2 "$LAUNCHES" 1500 20000 </dev/null >/dev/null 2>"$TMP/err" &
pid=$!
trap 'kill -9 $pid 2>/dev/null; drop "$TMP"' EXIT
until_true has_gone_on 10000
is "off: no thread, no file" "$(spill_thread) $(files)" "0 0"

ok "start --spill" "$vprof" start --all --spill "$OUT"
ok "begins to keep" until_true has_files
is "with a thread of its own" "$(spill_thread)" 1
ok "and goes on" until_true has_grown 10
ok "stop --spill" "$vprof" stop --spill "$OUT"
ok "ends it" until_true is_quiet
look "$LAUNCHES"
before=$(seen frames)
ok "again" "$vprof" start --all --spill "$OUT"
ok "it goes on" until_true has_grown $((before + 10))
is "the same thread" "$(spill_thread)" 1
kill -9 $pid
wait $pid 2>/dev/null
look "$LAUNCHES"
is "what is there is there once, and whole" "$(show twice order odd bad_files bad_frames)" "twice=0 order=0 odd=0 bad_files=0 bad_frames=0"
ok "but for the call that each thread was in" [ $(($(seen open) + $(seen torn))) -le 2 ]
is "all are counted" "$(($(seen present) + $(seen overwritten) + $(seen torn)))" "$(seen reserved)"

# A file that somebody takes away ends the spill, and not the program.
drop "$OUT"
MB=2 run=exec traced "$BUILD/spill/loop" 2 "$LAUNCHES" 1500 20000 </dev/null >/dev/null 2>"$TMP/err" &
pid=$!
until_true has_files
until_true has_grown 3
rm "$OUT"/*.spill.0
ok "a file that is deleted under it: said once" until_true grep -q 'the spill .* ends: ' "$TMP/err"
until_true has_gone_on $(($(reserved) + 10000))
is "and never again" "$(grep -c 'spill' "$TMP/err") $(files)" "1 0"
ok "the program goes on" kill -0 $pid
done_testing
