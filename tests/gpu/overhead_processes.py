#!/usr/bin/env python3
"""overhead_processes.py: what the preload costs vLLM's decode as a whole (part of overhead.py).

One start of vLLM differs from the next by more than the preload could cost, and a machine has slow
minutes. So engines of both arms, each in a process of its own, are all started before anything is
measured, and take turns by the batch: a round is one batch of each, in a drawn order, with all other
engines waiting. A slow minute falls on all of them. A process counts with the median, over the rounds,
of its step time relative to the round's median; the arms are compared by Welch's interval over the
processes, so that a figure is as sure as the starts agree, however many batches were run. Two step times
are taken of a batch: the mean, which has all that happened in it, and the median of its decode steps, on
which the interruptions of a shared machine do not show. All engines run on the same processors, since one
processor's neighbours are not another's.

Arms, each compared with "without": "with" records; "silent" has the preload and never records; "empty"
preloads a library that does nothing: what that costs, no change of ours can take away, and whether it
costs anything says how far the method itself can be trusted.
"""
import contextlib
import json
import math
import os
import queue
import random
import statistics
import subprocess
import sys
import threading
import time

import overhead_common as common
import ringfile

# 97.5 % points of Student's distribution for 1 to 20 degrees of freedom.
STUDENT = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
           2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)
WARM_UP = 4  # batches of each engine before the first round
FIRST_STEPS = 3  # of a batch: the prompts, and what they warm up
PROCESSORS = 4  # that the engines share
TIMES = ("mean", "median")
READY = "vprof-overhead-ready"
ARMS = {
    "without": {},
    "with": {"LD_PRELOAD": common.LIBRARY},
    "silent": {"LD_PRELOAD": common.LIBRARY, "VPROF_RECORD": 0},
    "empty": {"LD_PRELOAD": common.BUILD / "gpu/empty.so"},
}
# All engines share one GPU: a little memory for each, whatever the others have taken.
SHARE = " --gpu-memory-utilization 0.05 --kv-cache-memory-bytes 1073741824"


def child():
    """An engine that makes a batch whenever it reads a line, and answers with the seconds of a step."""
    llm, generate = common.engine_of_this_process()
    engine, begun = llm.llm_engine, []
    step = engine.step

    def timed():
        begun.append(time.perf_counter())
        return step()
    engine.step = timed
    for _ in range(WARM_UP):
        generate(common.OUTPUT)
    print(READY, flush=True)
    for line in sys.stdin:
        begun.clear()
        seconds = generate(int(line))
        steps = [b - a for a, b in zip(begun, begun[1:])]
        print(json.dumps({"mean": seconds / int(line), "median": statistics.median(steps[FIRST_STEPS:])}), flush=True)


class Engine:
    def __init__(self, arm, number, port):
        self.arm = arm
        self.name = f"overhead-engine-{arm}-{number}"
        self.log = open(common.OUT / f"{self.name}.log", "w")
        env = common.environment(False, self.name, VLLM_ENABLE_V1_MULTIPROCESSING=0, PYTHONHASHSEED=0, VLLM_PORT=port,
                                 VLLM_FLAGS=os.environ.get("VLLM_FLAGS", "") + SHARE)
        env.update({"VPROF_OUT": str(common.OUT / "rings" / self.name), **{k: str(v) for k, v in ARMS[arm].items()}})
        self.process = subprocess.Popen([sys.executable, str(common.HERE / "overhead_processes.py")], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        bufsize=1)
        self.times, self.batches = {name: [] for name in TIMES}, WARM_UP
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def answer(self, wanted, seconds):
        """The next line of the engine that begins so; whatever else it prints goes to its log."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise OSError(f"{self.name} gave no answer in {seconds:.0f} s") from None
            if line is None:
                raise OSError(f"{self.name} ended with {self.process.wait()}: see its log")
            if line.startswith(wanted):
                return line
            self.log.write(line)

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def batch(self, tokens):
        self.process.stdin.write(f"{tokens}\n")
        self.batches += 1
        told = json.loads(self.answer('{"mean"', 60))
        for name in TIMES:
            self.times[name].append(told[name] * 1e6)

    def confine(self, processors):
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task), processors)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def start(arms, count, seconds):
    """The first alone: it compiles the model for all others. One that does not come up is left out."""
    engines, up, end = [], [], time.monotonic() + seconds
    for i in range(len(arms) * count):
        engines.append(Engine(arms[i % len(arms)], i // len(arms), 20000 + 100 * i))
        if i == 0:
            engines[0].answer(READY, seconds)
    for engine in engines:
        try:
            if engine is not engines[0]:
                engine.answer(READY, end - time.monotonic())
            up.append(engine)
        except OSError as e:
            common.note(f"left out: {e}")
            engine.process.kill()
    if min(sum(e.arm == arm for e in up) for arm in arms) < 2:
        for engine in up:
            engine.process.kill()
        raise OSError("fewer than two engines of an arm came up")
    return up


def compare(off, on):
    """Difference of the means of two arms with its 95 % interval, Welch's."""
    parts = [statistics.variance(x) / len(x) for x in (off, on)]
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(v * v / (len(x) - 1) for v, x in zip(parts, (off, on)))
    reach = STUDENT[min(len(STUDENT), max(1, int(freedom))) - 1] * error
    middle = statistics.mean(on) - statistics.mean(off)
    return middle, middle - reach, middle + reach


def check_rings(engines, tokens):
    """Each engine that recorded: one graph launch for each decode step it made."""
    for engine in (e for e in engines if e.arm == "with"):
        rings = [ringfile.Ring(p) for p in ringfile.find([str(common.OUT / "rings" / engine.name)])]
        told = [r.summary() for r in rings if len(r.of_kind(ringfile.GRAPH_LAUNCH))]
        common.note(f"{engine.name}: {[t['graph_launches'] for t in told]} graph launches for "
                      f"{engine.batches * (tokens - 1)} decode steps; {[t['records'] for t in told]} records of "
                      f"{[t['reserved'] for t in told]}, losses {[t['losses'] for t in told]}")


def compare_arms(rows, engines, rounds, kind):
    middles = [statistics.median(e.times[kind][i] for e in engines) for i in range(rounds)]
    arms = {}
    for engine in engines:
        relative = statistics.median(t / m for t, m in zip(engine.times[kind], middles))
        arms.setdefault(engine.arm, []).append(relative)
        common.note(f"{engine.name}: {kind} {statistics.median(engine.times[kind]):.1f} us/step, "
                    f"{100 * relative - 100:+.2f} % of the rounds' median, {rounds} batches")
    off = arms.pop("without")
    base = statistics.median(t for e in engines if e.arm == "without" for t in e.times[kind])
    for name, on in arms.items():
        rows.append(common.line(f"decode, whole processes, {name}, {kind} step", "us/step", min(len(off), len(on)), base,
                                base * statistics.mean(on) / statistics.mean(off),
                                *(base * x for x in compare(off, on)),
                                common.TARGET_PERCENT if name == "with" else None))


def measure(rows, seconds, count, arms):
    end = time.monotonic() + seconds
    engines = start(arms, count, seconds)
    common.note(f"{len(engines)} engines are up")
    for engine in engines:
        engine.confine(sorted(os.sched_getaffinity(0))[:PROCESSORS])
    draw = random.Random(1)
    longest, rounds = 0.0, 0
    while time.monotonic() + 2 * longest + 25 < end:
        begin = time.monotonic()
        for engine in draw.sample(engines, len(engines)):
            engine.batch(common.OUTPUT)
        longest, rounds = max(longest, time.monotonic() - begin), rounds + 1
    for engine in engines:
        engine.stop()
    with open(common.OUT / "overhead-process.tsv", "w") as f:
        for engine in engines:
            for kind in TIMES:
                f.write(f"{engine.name}\t{kind}\t" + "\t".join(f"{t:.1f}" for t in engine.times[kind]) + "\n")
    check_rings(engines, common.OUTPUT)
    for kind in TIMES:
        compare_arms(rows, engines, rounds, kind)


if __name__ == "__main__":
    child()
