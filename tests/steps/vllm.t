#!/usr/bin/env python3
"""What vprof steps finds in the calls of real servers, against the iterations that those logged.

The calls are of vLLM 0.26 on an H200: of a server under load, start-up included, whose warm-up,
autotuning and captures are no iterations; and of one that put its iterations into ranges.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, "tests/steps")
import calls  # noqa: E402
import found  # noqa: E402
import ring as rings  # noqa: E402
from found import ok  # noqa: E402


def ring_of(name, path, ranges=True, waiter=False):
    """`waiter`: another thread waits for results, as where several GPUs share a model."""
    iterations, made = calls.read(f"tests/steps/{name}.calls.xz")
    ring = rings.Ring()
    main = ring.lane(4242)
    other = ring.lane(4300) if waiter else main
    for begin, length, fields in made:
        calls.add(ring, other if fields[0] == "w" and fields[1] != "0" else main, begin, length, fields, ranges)
    ring.write(path)
    return iterations, made


def compare(what, steps, iterations, source):
    ok(len(steps) == len(iterations), f"{what}: {len(steps)} steps found, {len(iterations)} iterations logged")
    prompts = sum(1 for step, logged in zip(steps, iterations) if (step["sort"] == "prefill") == (logged[0] > 0))
    ok(prompts == len(iterations), f"{what}: {prompts} of them rightly told to take up prompts, or only to decode")
    ok({step["source"] for step in steps} == {source}, f"{what}: all by their {source}")
    apart = all(a["start_ns"] + a["length_ns"] <= b["start_ns"] for a, b in zip(steps, steps[1:]))
    ok(apart and [step["step"] for step in steps] == list(range(1, len(steps) + 1)), f"{what}: numbered, one after the other")


def check_times(steps, made):
    """Each range begins in its own step: the server's own word on when an iteration is."""
    base = made[0][0]
    begins = [(begin - base) * 1000 for begin, _, fields in made
              if fields[0] == "e" and fields[1:] != ["0", "0", "0", "0"]]
    right = sum(1 for step, begin in zip(steps, begins)
                if step["start_ns"] - 1_000_000 <= begin <= step["start_ns"] + step["length_ns"])
    ok(len(begins) == len(steps) and right == len(steps), f"ranges: {right} of {len(begins)} begin with the step found for them")


def check_some(path, steps):
    """A trace of some steps has those, with their numbers, and the calls made in them."""
    first, last = len(steps) // 2, len(steps) // 2 + 4
    said = subprocess.run([found.VPROF + "-merge", f"--steps={first}..{last}", path], capture_output=True, text=True)
    events = json.loads(said.stdout)["traceEvents"]
    ok([e["args"]["step"] for e in events if e.get("cat") == "step"] == list(range(first, last + 1)),
       f"steps {first} to {last} alone are in a trace of them")
    made = [e for e in events if e.get("cat") in ("launch", "graph_launch")]
    wanted = sum(s["launches"] + s["graphs"] for s in steps[first - 1:last])
    ok(len(made) == wanted, f"and {len(made)} of their {wanted} launches")
    for wrong, code, why in (("5..x", 2, "is no number of a step"), ("9..8", 2, "is no number of a step"), ("0", 2, "is no number"),
                             ("..", 2, "is no number"), ("99999..", 1, f"none of them among the {len(steps)} steps")):
        said = subprocess.run([found.VPROF + "-merge", f"--steps={wrong}", path], capture_output=True, text=True)
        ok(said.returncode == code and why in said.stderr, f"--steps={wrong}: {said.stderr.strip()[:120]}")


def check_track(path, steps):
    """The trace has the same steps, on a track of their own."""
    tracks, count = found.trace(path)
    ok([name for name, _ in tracks] == ["steps"], f"the trace has one track of steps: {[name for name, _ in tracks]}")
    track = tracks[0][1] if tracks else []
    ok([(e["args"]["step"], e["args"]["kind"], e["args"]["launches"], round(e["ts"] * 1000), round(e["dur"] * 1000)) for e in track] ==
       [(s["step"], s["sort"], s["launches"], s["start_ns"], s["length_ns"]) for s in steps],
       f"its {len(track)} steps are those that vprof steps finds")
    ok(all(e["name"] == e["args"]["kind"] for e in track), "each with its kind for a name")
    without, rest = found.trace(path, "--no-steps")
    ok(not without and rest == count - len(track) - 2, "--no-steps leaves them out, and nothing else")


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "one.ring")
    iterations, _ = ring_of("serve", path)
    steps = found.steps(path)
    compare("serve", steps, iterations, "results")
    graphs = sum(step["graphs"] for step in steps)
    ok(graphs == 190, f"serve: the steps hold all {graphs} launches of graphs")
    check_track(path, steps)
    check_some(path, steps)
    iterations, _ = ring_of("serve", path, waiter=True)
    compare("serve, results awaited by another thread", found.steps(path), iterations, "results")
    iterations, made = ring_of("ranges", path)
    compare("ranges", found.steps(path), iterations, "range")
    named = [re.findall(r"\d+", step["name"]) for step in found.steps(path)]
    ok([tuple(map(int, n)) for n in named] == [(a, b, c, d) for a, b, c, d in iterations],
       "ranges: the names have the numbers that were logged")
    steps = found.steps(path, "--by-pattern")
    compare("ranges, by the pattern", steps, iterations, "results")
    check_times(steps, made)
    ring_of("ranges", path, ranges=False)
    ok(found.steps(path) == found.steps(path, "--by-pattern"), "ranges: without them as when they are not looked at")
    table = subprocess.run([found.VPROF, "steps", "--summary", path], capture_output=True, text=True)
    ok(table.returncode == 0 and "prefill" in table.stdout and "1 graph + " in table.stdout, "the summary names the classes")
found.done()
