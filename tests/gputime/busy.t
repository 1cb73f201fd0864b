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
# What the tool must say: "span busy copy work most" of the measured, the busy time of all, and what lies between launches.
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
gaps, idle, longest, over = 0, 0, 0, 0
for (_, graph), parts in sorted(launches(sys.argv[1]).items(), key=lambda l: min(l[1])[0]):
    begin = min(parts)[0] - COST[("eager" if graph == "0" else "kernel") + (" copy" if parts[0][2] == "copy" else "")]
    if over and begin > over:
        gaps, idle, longest = gaps + 1, idle + begin - over, max(longest, begin - over)
    over = max(over, max(p[1] for p in parts))
print(spans, busy, copy, work, most, sum(map(union, launches(sys.argv[2]).values())), gaps, idle, longest)
END
read -r span busy copy work most all _ < <(python3 "$TMP/truth.py" "$TMP/a.truth" "$TMP/a.all")
# near WHAT GOT WANTED: as far apart as steps of the clock can make it
near() { ok "$1" awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0.995 * b && a < 1.005 * b) }'; }
near "from first work to last" "$(device .span_ns)" "$span"
near "at work" "$(device .busy_ns)" "$busy"
near "copies alone" "$(device .copy_ns)" "$copy"
near "all pieces" "$(device .work_ns)" "$work"
is "at once; gaps are not known where not all is" "$(device '[.most_at_once, .gaps]')" "[$most,null]"
near "over time: with what was not measured" "$(device '[.bins[].busy_ns] | add')" "$all"
near "over time: what was measured" "$(device '[.bins[].seen_ns] | add')" "$work"
is "each part has its launches" "$(device '[.bins[].launches] | unique | length')" 1
ok "a table for people" grep -qE '^ +0 ns +120 .* 100% +[0-9.]+% +[0-9.]+% +9[0-9.]+% ' <("$vprof" gpu --bins 10 "$TMP/a.ring")
# The host's clock goes slower than the GPU's, and nothing is taken off: one node ends where the next begins.
python3 "$here/made.py" --replays 400 --skip costs --drift 40 "$TMP/d.ring" >"$TMP/d.truth"
read -r _ _ _ _ most _ < <(python3 "$TMP/truth.py" "$TMP/d.truth" "$TMP/d.truth")
is "at once: not the node behind with the one ahead" "$("$vprof" gpu --json "$TMP/d.ring" | jq '.devices[0].most_at_once')" "$most"
python3 "$here/made.py" --replays 40 --every 1 --all "$TMP/a.ring" >"$TMP/b.truth"
"$vprof" gpu --json "$TMP/a.ring" >"$TMP/a.json"
read -r _ _ _ _ _ _ gaps idle longest < <(python3 "$TMP/truth.py" "$TMP/b.truth" "$TMP/b.truth")
is "all measured: gaps between launches" "$(device .gaps)" "$gaps"
near "how long they are" "$(device .idle_ns)" "$idle"
near "the longest" "$(device .longest_gap_ns)" "$longest"
"$BUILD/tests/make_ring" "$TMP/none.ring"
is "rings without" "$("$vprof" gpu "$TMP/none.ring" 2>&1)" "vprof gpu: these rings have no times of a GPU (see VPROF_GPU)"
"$vprof" gpu --bins 0 "$TMP/a.ring" >/dev/null 2>&1
is "no parts" $? 2
# At its end the main thread collected much of it, behind its own records.
python3 "$here/made.py" --replays 400 --alone --ended 300 "$TMP/ended.ring" >/dev/null
is "all launches lie in the time that is looked at" "$("$vprof" gpu --json "$TMP/ended.ring" | jq '[.devices[0].bins[].launches] | add')" 1200

done_testing
