"""found.py - what vprof steps says of a ring, and results in the Test Anything Protocol."""
import json
import os
import subprocess
import sys

VPROF = os.path.join(os.environ.get("BUILD", "build"), "vprof")
run = failed = 0


def ok(good, name):
    global run, failed
    run += 1
    failed += not good
    print(("ok" if good else "not ok"), run, "-", name, flush=True)


def done():
    print(f"1..{run}")
    sys.exit(failed > 0)


def trace(path, *options):
    """The tracks of steps, [(name, steps)], and how many events there are in all."""
    said = subprocess.run([VPROF + "-merge", *options, path], capture_output=True, text=True)
    events = json.loads(said.stdout or "{}").get("traceEvents", [])
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    tracks = {}
    for event in events:
        if event.get("cat") == "step":
            tracks.setdefault(event["tid"], []).append(event)
    return [(names.get(tid, ""), steps) for tid, steps in tracks.items()], len(events)


def steps(path, *options):
    said = subprocess.run([VPROF, "steps", "--json", *options, path], capture_output=True, text=True)
    if said.returncode:
        ok(False, f"vprof steps {said.stderr.strip()[:300]}")
        return []
    return json.loads(said.stdout)["steps"]
