#!/usr/bin/env bash
# Stamps become times: begin, end, correction and place of every node, by a truth that made.py computes otherwise.
. tests/tap.sh

here=tests/gputime
command -v python3 >/dev/null || skip_all "python3 makes the rings"

# made NAME [OPTION...]: a ring, its truth and what the tools read from it
made() {
	local name=$1
	shift
	python3 "$here/made.py" "$TMP/$name.ring" "$@" >"$TMP/$name.truth"
	"${LIST:-$BUILD/gputime/list}" "$TMP/$name.ring" >"$TMP/$name.list"
}
count() { sed -n "s/^counts.* $2=\([0-9]*\).*/\1/p" "$TMP/$1.list"; }
clock() { sed -n "s/^clock.* $2=\([-0-9.]*\).*/\1/p" "$TMP/$1.list"; }
# true_to NAME: all of the truth is there, as exact as the clock's error says
true_to() { is "$2" "$(python3 "$here/compare.py" "$TMP/$1.truth" "$TMP/$1.list" $(($(clock "$1" error) + 100)))" ""; }

made plain
true_to plain "each node of each sampled replay, and each timed operation"
is "none is left out" "$(count plain no_stamp) $(count plain no_nodes) $(count plain backwards) $(count plain no_launch)" "0 0 0 0"
is "none before its launch" "$(count plain early)" 0
ok "clocks agree within the narrowest ties" test "$(clock plain error)" -le 3500
is "nodes carry what their definition says" \
	"$(awk -F '\t' '$1 == "copy" && $3 == 1 { print $14 } $2 == "_Z4ropePf" { print $13 }' "$TMP/plain.list" | sort -u | tr '\n' ' ')" "1048576 132 "
is "eager ones what their launch says" "$(awk -F '\t' '$2 == "_Z3addPf" && $3 == 0 { print $13, $12, $10 }' "$TMP/plain.list" | sort -u)" "64 2 stream"
is "and copies their bytes" "$(awk -F '\t' '$1 == "copy" && $3 == 0 { print $14 }' "$TMP/plain.list" | sort -u)" 65536

made drift --drift 40 --draw 2 --replays 4000 --every 100
true_to drift "a GPU clock that gains 40 in a million on the host"
ok "the gain is found" awk -v d="$(clock drift drift)" 'BEGIN { exit !(d > 39 && d < 41) }'
ok "and the error stays small" test "$(clock drift error)" -le 3500
made bend --drift 40 --bend -60 --draw 3 --replays 4000 --every 100 --ties 400
true_to bend "one that is being slewed"
ok "takes more than one line" test "$(clock bend lines)" -gt 1
made many --replays 6000 --every 2 --draw 4 --ties 6000
true_to many "many chunks, and more ties than are kept"

for n in 5 600; do
	made "ended$n" --all --replays 400 --ended "$n"
	true_to "ended$n" "the last $n were collected by the thread that ended the process"
done

for more in 560 720 1120; do
	made "cold$more" --cold "$more"
	true_to "cold$more" "what gauges say is taken off, $((more / 2 < 320 ? more / 2 : 320)) ns less of what the program itself lets begin early"
done
is "dump has words for stamps that are of no node" \
	"$("$BUILD/vprof" dump --defs "$TMP/cold720.ring" | grep -o '7:2,.*' | tr '\n' ' ')" \
	"7:2,started:0,8:3,9:4,10:1,gauge-begin:1,gauge-end:1,gauge:1,gauge-begin:1,gauge-end:1,gauge:1 "
made early --cold 720 --lead 128
true_to early "less so where that could have begun before"
made sooner --cold 720 --lead 384
true_to sooner "that and what it does before it waits, where it could have begun long before"
made soonest --cold 720 --lead 960
true_to soonest "96 ns of that at most"
made joined --cold 720 --lead 960 --joined
true_to joined "which a plain edge that it was waiting for does not let it"
made overtaken --overtaken
true_to overtaken "begun early and over before what it followed: there and then, beside that"
is "and not left out" "$(count overtaken backwards)" 0
is "a trace has it, of no length" "$("$BUILD/vprof-merge" "$TMP/overtaken.ring" | python3 -c '
import json, sys
print(*{e["dur"] for e in json.load(sys.stdin)["traceEvents"] if e.get("args", {}).get("node") == 8})')" 0.0
made backwards --overtaken --backwards
is "what waits and is over before: left out, and counted" "$(count backwards backwards) $(awk -F '\t' '$4 == 2' "$TMP/backwards.list" | wc -l)" "16 0"
made untried --cold 720 --skip costs
is "nor where stamps were not tried out: what gauges say" "$(awk -F '\t' '$10 == "programmatic" || $10 == "inherited" {
	print $10, $7 - (substr($6, 8) - substr($5, 8)) }' "$TMP/untried.list" | sort -u | tr '\n' ' ')" "inherited 1776 programmatic 1776 "

made ties --skip ties
is "without ties the error is not known" "$(clock ties error)" 18446744073709551615
made stamp --skip stamp
true_to stamp "a stamp that was not made takes its node, and those that wait for it"
is "which are counted" "$(count stamp no_stamp)" 2
made record --skip record
true_to record "stamps whose record is gone take no other's place"
is "and is counted" "$(count record no_stamp)" 1
for how in piece edges; do
	made "$how" --skip "$how"
	true_to "$how" "$how missing: only whole graphs"
	is "said of each replay" "$(count "$how" no_nodes)" "$(count "$how" replays)"
done
made launch --skip launch
true_to launch "launches that are overwritten: their events stand"
is "without a correlation" "$(awk -F '\t' '$3 == 1 { print $11 }' "$TMP/launch.list" | sort -u)" 0
made costs --skip costs
true_to costs "where nothing was measured of stamps nothing is taken off"

made gauges --gauges 700 --all --replays 200
true_to gauges "gauges of streams say what stamps cost there"
is "and are no operations" "$(count gauges timed)" 400

made early --ahead 0
python3 - "$TMP/early.ring" <<'END'
# All of the GPU's times 20 us earlier, the ties where they were.
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
chunks = struct.unpack_from("<Q", data, 40)[0]
for at in range(chunks, len(data), 64):
    if struct.unpack_from("<H", data, at + 24)[0] in (19, 21) and struct.unpack_from("<Q", data, at)[0]:
        struct.pack_into("<Q", data, at + 32, struct.unpack_from("<Q", data, at + 32)[0] - 20000)
open(sys.argv[1], "wb").write(data)
END
"$BUILD/gputime/list" "$TMP/early.ring" >"$TMP/early.list"
ok "kernels before their launch are counted" test "$(count early early)" -gt 10
ok "and by how much" test "$(count early early_ns)" -gt 1000
is "an operation of a stream that seems to be one is left out" \
	"$(count early untrue) $(count early events) $(awk -F '\t' '$10 == "stream"' "$TMP/early.list" | wc -l)" "16 144 0"

LIST=$BUILD/asan/gputime_list
[ -x "$LIST" ] || LIST=
for how in stamp record piece edges launch ties costs; do
	made clean --skip "$how" --draw 5
done
true_to clean "the same under the sanitizers"
done_testing
