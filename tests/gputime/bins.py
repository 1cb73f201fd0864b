#!/usr/bin/env python3
"""
bins.py TRUTH GPU.json PERCENT: is what `vprof gpu --json` says of each bin, at work, in copies alone, and what lies
behind the last, within so much of a bin's length of what the truth's lines (queue.py) cover? Silent when it is.
"""
import json
import sys

truth = [(int(begin), int(end), kind, int(launch)) for launch, begin, end, kind in (line.split() for line in open(sys.argv[1]))]
top, within = json.load(open(sys.argv[2])), float(sys.argv[3])
first, length = top["from_ns"], top["bin_ns"]
bins = top["devices"][0]["bins"]


def union(parts, begin, end):
    total, over = 0, begin
    for a, b in sorted(parts):
        total += max(0, min(b, end) - max(a, over, begin))
        over = max(over, b)
    return total


everything, kernels = [t[:2] for t in truth], [t[:2] for t in truth if t[2] == "kernel"]
for i, bin in enumerate(bins):
    begin = first + i * length
    busy = union(everything, begin, begin + length)
    copy = busy - union(kernels, begin, begin + length)
    for key, right in (("busy_ns", busy), ("copy_ns", copy)):
        if abs(bin[key] - right) > length * within / 100:
            print(f"bin {i}: {key} {bin[key]}, not {right}")
    if not 0 <= bin["seen_ns"] <= bin["busy_ns"] <= length or bin["copy_ns"] > bin["busy_ns"]:
        print(f"bin {i}: {bin}")
end = first + len(bins) * length
right = union([t[:2] for t in truth if t[3] < end], end, 1 << 62)
if abs(top["devices"][0]["behind_ns"] - right) > length * within / 100:
    print("behind", top["devices"][0]["behind_ns"], "not", right)
