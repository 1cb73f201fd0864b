#!/usr/bin/env python3
"""Steps of programs that are no servers: loops that train, that only wait, on two threads; and none in programs without."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, "tests/steps")
import found  # noqa: E402
from found import ok  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))


def run(folder, *words):
    out = os.path.join(folder, words[0])
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VPROF_", "FAKECUDA_", "LD_"))}
    env.update(LD_LIBRARY_PATH=BUILD + "/fakecuda", LD_PRELOAD=BUILD + "/libvprof.so", FAKECUDA_INSTANT="1", VPROF_OUT=out,
               VPROF_RING_AT="out", VPROF_RING_MB="16", VPROF_FACTS="0")
    made = subprocess.run([BUILD + "/steps/loops", *map(str, words)], env=env, timeout=60)
    if made.returncode:
        ok(False, f"loops {words} ends with {made.returncode}")
    return out


with tempfile.TemporaryDirectory() as folder:
    for kind, turns, source, launches, graphs in (
            ("train", 50, "results", 40, 0), ("train", 4, "results", 40, 0), ("look", 50, "results", 40, 0),
            ("sparse", 60, "waits", 40, 0), ("plain", 60, "waits", 4, 0), ("piecewise", 30, "results", 40, 20),
            ("serve", 50, "results", 10, 1)):
        steps = found.steps(run(folder, kind, turns))
        alike = sum(1 for s in steps if (s["launches"], s["graphs"], s["source"]) == (launches, graphs, source))
        ok(alike == len(steps) == turns,
           f"{kind}: {len(steps)} steps in {turns} turns, {alike} of {launches} launches and {graphs} graphs by their {source}")
        ok({s["sort"] for s in steps} == {"step"}, f"{kind}: one sort, so none is named")
        subprocess.run(["rm", "-rf", os.path.join(folder, kind)], check=True)
    out = run(folder, "two", 40, 300)
    steps = found.steps(out)
    of = [sum(1 for s in steps if s["tid"] == tid) for tid in sorted({s["tid"] for s in steps})]
    ok(of == [40, 40], f"two threads: {of} steps")
    ok({s["launches"] for s in steps} == {40}, "and none mixes the other's launches with its own")
    tracks, _ = found.trace(out)
    ok([len(made) for _, made in tracks] == [40, 40] and all(name.startswith("steps of ") for name, _ in tracks),
       f"and each has a track in the trace, {len(tracks)} in all")
    for kind, turns in (("burst", 1), ("burst", 3), ("unwaited", 300), ("tune", 200), ("plain", 20), ("idle", 0)):
        steps = found.steps(run(folder, kind, turns))
        ok(not steps, f"{kind} {turns}: {len(steps)} steps")
        subprocess.run(["rm", "-rf", os.path.join(folder, kind)], check=True)
    out = run(folder, "unwaited", 10)
    said = subprocess.run([found.VPROF, "steps", out], capture_output=True, text=True)
    ok(said.returncode == 0 and said.stdout.startswith("no steps"), "which a sentence says")
    out = run(folder, "train", 60, 300)
    every = found.steps(out)
    slow = found.steps(out, "--slowest=3")
    ok([s["length_ns"] for s in slow] == sorted((s["length_ns"] for s in every), reverse=True)[:3], "the slowest three")
    for ms in (5, 10, 20, 40, 80):  # between the last step and the end of a process a busy machine may do much else
        some = found.steps(out, f"--last={ms}ms")
        if some:
            break
    ok(0 < len(some) < 60 and some == every[-len(some):], f"the last {ms} ms: {len(some)} steps, with the numbers that they have")
    text = subprocess.run([found.VPROF, "steps", "--csv", out], capture_output=True, text=True).stdout.splitlines()
    ok(len(text) == 61 and len({line.count(",") for line in text}) == 1, "as comma-separated values")
    for wrong in (["--json", "--csv"], ["--range=x", "--by-pattern"]):
        said = subprocess.run([found.VPROF, "steps", *wrong, out], capture_output=True, text=True)
        ok(said.returncode == 2 and "vprof steps: " in said.stderr, f"{' '.join(wrong)} is wrong usage")
    for more in ([], ["--json"], ["--csv"]):
        said = subprocess.run([found.VPROF, "steps", "--range=turn*", *more, out], capture_output=True, text=True)
        ok((said.returncode, said.stdout, said.stderr) == (1, "", "vprof steps: --range: no range 'turn*' in these rings\n"),
           f"a range that is not there, {' '.join(more) or 'as text'}: is said, and nothing else")
    both = glob.glob(run(folder, "look", 50) + "/*.ring") + glob.glob(out + "/*.ring")
    env = dict(os.environ, LD_PRELOAD=BUILD + "/gputime/unreadable.so", UNREADABLE=os.path.basename(both[0]))
    for rings, left in ((both[:1], 0), (both, len(every))):
        said = subprocess.run([found.VPROF, "steps", "--json", *rings], env=env, capture_output=True, text=True)
        ok(said.returncode == 1 and re.fullmatch(f"vprof steps: {both[0]}: [0-9]+ records cannot be read\n", said.stderr) and
           len(json.loads(said.stdout or '{"steps": []}')["steps"]) == left,
           f"{len(rings)} rings, of which one cannot be read: {said.stderr.strip()}; {left} steps of others")
found.done()
