#!/usr/bin/env python3
"""
trace.py TRACE TRUTH: what the GPU tracks of a Chrome trace hold, a fact a line: how many of each category the trace
has and the truth wants, whether slices of a track nest, and whether arrows begin and end at slices.
"""
import json
import sys
from collections import Counter, defaultdict

events = json.load(open(sys.argv[1]))["traceEvents"]
truth = Counter(line.split("\t")[0] for line in open(sys.argv[2]))
slices = [e for e in events if e["ph"] == "X"]
gpu = [e for e in slices if e["cat"] in ("kernel", "gpu_memcpy", "gpu_memset", "gpu_graph")]
names = {"kernel": "kernel", "gpu_memcpy": "copy", "gpu_memset": "set", "gpu_graph": "graph"}
have = Counter(names[e["cat"]] for e in gpu)
print("counts", "true" if have == truth else f"{dict(have)} {dict(truth)}")

tracks = defaultdict(list)
for e in gpu:
    tracks[e["pid"], e["tid"]].append((round(e["ts"] * 1000), -round(e["dur"] * 1000), e["name"]))
crossed = 0
for rows in tracks.values():
    ends = []
    for begin, size, _ in sorted(rows):
        while ends and ends[-1] <= begin:
            ends.pop()
        crossed += bool(ends) and begin - size > ends[-1]
        ends.append(begin - size)
print("crossed", crossed)
print("tracks", len(tracks))
places = {(e["pid"], e["tid"], e["ts"]) for e in slices}
arrows = [e for e in events if e["ph"] in "sf"]
print("loose", sum((e["pid"], e["tid"], e["ts"]) not in places for e in arrows))
print("arrows", Counter(e["ph"] for e in arrows)["s"], Counter(e["ph"] for e in arrows)["f"], len({e["id"] for e in arrows}))
print("backwards", sum(a["ts"] > b["ts"] for a, b in zip(arrows[::2], arrows[1::2])))
print("named", sorted(e["args"]["name"] for e in events if e["name"] in ("process_name", "thread_name") and e["pid"] in {t[0] for t in tracks}))
print("estimated", sum(e["cat"] == "gpu_estimated" for e in slices), sum("estimated" in e["args"] for e in slices))
