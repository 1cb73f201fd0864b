#!/usr/bin/env python3
"""vllm_check.py DIR: does the ring of EngineCore hold what the server did?

DIR is what vllm_serve.sh left. Prints "ok NAME", "not ok NAME" and "# …" lines.

WHAT IS COMPARED. vLLM logs each iteration with its requests and tokens. An iteration that only
decodes, with no more requests than the largest captured size, replays one whole graph; one with a
prompt of more tokens than that runs without graphs. So the graph launches in the ring must
be as many as the log's decode iterations: exactly after a calm end, and at most those few more
that were under way when the process was killed. In the mode `profile` the launches between
start_profile and stop_profile are compared with the torch profiler's, by kernel name. The modes
`ranges` and `layers` are vllm_ranges.py's.
"""
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import kineto
import ringfile
import vllm_ranges
from vllm_ranges import iterations, result

CAPTURED = 8      # the largest of --cudagraph-capture-sizes in VLLM_FLAGS
UNDER_WAY = 5     # iterations scheduled ahead whose log line a kill may prevent


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


def check_found(mode, folder, log, engine):
    """vprof steps against the log: nearly all iterations found, none invented, prompts told from decoding."""
    said = subprocess.run([os.environ["VPROF"], "steps", "--json", f"--pid={engine}", str(folder / "out")],
                          capture_output=True, text=True, timeout=60)
    if said.returncode:
        return result(False, f"{mode}: vprof steps {said.stderr.strip()[-200:]}")
    (folder / "steps.json").write_text(said.stdout)
    steps, logged = json.loads(said.stdout)["steps"], iterations(log)
    calm = 0 if mode != "kill" else UNDER_WAY
    result(0.99 * len(logged) <= len(steps) <= len(logged) + calm,
           f"{mode}: vprof steps finds {len(steps)} steps of {len(logged)} iterations, "
           f"by their {', '.join(sorted({s['source'] for s in steps}))}")
    if len(steps) >= len(logged):
        wrong = [n for n, (s, line) in enumerate(zip(steps, logged)) if (s["sort"] == "prefill") != (line[1] > 0)]
        result(not wrong, f"{mode}: {len(logged) - len(wrong)} of them rightly told to take up prompts or to decode")


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


def sort_of(event):
    """What Ring.events() counts it under; None for what no record became by itself."""
    phase, cat = event["ph"], event.get("cat")
    if cat == "step":
        return None
    if phase == "X":
        return phase, cat if cat == "user_annotation" else "call"
    return (phase, cat) if cat in ("query", "user_annotation") else None


def check_trace(mode, events, rings):
    here = Counter(sort_of(e) for e in events)
    del here[None]
    wanted = sum((r.events() for r in rings), Counter())
    for sort in sorted(set(here) | set(wanted)):
        result(here[sort] == wanted[sort], f"{mode}: {here[sort]} events {' '.join(sort)} in the trace, "
                                           f"{wanted[sort]} by the records")
    counted = sum(e["args"]["count"] for e in events if sort_of(e) == ("i", "query"))
    result(counted == sum(r.queries() for r in rings), f"{mode}: {counted} calls that were counted, not recorded")


def check_tools(mode, folder, rings):
    """Every verb has something to say; what it says is kept in the folder. Returns the trace's events."""
    out = str(folder / "out")
    for verb in ("info", "coverage", "memory", "graphs", "kernels", "top"):
        said = subprocess.run([os.environ["VPROF"], verb, out], capture_output=True, text=True, timeout=60)
        (folder / f"{verb}.txt").write_text(said.stdout + said.stderr)
        result(said.returncode == 0 and said.stdout, f"{mode}: vprof {verb} {said.stderr.strip()[-200:]}".rstrip())
    trace = folder / "trace.json"
    made = subprocess.run([os.environ["VPROF_MERGE"], out, "-o", str(trace)],
                          capture_output=True, text=True, timeout=120)
    result(made.returncode == 0, f"{mode}: vprof-merge {made.stderr.strip()[-200:]}".rstrip())
    try:
        events = json.loads(trace.read_text())["traceEvents"]
    except (OSError, ValueError) as e:
        result(False, f"{mode}: the trace is JSON: {e}")
        return []
    trace.unlink()
    check_trace(mode, events, rings)
    return events


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
        if mode == "layers":
            result(not len(ring.of_kind(ringfile.GRAPH_LAUNCH)), f"{mode}: nothing ran as a graph")
        else:
            check_graph_launches(mode, ring, log, client, end)
        check_steps(mode, ring)
        check_found(mode, folder, log, end["engine"])
        check_end(mode, ring, end)
        if mode == "profile":
            check_profile(mode, folder, ring, client)
    events = check_tools(mode, folder, rings)
    if engines and events and mode in ("ranges", "layers"):
        vllm_ranges.check(mode, folder, engines[0], log, events)


if __name__ == "__main__":
    main(sys.argv[1])
