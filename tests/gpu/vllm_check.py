#!/usr/bin/env python3
"""vllm_check.py DIR: does the ring of EngineCore hold what the server did?

DIR is what vllm_serve.sh left. Prints "ok NAME", "not ok NAME" and "# …" lines.

WHAT IS COMPARED. vLLM logs each iteration with its requests and tokens. An iteration that only
decodes, with no more requests than the largest captured size, replays one whole graph; one with a
prompt of more tokens than that runs without graphs. So the graph launches in the ring must
be as many as the log's decode iterations: exactly after a calm end, and at most those few more
that were under way when the process was killed. In the mode `profile` the launches between
start_profile and stop_profile are compared with the torch profiler's, by kernel name.
"""
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import kineto
import ringfile

ITERATION = re.compile(r"Iteration\((\d+)\): (\d+) context requests, (\d+) context tokens, "
                       r"(\d+) generation requests, (\d+) generation tokens")
CAPTURED = 8      # the largest of --cudagraph-capture-sizes in VLLM_FLAGS
UNDER_WAY = 5     # iterations scheduled ahead whose log line a kill may prevent


def result(good, name):
    print(("ok " if good else "not ok ") + name)


def iterations(log):
    return [tuple(map(int, m.groups())) for m in ITERATION.finditer(log)]


def check_graph_launches(mode, ring, log, client, end):
    lines = iterations(log)
    decode = sum(1 for _, ctx, _, gen, _ in lines if not ctx and 0 < gen <= CAPTURED)
    unclear = sum(1 for _, ctx, tokens, _, more in lines if ctx and tokens + more <= CAPTURED)
    seen = [x for x in ring.of_kind(ringfile.GRAPH_LAUNCH)]
    first_load = next((c["begin_ns"] for c in client if c["step"].startswith("load")), 0)
    early = int((ring.realtime([x["t0"] for x in seen]) < first_load).sum()) if seen else 0
    result(bool(lines) and lines[-1][0] + 1 == len(lines), f"{mode}: the server logged its {len(lines)} iterations")
    print(f"# {mode}: {decode} decode iterations up to {CAPTURED} requests, {unclear} of unclear kind, "
          f"{len(seen)} graph launches, {early} of them before the first request")
    more = len(seen) - early - decode
    calm = 0 if mode != "kill" else UNDER_WAY
    result(decode > 0 and not unclear and 0 <= more <= calm,
           f"{mode}: {len(seen) - early} graph launches for {decode} decode iterations")
    alone = next((c for c in client if c["step"].startswith("load:1:")), None)
    if alone and alone["ok"]:
        times = ring.realtime([x["t0"] for x in seen])
        inside = int(((times > alone["begin_ns"]) & (times < alone["end_ns"] + 500_000_000)).sum())
        steps = alone["tokens"] - 1
        result(inside == steps, f"{mode}: a request of {alone['tokens']} tokens alone: {inside} graph launches")


def check_steps(mode, ring):
    """What lies between one graph launch and the next: printed, to be seen at a glance."""
    between, now = [], Counter()
    for r in ring.records:
        if r["kind"] == ringfile.GRAPH_LAUNCH:
            between.append((now["launch"], now["copy"]))
            now = Counter()
        elif r["kind"] == ringfile.LAUNCH:
            now["launch"] += 1
        elif r["kind"] == ringfile.COPY:
            now["copy"] += 1
    usual = Counter(between[1:]).most_common(4)
    print(f"# {mode}: (launches, copies) between graph launches: "
          + ", ".join(f"{pair} x {n}" for pair, n in usual))


def check_end(mode, ring, end):
    last = ring.summary()["last_ns"]
    if mode == "kill":
        early = (end["kill_before_ns"] - last) / 1e6
        print(f"# {mode}: last record {early:.3f} ms before the kill was sent; in flight: "
              f"{[[ring.call(x), ring.kernel(x)] for x in ring.in_flight()]}")
        result(-50 < early < 10, f"{mode}: records up to {early:.1f} ms before the SIGKILL")
    if mode == "sigterm":
        print(f"# {mode}: all processes gone {(end['gone_ns'] - end['kill_before_ns']) / 1e9:.2f} s after SIGTERM, "
              f"{end['left']} had to be killed; ring closed: {ring.closed}")
    lost = ring.reserved - len(ring.records)
    result(lost <= len(ring.in_flight()) + 1 and not ring.losses,
           f"{mode}: {len(ring.records)} records, {lost} of those begun are missing, losses {ring.losses or 'none'}")


def check_others(mode, rings, engine):
    busy = []
    for r in rings:
        s = r.summary()
        print(f"# {mode}: ring pid {s['pid']} {s['comm']}: {s['records']} records, {s['launches']} launches, "
              f"{s['graph_launches']} graph launches, {s['copies']} copies, {s['sets']} sets, {s['threads']} threads")
        if r.pid != engine and s["launches"] + s["graph_launches"]:
            busy.append(s["pid"])
    result(not busy, f"{mode}: only EngineCore launched anything ({len(rings)} rings)")


def check_tools(mode, folder, rings):
    vprof, merge = os.environ["VPROF"], os.environ["VPROF_MERGE"]
    info = subprocess.run([vprof, "info", str(folder / "out")], capture_output=True, text=True, timeout=60)
    (folder / "info.txt").write_text(info.stdout + info.stderr)
    result(info.returncode == 0, f"{mode}: vprof info")
    trace = folder / "trace.json"
    made = subprocess.run([merge, str(folder / "out"), "-o", str(trace)], capture_output=True, text=True, timeout=120)
    result(made.returncode == 0, f"{mode}: vprof-merge {made.stderr.strip()[-200:]}")
    try:
        events = json.loads(trace.read_text())["traceEvents"]
    except (OSError, ValueError) as e:
        result(False, f"{mode}: the trace is JSON: {e}")
        return
    calls = sum(1 for e in events if e["ph"] in "XB")
    records = sum(int((r.records["kind"] != ringfile.THREAD).sum()) for r in rings)
    result(calls == records, f"{mode}: {calls} slices in the trace for {records} records")
    trace.unlink()


def check_profile(mode, folder, ring, client):
    steps = {c["step"]: c for c in client}
    demangle = kineto.demangler()
    traces = [(t, kineto.load(t)) for t in sorted((folder / "torch").glob("*.json*"))]
    traces = [(t, e) for t, e in traces if any(x.get("cat") == "kernel" for x in e)]
    result(len(traces) == 1, f"{mode}: torch profiler left one trace with kernels ({len(traces)})")
    if len(traces) != 1:
        return
    kernels, copies = kineto.count(traces[0][1], lambda ts: 1, demangle)
    times = ring.realtime(ring.records["t0"])
    inside = ring.records[(times > steps["post:start_profile"]["end_ns"]) &
                          (times < steps["post:stop_profile"]["begin_ns"])]
    if not len(inside):
        result(False, f"{mode}: records between start_profile and stop_profile")
        return
    mine, moved = ring.count(inside["t0"].min() - 1, inside["t0"].max() + 1, demangle, kineto.GRAPH)
    theirs = kernels[1]
    differ = [k for k in set(mine) | set(theirs) if mine[k] != theirs[k]]
    for k in sorted(differ):
        print(f"# {mode}: profiler {theirs[k]}, vprof {mine[k]}: {k[:150]}")
    result(not differ and sum(mine.values()) > 0,
           f"{mode}: {sum(mine.values())} launches of {len(mine)} names in EngineCore, as torch.profiler has them")
    print(f"# {mode}: profiler {dict(copies[1])}, vprof {dict(moved)}")


def main(folder):
    folder = Path(folder)
    end = json.loads((folder / "end.json").read_text())
    mode = end["mode"]
    client = [json.loads(line) for line in (folder / "client.jsonl").read_text().splitlines()]
    log = (folder / "server.log").read_text(errors="replace")
    rings = [ringfile.Ring(p) for p in ringfile.find([str(folder / "out")])]
    loads = [c for c in client if c["step"].startswith("load")]
    for c in client:
        if not c["ok"] and not (mode == "kill" and c["step"] == "load:8:1500"):
            result(False, f"{mode}: {c['step']}: {c.get('errors')}")
    print(f"# {mode}: ready after {(client[0]['end_ns'] - end['start_ns']) / 1e9:.0f} s; "
          f"{sum(c.get('succeeded', 0) for c in loads)} requests, {sum(c.get('tokens', 0) for c in loads)} tokens")
    engines = [r for r in rings if r.pid == end["engine"]]
    result(len(engines) == 1, f"{mode}: EngineCore (pid {end['engine']}) left one ring ({len(engines)})")
    check_others(mode, rings, end["engine"])
    if engines:
        ring = engines[0]
        (folder / "engine.json").write_text(json.dumps(ring.summary(), indent=1))
        calls = ring.summary()["calls"]
        print(f"# {mode}: " + ", ".join(f"{n} {c}" for c, n in list(calls.items())[:14]))
        result(not ring.summary()["unnamed_launches"], f"{mode}: every launch has a kernel name")
        check_graph_launches(mode, ring, log, client, end)
        check_steps(mode, ring)
        check_end(mode, ring, end)
        if mode == "profile":
            check_profile(mode, folder, ring, client)
    check_tools(mode, folder, rings)


if __name__ == "__main__":
    main(sys.argv[1])
