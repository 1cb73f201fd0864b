"""vllm_ranges.py - what vLLM says of itself by NVTX, and what it holds: the modes `ranges` and `layers`.

vLLM puts each step into a range execute_context_A(B)_generation_C(D), with the numbers that it
also logs for the iteration. Which range a launch was made in is worked out here anew, by time,
from the slices of the trace.
"""
import json
import os
import re
import subprocess
from collections import Counter

ITERATION = re.compile(r"Iteration\((\d+)\): (\d+) context requests, (\d+) context tokens, "
                       r"(\d+) generation requests, (\d+) generation tokens")
STEP = re.compile(r"execute_context_(\d+)\((\d+)\)_generation_(\d+)\((\d+)\)")
LOADED = re.compile(r"Model loading took ([0-9.]+) GiB")
RESERVED = re.compile(r"reserved ([0-9.]+) GiB memory for KV Cache")
GIB = 1 << 30
LARGEST = 16 << 20  # of the trace that is kept
KEPT = 3000         # ms at the end of the run that are kept of a larger one


def result(good, name):
    print(("ok " if good else "not ok ") + name)


def iterations(log):
    return [tuple(map(int, m.groups())) for m in ITERATION.finditer(log)]


def ns(us):
    return round(float(us) * 1000)


class Slice:
    def __init__(self, event):
        self.name, self.args = event["name"].removeprefix("[in flight] "), event["args"]
        self.begin = ns(event["ts"])
        self.end = self.begin + ns(event["dur"])
        self.said = event.get("cat") == "user_annotation"
        self.launch = event.get("cat") in ("launch", "graph_launch")
        self.parents = ()


def nest(slices):
    """Gives each slice of a thread the ranges that are open at its begin, outermost first; returns
    the ranges that end behind the one around them."""
    open_ranges, crossing = [], []
    for s in sorted(slices, key=lambda s: (s.begin, not s.said, -s.end)):
        while open_ranges and open_ranges[-1].end <= s.begin:
            open_ranges.pop()
        s.parents = tuple(open_ranges)
        if s.said:
            if open_ranges and open_ranges[-1].end < s.end:
                crossing.append(s)
            open_ranges.append(s)
    return crossing


def check_steps(mode, steps, log):
    """One range for each iteration that had something to do, in order."""
    logged = [line[1:] for line in iterations(log) if any(line[1:])]
    seen = [tuple(map(int, STEP.fullmatch(s.name).groups())) for s in sorted(steps, key=lambda s: s.begin)]
    seen = [s for s in seen if any(s)]
    result(bool(logged) and seen == logged, f"{mode}: {len(seen)} execute_context ranges for {len(logged)} iterations, "
                                            "the same in order")
    if seen != logged:
        at = next((i for i, pair in enumerate(zip(seen, logged)) if pair[0] != pair[1]), min(len(seen), len(logged)))
        print(f"# {mode}: they differ from number {at} on: ranges {seen[at:at + 3]}, log {logged[at:at + 3]}")


def check_layers(mode, ranges, steps):
    """Ranges of modules lie in those of steps, once there are any."""
    first = min(s.begin for s in steps)
    modules = [s for s in ranges if s.name.startswith("{'Module':") and s.begin > first]
    outside = [s for s in modules if not any(STEP.fullmatch(p.name) for p in s.parents)]
    depths = Counter(len(s.parents) for s in modules)
    print(f"# {mode}: ranges of modules at depths {dict(sorted(depths.items()))}")
    result(len(modules) > len(steps) and not outside,
           f"{mode}: {len(modules)} ranges of modules in {len(steps)} steps, {len(outside)} outside of any")
    for s in outside[:3]:
        print(f"# {mode}: outside: {s.name[:120]}")


def check_launches(mode, launches):
    wrong = [s for s in launches if s.args.get("range") != (s.parents[-1].name if s.parents else None)]
    inside = sum(1 for s in launches if s.parents)
    result(inside > 0 and not wrong, f"{mode}: {inside} of {len(launches)} launches have a range: the innermost")
    for s in wrong[:5]:
        print(f"# {mode}: at {s.begin} ns: {s.args.get('range')}, by time {[p.name[:60] for p in s.parents]}")


def check_top(mode, folder, launches):
    """`vprof top --by-range` has the same sums."""
    command = [os.environ["VPROF"], "top", "--by-range", "--rows=0"]
    said = subprocess.run([*command, str(folder / "out")], capture_output=True, text=True, timeout=60)
    (folder / "top-by-range.txt").write_text(said.stdout + said.stderr)
    asked = subprocess.run([*command, "--json", str(folder / "out")], capture_output=True, text=True, timeout=60)
    rows = json.loads(asked.stdout)["ranges"] if asked.returncode == 0 else []
    mine = Counter(s.args.get("range", "") for s in launches)
    theirs = {row["range"]: row["launches"] for row in rows}
    result(said.returncode == 0 and bool(rows) and theirs == dict(mine),
           f"{mode}: vprof top --by-range has {len(rows)} ranges, as the trace has them")


def check_memory(mode, folder, ring, log, events):
    """The counter's last value is what is held at the end, and what vLLM says it took is in it."""
    asked = subprocess.run([os.environ["VPROF"], "memory", "--json", str(folder / "out")],
                           capture_output=True, text=True, timeout=60)
    (folder / "memory.json").write_text(asked.stdout)
    result(asked.returncode == 0, f"{mode}: vprof memory --json {asked.stderr.strip()[-200:]}".rstrip())
    told = [r for r in json.loads(asked.stdout or "[]") if r.get("pid") == ring.pid]
    held = [p["bytes"] for r in told for p in r.get("places", ()) if p["place"] == "device 0"]
    track = [e for e in events if e["ph"] == "C" and e["pid"] == ring.pid and
             e["name"] == "Device memory in use, device 0"]
    last = max(track, key=lambda e: float(e["ts"]), default={"args": {}})["args"].get("total")
    result(len(held) == 1 and held[0] == last,
           f"{mode}: {last} bytes at the end of the counter's {len(track)} values, {held} by vprof memory")
    weights, cache = (float(m.group(1)) if m else 0 for m in (LOADED.search(log), RESERVED.search(log)))
    least = (weights + cache) * GIB * 0.99  # the log rounds
    result(weights > 0 and cache > 0 and bool(held) and held[0] >= least,
           f"{mode}: {held[0] / GIB if held else 0:.2f} GiB held, {weights} of weights and {cache} of cache by the log")


def keep_trace(mode, folder):
    """For a look at it in Perfetto."""
    trace = folder / "trace.json.zst"
    command = [os.environ["VPROF_MERGE"], str(folder / "out"), "-o", str(trace)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if made.returncode == 0 and trace.stat().st_size > LARGEST:
        print(f"# {mode}: the trace has {trace.stat().st_size} bytes: the last {KEPT} ms are kept")
        made = subprocess.run([*command, f"--last={KEPT}ms"], capture_output=True, text=True, timeout=120)
    result(made.returncode == 0 and trace.stat().st_size <= LARGEST, f"{mode}: the trace is kept as {trace.name}")


def check(mode, folder, ring, log, events):
    threads = {}
    for event in events:
        if event["ph"] == "X" and event["pid"] == ring.pid:
            threads.setdefault(event["tid"], []).append(Slice(event))
    crossing = [s for slices in threads.values() for s in nest(slices)]
    ranges = [s for slices in threads.values() for s in slices if s.said]
    launches = [s for slices in threads.values() for s in slices if s.launch]
    steps = {tid: [s for s in slices if s.said and STEP.fullmatch(s.name)] for tid, slices in threads.items()}
    on = [tid for tid, found in steps.items() if found]
    names = Counter(re.sub(r"[0-9]+", "N", s.name)[:40] for s in ranges)
    print(f"# {mode}: " + ", ".join(f"{n} x {name}" for name, n in names.most_common(12)))
    result(on == [ring.pid], f"{mode}: execute_context ranges are on the main thread alone ({on}, pid {ring.pid})")
    result(bool(ranges) and not crossing, f"{mode}: {len(ranges)} ranges, {len(crossing)} that end behind their parent")
    for s in crossing[:3]:
        print(f"# {mode}: {s.name[:80]} ends {s.end - s.parents[-1].end} ns behind {s.parents[-1].name[:80]}")
    check_launches(mode, launches)
    check_top(mode, folder, launches)
    if on:
        check_steps(mode, steps[on[0]], log)
        if mode == "layers":
            check_layers(mode, ranges, steps[on[0]])
    check_memory(mode, folder, ring, log, events)
    keep_trace(mode, folder)
