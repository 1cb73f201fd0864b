#!/usr/bin/env python3
"""overhead_processes.py: what the preload costs vLLM's decode as a whole (part of overhead.py).

One start of vLLM differs from the next by more than the preload could cost, and a step takes 1.5 ms in
one quarter of a second and 2.5 ms in the next on a machine that others share. So engines of both arms,
each in a process of its own, are all started before anything is measured, and then meet in pairs, one of
each arm: A B B A A B B A, a few decode steps at a time, the other engines waiting. What a pair gives is
the ratio of their median steps. Both run on one processor then, another one each time: whether a processor's
twin is busy with somebody else's work makes a step half as long again. A round is a meeting of every engine,
in pairs drawn anew, so that all are at the same token. An engine counts with the mean of its meetings, without
the highest and the lowest fifth, and the arms' difference has an interval by how far the engines of each arm
differ: a figure is as sure as the starts agree, however long it was measured.

Arms, each compared with "without": "with" records; "silent" has the preload and never records; "no-nvtx"
records and leaves NVTX alone; "empty"
preloads a library that does nothing: what that costs, no change of ours can take away, and whether it
costs anything says how far the method itself can be trusted.
"""
import itertools
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
TOKENS = 1000      # of a batch
TURN = 10          # decode steps of one engine's turn
DROPPED = 2        # the first of them, in which caches and clocks warm up
MEETING = "ABBAABBA"
WARM_UP = 200      # decode steps of each engine before it is ready
FIRST_STEPS = 3    # of a batch: the prompts, and what they warm up
READY = "vprof-overhead-ready"
ARMS = {
    "without": {},
    "with": {"LD_PRELOAD": common.LIBRARY},
    "silent": {"LD_PRELOAD": common.LIBRARY, "VPROF_CAPTURE": "off"},
    "no-nvtx": {"LD_PRELOAD": common.LIBRARY, "VPROF_NVTX": "0"},
    "empty": {"LD_PRELOAD": common.BUILD / "gpu/empty.so"},
}
# All engines share one GPU: a little memory for each, whatever the others have taken.
SHARE = " --gpu-memory-utilization 0.05 --kv-cache-memory-bytes 1073741824"


class Done(Exception):
    """There is no further turn."""


def child():
    """An engine that makes TURN decode steps whenever it reads a line, and answers with their median."""
    llm, generate = common.engine_of_this_process()
    engine = llm.llm_engine
    step, times = engine.step, []
    made = {"batch": 0, "decode": 0, "all": 0, "batches": 0}  # steps; decode: behind the first of each batch

    def turn():
        print(json.dumps({"median": statistics.median(times[DROPPED:])}) if made["decode"] > WARM_UP else READY, flush=True)
        times.clear()
        if not sys.stdin.readline():
            raise Done

    def timed():
        if made["decode"] == WARM_UP or len(times) == TURN:
            turn()
        begin = time.perf_counter()
        output = step()
        made["batch"] += 1
        made["all"] += 1
        if made["batch"] > FIRST_STEPS:
            made["decode"] += 1
            if made["decode"] > WARM_UP:
                times.append(time.perf_counter() - begin)
        return output

    engine.step = timed
    try:
        while True:
            made["batch"] = 0
            made["batches"] += 1
            generate(TOKENS)
    except Done:
        # A batch begins with its prompts, and one that is over ended with a step that found nothing to do.
        print(json.dumps({"decode_steps": made["all"] - 2 * made["batches"] + 1}), flush=True)


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
        self.times, self.ratios = [], []  # us a step; logarithms of with by without
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

    def mean(self):
        """Of its meetings' ratios, without the highest and the lowest fifth."""
        fifth = len(self.ratios) // 5
        return statistics.mean(sorted(self.ratios)[fifth:len(self.ratios) - fifth])

    def turn(self):
        self.process.stdin.write("\n")
        self.times.append(json.loads(self.answer('{"median"', 60))["median"] * 1e6)
        return self.times[-1]

    def stop(self):
        """Ends it; how many decode steps it made."""
        self.process.stdin.close()
        steps = json.loads(self.answer('{"decode_steps"', 20))["decode_steps"]
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        return steps


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


def meet(one, other, processor):
    """One pair's meeting: both engines learn the logarithm of other by one."""
    times = {"A": [], "B": []}
    for engine in (one, other):  # its main thread alone, which does the work
        os.sched_setaffinity(engine.process.pid, {processor})
    for letter in MEETING:
        times[letter].append((one if letter == "A" else other).turn())
    ratio = statistics.mean(map(math.log, times["B"])) - statistics.mean(map(math.log, times["A"]))
    one.ratios.append(ratio)
    other.ratios.append(ratio)


def compare(off, on):
    """What `on` takes more than `off`, as a part of it, with its 95 % interval; both are lists of engines."""
    arms = [[e.mean() for e in arm] for arm in (off, on)]
    parts = [statistics.variance(x) / len(x) for x in arms]
    freedom = sum(parts) ** 2 / sum(v * v / (len(x) - 1) for v, x in zip(parts, arms)) if sum(parts) else 1
    reach = STUDENT[min(len(STUDENT), max(1, int(freedom))) - 1] * math.sqrt(sum(parts))
    middle = statistics.mean(x for arm in arms for x in arm)
    return [math.expm1(x) for x in (middle, middle - reach, middle + reach)]


def check_rings(engines, steps):
    """Each engine that recorded: one graph launch for each decode step it made."""
    for engine in (e for e in engines if e.arm == "with"):
        rings = [ringfile.Ring(p) for p in ringfile.find([str(common.OUT / "rings" / engine.name)])]
        told = [r.summary() for r in rings if len(r.of_kind(ringfile.GRAPH_LAUNCH))]
        common.note(f"{engine.name}: {[t['graph_launches'] for t in told]} graph launches for {steps[engine.name]} "
                    f"decode steps; {[t['records'] for t in told]} records of "
                    f"{[t['reserved'] for t in told]}, losses {[t['losses'] for t in told]}")


def rounds_of(off, on, end):
    """Meets them until `end`; an arm with fewer engines leaves some of the other out, drawn anew each time."""
    draw, longest, rounds = random.Random(1), 0.0, 0
    processors = itertools.cycle(sorted(os.sched_getaffinity(0)))
    while time.monotonic() + 2 * longest < end:
        begin = time.monotonic()
        for pair in zip(draw.sample(off, min(len(off), len(on))), draw.sample(on, min(len(off), len(on)))):
            if draw.random() < 0.5:
                meet(*pair, next(processors))
            else:  # the other way round, and so is the ratio
                meet(*reversed(pair), next(processors))
                for engine in pair:
                    engine.ratios[-1] *= -1
        longest, rounds = max(longest, time.monotonic() - begin), rounds + 1
    return rounds


def measure(rows, seconds, count, arms):
    end = time.monotonic() + seconds - 30
    engines = start(arms, count, seconds)
    common.note(f"{len(engines)} engines are up")
    off = [e for e in engines if e.arm == "without"]
    others = [arm for arm in arms if arm != "without"]
    for i, arm in enumerate(others):
        on = [e for e in engines if e.arm == arm]
        for engine in off:
            engine.ratios.clear()
        now = time.monotonic()
        rounds = rounds_of(off, on, now + (end - now) / (len(others) - i))
        base = statistics.median(t for e in off for t in e.times)
        middle, low, high = (base * x for x in compare(off, on))
        for engine in off + on:
            side = 1 if engine in on else -1
            common.note(f"{engine.name}: {statistics.median(engine.times):.1f} us/step, "
                        f"{side * 100 * engine.mean():+.2f} % of those it met, {rounds} rounds")
        rows.append(common.line(f"decode, whole processes, {arm}", "us/step", min(len(off), len(on)), base, base + middle,
                                middle, low, high, common.TARGET_PERCENT if arm == "with" else None))
        with open(common.OUT / f"overhead-process-{arm}.tsv", "w") as f:
            for engine in off + on:
                f.write(f"{engine.name}\t" + "\t".join(f"{r:.5f}" for r in engine.ratios) + "\n")
    check_rings(engines, {engine.name: engine.stop() for engine in engines})


if __name__ == "__main__":
    child()
