#!/usr/bin/env bash
# vprof gpu: busy, idle and copy time, concurrency and gaps, against the truth of what ran.
. tests/tap.sh

here=tests/gputime
command -v python3 >/dev/null || skip_all "python3 makes the rings"
vprof=$BUILD/vprof
python3 "$here/made.py" --replays 400 --everything "$TMP/a.all" "$TMP/a.ring" >"$TMP/a.truth"
"$vprof" gpu --json --bins 10 "$TMP/a.ring" >"$TMP/a.json"
device() { jq -c ".devices[0] | $1" "$TMP/a.json"; }
is "launches: all, measured, of kinds that were" "$(device '[.launches, .measured, .covered]')" "[1200,200,1200]"
cat >"$TMP/truth.py" <<'END'
# What the tool must say: "span busy copy work most" of the measured, at work and in copies of all, and what lies between launches.
import sys
from collections import defaultdict
COST = {"kernel": 1408, "eager": 1600, "eager copy": 1920}
def launches(path):
    all = defaultdict(list)
    for line in open(path):
        kind, _, graph, _, begin, end, _, t0, _ = line.rstrip("\n").split("\t")
        if kind != "graph":
            all[t0, graph].append((int(begin), int(end), kind))
    return all
def union(parts):
    total, over = 0, 0
    for begin, end, *_ in sorted(parts):
        total += max(0, end - max(begin, over))
        over = max(over, end)
    return total
spans = busy = copy = work = most = 0
for parts in launches(sys.argv[1]).values():
    spans += max(p[1] for p in parts) - min(p[0] for p in parts)
    busy += union(parts)
    copy += union(parts) - union([p for p in parts if p[2] == "kernel"])
    work += sum(p[1] - p[0] for p in parts)
    most = max(most, max(sum(a[0] <= b[0] < a[1] for a in parts) for b in parts))
every = launches(sys.argv[2]).values()
kernels = sum(union([p for p in parts if p[2] == "kernel"]) for parts in every)
gaps, idle, longest, over = 0, 0, 0, 0
for (_, graph), parts in sorted(launches(sys.argv[1]).items(), key=lambda l: min(l[1])[0]):
    begin = min(parts)[0] - COST[("eager" if graph == "0" else "kernel") + (" copy" if parts[0][2] == "copy" else "")]
    if over and begin > over:
        gaps, idle, longest = gaps + 1, idle + begin - over, max(longest, begin - over)
    over = max(over, max(p[1] for p in parts))
print(spans, busy, copy, work, most, sum(map(union, every)), sum(map(union, every)) - kernels, gaps, idle, longest)
END
read -r span busy copy work most all copies _ < <(python3 "$TMP/truth.py" "$TMP/a.truth" "$TMP/a.all")
# near WHAT GOT WANTED: as far apart as steps of the clock can make it
near() { ok "$1" awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0.995 * b && a < 1.005 * b) }'; }
near "from first work to last" "$(device .span_ns)" "$span"
near "at work" "$(device .busy_ns)" "$busy"
near "copies alone" "$(device .copy_ns)" "$copy"
near "all pieces" "$(device .work_ns)" "$work"
is "at once; gaps are not known where not all is" "$(device '[.most_at_once, .gaps]')" "[$most,null]"
near "over time: with what was not measured" "$(device '[.bins[].busy_ns] | add')" "$all"
near "over time: copies alone" "$(device '[.bins[].copy_ns] | add')" "$copies"
near "over time: what was measured" "$(device '[.bins[].seen_ns] | add')" "$busy"
is "each part has its launches" "$(device '[.bins[].launches] | unique | length')" 1
ok "a table for people" grep -qE '^ +0 ms +120 .* 100% +[0-9.]+% +[0-9.]+% +9[0-9.]+% ' <("$vprof" gpu --bins 10 "$TMP/a.ring")
# The host's clock goes slower than the GPU's, and nothing is taken off: one node ends where the next begins.
python3 "$here/made.py" --replays 400 --skip costs --drift 40 "$TMP/d.ring" >"$TMP/d.truth"
read -r _ _ _ _ most _ < <(python3 "$TMP/truth.py" "$TMP/d.truth" "$TMP/d.truth")
is "at once: not the node behind with the one ahead" "$("$vprof" gpu --json "$TMP/d.ring" | jq '.devices[0].most_at_once')" "$most"
python3 "$here/made.py" --replays 40 --every 1 --all "$TMP/a.ring" >"$TMP/b.truth"
"$vprof" gpu --json "$TMP/a.ring" >"$TMP/a.json"
read -r _ _ _ _ _ _ _ gaps idle longest < <(python3 "$TMP/truth.py" "$TMP/b.truth" "$TMP/b.truth")
is "all measured: gaps between launches" "$(device .gaps)" "$gaps"
near "how long they are" "$(device .idle_ns)" "$idle"
near "the longest" "$(device .longest_gap_ns)" "$longest"

# When work ran: queue.py says what its processes do.
# told SCENARIO [OPTION...]: what the tool says of it, in $TMP/q.json.
told() {
	python3 "$here/queue.py" "$1" "$TMP/q.ring" >"$TMP/q.truth"
	"$vprof" gpu --json --bins 12 "${@:2}" "$TMP/q.ring" >"$TMP/q.json"
}
# right NAME PERCENT SCENARIO [OPTION...]: each bin is as it was, within so much of its length.
right() {
	told "${@:3}"
	is "$1" "$(python3 "$here/bins.py" "$TMP/q.truth" "$TMP/q.json" "$2")" ""
}
# What `vprof gpu` says of each bin, in percent.
each() { jq -c ".bin_ns as \$all | .devices[0].bins | map($1 * 100 / \$all | round)" "$TMP/q.json"; }
right "launches far ahead: busy until the queue is over, then idle" 3 far
is "of these rows most have no launch" "$(jq -c '.devices[0].bins | map(.launches > 0)' "$TMP/q.json")" \
	"[true,true,true,true,false,false,false,false,false,false,false,true]"
right "in what is looked at alone" 8 far --from 130ms --to 250ms
is "in which nothing was launched" "$(jq -c '.devices[0] | [.launches, .measured, .bins[].launches] | unique' "$TMP/q.json")" "[0]"
is "and in which all is busy" "$(each .busy_ns | jq -c 'map(. >= 95) | unique')" "[true]"
right "none measured behind the first" 12 first
right "one measured, behind many others: nothing waits as long as it did" 8 late
right "what is not over at the end lies behind it" 8 killed
ok "which is said" grep -qE '^  19[0-9]\.[0-9] ms of work lie behind the end of this, launched before it$' <("$vprof" gpu "$TMP/q.ring")
right "idle stays idle" 1 sparse
told sparse --bins 80
is "between two launches" "$(each .busy_ns)" "$(jq -nc '[range(80) | if . % 2 == 0 then 20 else 0 end]')"
right "two streams at once count once" 1 streams
right "copies count alone where no kernel runs beside them" 1 copies
right "what is too long for its place is compressed: idle behind it" 1 short
right "and that alone" 1 squeezed
right "what the host has waited for is over" 1 waited
right "the legacy default stream is one, whether it is called 0 or 1" 1 legacy
right "and not the thread's own" 1 own
right "a stream without a definition is on the GPU on which it was measured" 1 undefined
right "work that was launched before recording ended is known" 1 paused --bins 30
is "when nothing was recorded, and nothing is known to have run: that alone is neither" "$(each .off_ns)" \
	"$(jq -nc '[range(30) | if . == 11 then 90 elif . == 19 then 50 elif . > 11 and . < 19 then 100 else 0 end]')"
is "nor is it a gap" "$(jq -c '.devices[0] | [.gaps, .idle_ns, .longest_gap_ns] | map((. / 1e6 * 10 | round) / 10)' "$TMP/q.json")" "[0,167,9]"
"$vprof" gpu --bins 30 "$TMP/q.ring" >"$TMP/q.text"
ok "which is said" grep -q '^  recording was off for 84\.0 ms of this (OFF in the table)' "$TMP/q.text"
is "and shown: busy, idle, off" "$(awk '$2 == "ms" { print $6, $8, $10 }' "$TMP/q.text" | sed -n '12p;20p' | paste -sd ';')" \
	"10.1% 0.0% 89.9%;0.0% 50.0% 50.0%"
told sparse
ok "where it was on all along there is no such thing" test "$("$vprof" gpu "$TMP/q.ring" | grep -c OFF) $(jq '.devices[0].off_ns' "$TMP/q.json")" = "0 0"
told nowhere
is "launches of which the GPU is not known are counted" "$(jq -c '[.nowhere, (.devices[] | .device, .launches)]' "$TMP/q.json")" "[20,1,40]"
ok "and said" grep -q '^of 20 launches, not measured, it is not known on which GPU (as on default streams):$' <("$vprof" gpu "$TMP/q.ring")
is "where they are looked at" "$("$vprof" gpu --json --to 100ms "$TMP/q.ring" | jq .nowhere)" 5
told undefined
ok "else not a word" test "$("$vprof" gpu "$TMP/q.ring" | grep -c 'not known') $(jq .nowhere "$TMP/q.json")" = "0 0"
told unknown --bins 10
is "of kinds that were never measured nothing is known" "$(each .busy_ns) $(jq -c '.devices[0] | [.covered, .launches]' "$TMP/q.json")" \
	"[10,10,10,10,10,10,10,10,10,10] [40,80]"

# A program on the fake driver: 400 launches at once of a graph of 0.8 ms, one in 16 measured.
. tests/gputime/lib.sh
client=$BUILD/gputime/client
LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=sample:16 halting burst has_twins 1 "$client" burst 400 80 1
"$vprof" gpu --json --bins 50 --last 400ms "$TMP/burst" >"$TMP/q.json"
# From behind the row in which most are launched to the one in which the last work was seen.
queued='.bin_ns as $all | .devices[0].bins | (map(.launches) | index(max)) as $from | ([.[].seen_ns > 0] | rindex(true)) as $to |
	.[$from + 1:$to]'
ok "a program far ahead of its GPU: most of the time it launches nothing" test "$(jq "$queued | map(select(.launches == 0)) | length" "$TMP/q.json")" -ge 25
is "and the GPU is busy all along" "$(jq -c "$queued | map(select(.busy_ns < 0.95 * \$all))" "$TMP/q.json")" "[]"

cat >"$TMP/beside.py" <<'END'
# How many launches of graphs a trace draws, how many of them begin before the one ahead is over, and whether some are expected.
import json, sys
graphs = sorted((e["ts"], e["ts"] + e["dur"], "estimated" in e["args"]) for e in json.load(open(sys.argv[1]))["traceEvents"]
                if e["ph"] == "X" and e["cat"] in ("gpu_graph", "gpu_estimated") and "node" not in e["args"])
print(len(graphs), sum(b[0] < a[1] - 0.002 for a, b in zip(graphs, graphs[1:])), {g[2] for g in graphs})
END
"$BUILD/vprof-merge" --estimate "$TMP/burst" >"$TMP/q.trace" 2>/dev/null
is "the trace draws each launch, and no two at once" "$(python3 "$TMP/beside.py" "$TMP/q.trace")" "500 0 {False, True}"
LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=all VPROF_GPU_PARTS=4 halting parts has_twins 4 "$client" burst 200 80 1
"$vprof" gpu --json --bins 50 --last 200ms "$TMP/parts" >"$TMP/q.json"
is "launches that are timed in part are at work with the other nodes as well" "$(jq -c "$queued | map(select(.busy_ns < 0.95 * \$all))" "$TMP/q.json")" "[]"

"$BUILD/tests/make_ring" "$TMP/none.ring"
is "rings without" "$("$vprof" gpu "$TMP/none.ring" 2>&1)" "vprof gpu: these rings have no times of a GPU (see VPROF_GPU)"
"$vprof" gpu --bins 0 "$TMP/a.ring" >/dev/null 2>&1
is "no parts" $? 2
# At its end the main thread collected much of it, behind its own records.
python3 "$here/made.py" --replays 400 --alone --ended 300 "$TMP/ended.ring" >/dev/null
is "all launches lie in the time that is looked at" "$("$vprof" gpu --json "$TMP/ended.ring" | jq '[.devices[0].bins[].launches] | add')" 1200

done_testing
