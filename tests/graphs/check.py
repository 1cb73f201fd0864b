#!/usr/bin/env python3
"""check.py DRIVER.json GRAPHS.json - is what `vprof graphs --nodes --raw-names --json` says of the
graphs of `client kinds` what the driver said itself? Prints nothing when it is."""
import json
import sys

KINDS = {0: "kernel", 1: "copy", 2: "set", 4: "graph", 5: "empty"}


def compare(told, got):
    own = [n for n in got["node_list"] if "in" not in n]
    if len(own) != len(told["nodes"]):
        yield f"{len(own)} nodes for {len(told['nodes'])}"
        return
    for a, b in zip(told["nodes"], own):
        if b["kind"] != KINDS[a["type"]]:
            yield f"node {b['node']}: {b['kind']} for {KINDS[a['type']]}"
        for key in ("kernel", "grid", "block", "shared", "bytes"):
            if key in a and a[key] != b[key]:
                yield f"node {b['node']}: {key} {b[key]} for {a[key]}"
        if "nodes" in a:
            inside = [n for n in got["node_list"] if n.get("in") == b["node"]]
            if len(inside) != a["nodes"]:
                yield f"node {b['node']}: {len(inside)} nodes inside for {a['nodes']}"
    edges = sorted([i, n["node"], int(i in n["programmatic"])] for n in own for i in n["after"])
    if edges != sorted(told["edges"]):
        yield f"edges {edges} for {told['edges']}"
    if got["launches"] != told["launches"]:
        yield f"{got['launches']} launches for {told['launches']}"


def main():
    told = json.load(open(sys.argv[1]))
    processes = json.load(open(sys.argv[2]))["processes"]
    graphs = [g for p in processes for g in p["graphs"]]
    bad = 0
    if len(graphs) != len(told):
        print(f"{len(graphs)} graphs for {len(told)}")
        bad = 1
    for a, b in zip(told, graphs):
        for what in compare(a, b):
            print(f"{a['name']} (graph {b['graph']} version {b['version']}): {what}")
            bad = 1
    return bad


sys.exit(main())
