#!/usr/bin/env python3
"""
total.py EVERYTHING TOP.json MARGINS: is each row's total that of everything, measured or not, within so many of its
margins (and a step of the clock an execution), are counts, least and greatest right? Silent when it is.
"""
import json
import math
import sys
from collections import defaultdict

rows = defaultdict(list)
names = {"_Z4gemmPf": "gemm(float*)", "_Z4normPf": "norm(float*)", "_Z4ropePf": "rope(float*)", "_Z3addPf": "add(float*)"}
for line in open(sys.argv[1]):
    kind, name, graph, node, begin, end, *_ = line.rstrip("\n").split("\t")
    if kind != "graph":
        rows[names.get(name, "copy HtoD" if kind == "copy" else "set")].append(int(end) - int(begin))
top = json.load(open(sys.argv[2]))
margins = float(sys.argv[3])
work = {r["name"]: r for r in top["work"]}
if set(work) != set(rows):
    print("names", sorted(work), sorted(rows))
if [r["total_ns"] for r in top["work"]] != sorted((r["total_ns"] for r in top["work"]), reverse=True):
    print("not in order")
if abs(sum(r["total_ns"] for r in top["work"]) - top["total_ns"]) > len(work):
    print("the sum is not that of the rows")
for name, r in work.items():
    true = rows[name]
    if abs(r["total_ns"] - sum(true)) > margins * r["margin_ns"] + 32 * r["count"]:
        print(name, "total", r["total_ns"], sum(true), r["margin_ns"])
    if r["count"] != len(true):
        print(name, "count", r["count"], len(true))
    if r["covered"] == r["samples"] and margins == 0:
        for key, value in (("min_ns", min(true)), ("max_ns", max(true)), ("median_ns", sorted(true)[math.ceil(len(true) / 2) - 1]),
                           ("p99_ns", sorted(true)[math.ceil(0.99 * len(true)) - 1])):
            if abs(r[key] - value) > 32:
                print(name, key, r[key], value)
