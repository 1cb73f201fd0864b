#!/usr/bin/env python3
"""from_trace.py TRACE LOG >CALLS: the calls of one process of a trace, as tests/steps/calls.py reads them.

Only what the finding of steps looks at is kept, and nothing that the machine said: kinds, numbers,
times in us. Kernels, graphs, streams and events are numbered as they come. TRACE is what vprof-merge
wrote, LOG what vLLM logged with --enable-logging-iteration-details.
"""
import json
import re
import sys

ITERATION = re.compile(r"Iteration\((\d+)\): (\d+) context requests, (\d+) context tokens, "
                       r"(\d+) generation requests, (\d+) generation tokens")
STEP = re.compile(r"execute_context_(\d+)\((\d+)\)_generation_(\d+)\((\d+)\)")


class Numbers(dict):
    def __missing__(self, key):
        self[key] = len(self) + 1
        return self[key]


kernels, graphs, handles = Numbers(), Numbers(), Numbers()
handles["default"] = handles["0x0"] = 0


def fields(event):
    """What stands behind the times; None: of no interest."""
    args, kind, call = event["args"], event["cat"], event["args"].get("call", "")
    if kind == "launch":
        x, y, z = args["grid"]
        return f"k {kernels[args.get('kernel', event['name'])]} {x * y * z}"
    if kind == "graph_launch":
        return f"G {graphs[args['graph']]} {args['graph nodes']}"
    if kind == "copy":
        form = "" if "Async" in call else "!"
        return f"c {args['direction']}{form} {args['bytes']} {handles[args['stream handle']]}"
    if kind == "set":
        return "s"
    if kind == "event" and call.startswith("cuEventRecord"):
        return f"r {handles[args['event']]} {handles[args.get('stream handle', 'default')]}"
    if kind == "sync":
        wait = "W" if call.startswith("cuCtx") else "w"
        return f"{wait} {handles[args.get('handle', 'default')]}"
    if kind == "graph" and "Instantiate" in call:
        return "g"
    found = STEP.fullmatch(event["name"])
    return f"e {' '.join(found.groups())}" if found else None


def main(trace, log):
    with open(log, errors="replace") as lines:
        for found in ITERATION.finditer(lines.read()):
            print("i", *found.groups()[1:])
    with open(trace) as file:
        events = [e for e in json.load(file)["traceEvents"] if e["ph"] == "X"]
    at = 0
    for event in sorted(events, key=lambda e: e["ts"]):
        text = fields(event)
        if text:
            now = round(event["ts"])
            print(now - at, round(event["dur"]), text)
            at = now


if __name__ == "__main__":
    main(*sys.argv[1:])
