#!/usr/bin/env python3
"""
margin.py TRUTH NAME GRAPH COUNT UNIT < TOP.json: the margin of that row, by the truth of what was measured, and what the
tool says: `right`, or both. UNIT: `launch`, or WINDOW/PERIOD in ms. The variance is that of a ratio of sums over units,
without replacement; the quantile of Student's t is integrated here.
"""
import json
import math
import sys
from collections import defaultdict

path, name, graph, count, unit = sys.argv[1:]
count = int(count)
names = {"gemm(float*)": "_Z4gemmPf", "norm(float*)": "_Z4normPf", "rope(float*)": "_Z4ropePf", "add(float*)": "_Z3addPf"}


def quantile(p, freedom):
    density = lambda t: (1 + t * t / freedom) ** (-(freedom + 1) / 2)
    scale = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(freedom * math.pi)
    step, at, area = 1e-4, 0.0, 0.5
    while area < p:
        area += scale * (density(at) + density(at + step)) / 2 * step
        at += step
    return at


launches = defaultdict(list)
for line in open(path):
    kind, called, of, _, begin, end, _, t0, _ = line.rstrip("\n").split("\t")
    if called == names[name] and of == graph:
        launches[int(t0)].append(int(end) - int(begin))
units = defaultdict(list)
first = min(launches)
for t0, took in launches.items():
    if unit == "launch":
        units[t0] += took
    else:
        window, period = (float(ms) * 1e6 for ms in unit.split("/"))
        units[(t0 - first + (period - window) / 2) // period] += took
n, k = len(units), sum(len(took) for took in units.values())
mean = sum(sum(took) for took in units.values()) / k
squares = sum((sum(took) - mean * len(took)) ** 2 for took in units.values())
margin = quantile(0.975, n - 1) * count / k * math.sqrt(n * squares / (n - 1) * (1 - k / count))
of = "graph 1 (pid 4242)" if graph == "1" else "in no graph"
row = next(r for r in json.load(sys.stdin)["work"] if r["name"] == name and r["of"] == of)
print("right" if abs(row["margin_ns"] - margin) <= 0.01 * margin + 1 else f"{row['margin_ns']} and not {margin:.0f} of {n} units")
