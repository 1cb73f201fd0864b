#!/usr/bin/env python3
"""overhead.py: what recording costs vLLM's decode, and one launch.

    . .kit/env.sh; BUILD=build OUT=/tmp/out tests/gpu/overhead.py [--deadline SECONDS]

Four measurements, each in the order ABBA ABBA … so that what drifts slowly cancels:

  launch     one empty cuLaunchKernel of the real driver, control word off and on between
             blocks of 500 in one process; and the same in whole processes without the preload,
             with it and recording off, and recording, in turn
  decode     vLLM with its engine in the process: batches of 8 prompts, 128 tokens each; the
             control word is off in one batch and on in the next
  steps      the same engine, long batches: off and on every 32 decode steps
  process    engines with and without the preload, all alive at once, taking turns by the batch:
             what no toggle can switch off (overhead_processes.py)

Recording is switched as `vprof ctl` does, through the ring's file. A row of the table is the median
of both arms, the median of the differences of neighbouring blocks (on - off) with its 95 %
bootstrap interval, and that difference in percent of the off arm; the verdict is ok when the whole
interval is within the target, short when none of it is. Stops starting new work
when DEADLINE seconds (default 540) are nearly over and says what it left out.
Raw numbers: OUT/overhead-*.tsv.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import overhead_processes
from control_page import Control
from overhead_common import BEGIN, BUILD, OUT, OUTPUT, TARGET_PERCENT, engine_of_this_process, environment, line, note

STEPS = 32
DROPPED = 2  # first steps of a block: the previous arm's last step is still on the GPU


# ---- statistics ---------------------------------------------------------------------------

def interval(values, rounds=2000):
    """95 % bootstrap interval of the median."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975) - 1]


def row(name, unit, off, on, target=None):
    """Neighbours off[i], on[i] are a pair. Returns the line of the table."""
    n = min(len(off), len(on))
    if n < 2:
        return f"{name}\t{n}\t-\t-\t-\t-\t-\t{unit}\t-\t-\t-\ttoo few"
    off, on = off[:n], on[:n]
    differences = [b - a for a, b in zip(off, on)]
    middle, (low, high) = statistics.median(differences), interval(differences)
    return line(name, unit, n, statistics.median(off), statistics.median(on), middle, low, high, target)


HEADING = "figure\tpairs\toff\ton\ton-off\tlow\thigh\tunit\tpercent\tinterval\ttarget %\tverdict"


def arm(i):
    """ABBA: off on on off."""
    return i % 4 in (1, 2)


# ---- the child: vLLM with its engine in this process -------------------------------------------

def child(seconds):
    llm, generate = engine_of_this_process()
    for _ in range(4):
        generate(OUTPUT)
    control = Control()
    end = time.monotonic() + seconds
    decode = open(OUT / "overhead-decode.tsv", "w")
    recorded, i = {False: 0, True: 0}, 0
    while i < 480 and (i < 120 or time.monotonic() < end - seconds * 0.55) and time.monotonic() < end or i % 2:
        on, before = arm(i), control.chunks()
        control.set(on)
        decode.write(f"{'on' if on else 'off'}\t{generate(OUTPUT) / OUTPUT * 1e6:.3f}\n")
        recorded[on] += control.chunks() - before
        i += 1
    decode.close()
    print(json.dumps({"blocks": i, "chunks_off": recorded[False], "chunks_on": recorded[True]}), flush=True)
    engine, times = llm.llm_engine, []
    step = engine.step

    def timed():
        if len(times) % STEPS == 0:
            control.set(arm(len(times) // STEPS))
        times.append(time.perf_counter())
        return step()
    engine.step = timed
    with open(OUT / "overhead-steps.tsv", "w") as f:
        while time.monotonic() < end:
            times.clear()
            generate(1024)
            # The first blocks hold the prompts and what is warmed up by them; the last is not whole.
            for b in range(4, len(times) // STEPS - 1):
                first, last = times[b * STEPS + DROPPED], times[(b + 1) * STEPS]
                f.write(f"{'on' if arm(b) else 'off'}\t{(last - first) / (STEPS - DROPPED) * 1e6:.3f}\n")
            f.write("end\t0\n")
            f.flush()


def read_pairs(path):
    """Neighbouring blocks of a file of "arm, value" lines: one off and one on in either order."""
    off, on, last = [], [], None
    for line in open(path):
        name, value = line.split("\t")
        if name == "end":
            last = None
        elif last and last[0] != name:
            for side, x in ((last[0], last[1]), (name, float(value))):
                (on if side == "on" else off).append(x)
            last = None
        else:
            last = (name, float(value))
    return off, on


# ---- the parent ------------------------------------------------------------------------------

def run(command, limit, preload, log, **more):
    env = environment(preload, log, **more)
    with open(OUT / log, "a") as f:
        done = subprocess.run(["timeout", "-k", "10", str(max(1, int(limit)))] + command, env=env, stdout=f, stderr=f)
    return done.returncode


def left(deadline):
    return deadline - (time.monotonic() - BEGIN)


def measure_launch(rows, deadline, starts):
    program = str(BUILD / "gpu/launch_cost")

    def blocks(mode, preload, record=1):
        name = f"overhead-launch-{mode}-{('with' if record else 'silent') if preload else 'without'}.tsv"
        (OUT / name).unlink(missing_ok=True)
        rc = run([program, mode, "1000" if mode == "toggle" else "150", "500"], 60, preload, name,
                 VPROF_CAPTURE="always" if record else "off")
        if rc:
            note(f"launch_cost {mode} failed with {rc}: {(OUT / name).read_text()[-200:]}")
            return None
        return OUT / name
    path = blocks("toggle", True)
    if path:
        rows.append(row("one launch, toggled", "ns", *read_pairs(path)))
    arms = {(False, 1): [], (True, 0): [], (True, 1): []}
    for i in range(starts):
        for key in list(arms)[::-1 if i % 2 else 1]:
            path = blocks("plain", *key)
            if not path:
                return
            arms[key].append(statistics.median(float(line.split("\t")[1]) for line in open(path)))
    none, silent, recording = arms.values()
    rows.append(row("one launch, process with preload, not recording", "ns", none, silent))
    rows.append(row("one launch, process recording", "ns", none, recording))


def measure_decode(rows, deadline, seconds):
    budget = min(left(deadline), seconds + 200)
    rc = run([sys.executable, str(Path(__file__).resolve()), "child", str(seconds)], budget, True, "overhead-child.log",
             VLLM_ENABLE_V1_MULTIPROCESSING=0)
    log = (OUT / "overhead-child.log").read_text(errors="replace")
    for line in log.splitlines():
        if line.startswith('{"blocks"'):
            told = json.loads(line)
            note(f"decode: {told['blocks']} blocks; records with recording off {255 * told['chunks_off']}, "
                 f"on {255 * told['chunks_on']}")
            if not told["chunks_on"] > 20 * told["chunks_off"]:
                note("THE TOGGLE DID NOT TAKE: the rows of decode and steps mean nothing")
    if rc:
        note(f"the decode child ended with {rc}: " + " | ".join(log.splitlines()[-3:])[-400:])
    for name, file in (("decode, batches of 128", "overhead-decode.tsv"), (f"decode, every {STEPS} steps", "overhead-steps.tsv")):
        if (OUT / file).exists():
            rows.append(row(name, "us/step", *read_pairs(OUT / file), target=TARGET_PERCENT))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--deadline", type=float, default=540)
    options.add_argument("--decode-seconds", type=float, default=150)
    options.add_argument("--processes", type=int, default=6, help="engines of each arm, on all GPUs together")
    options.add_argument("--arms", default="without,with", help="of the whole processes; without first, then with, silent, no-gpu, no-nvtx, empty, lib:PATH")
    options.add_argument("--starts", type=int, default=12, help="whole processes of each arm of launch")
    options.add_argument("--only", default="launch,decode,process")
    o = options.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, work in (("launch", lambda: measure_launch(rows, o.deadline, o.starts)),
                       ("decode", lambda: measure_decode(rows, o.deadline, o.decode_seconds)),
                       ("process", lambda: overhead_processes.measure(rows, left(o.deadline), o.processes,
                                                                   o.arms.split(",")))):
        if name in o.only.split(","):
            note(name)
            try:
                work()
            except (OSError, ValueError, KeyError) as e:
                note(f"{name} failed: {type(e).__name__}: {e}")
            print("\n".join([HEADING] + rows), flush=True)
    (OUT / "overhead.tsv").write_text("\n".join([HEADING] + rows) + "\n")
    return 0 if rows and not any(r.endswith(("short", "too few")) for r in rows) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(float(sys.argv[2]))
    else:
        sys.exit(main())
