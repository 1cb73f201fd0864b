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

Three figures: of the medians of turns, of the mean step, and of the quick steps, the fifth that took least in a
meeting, which others on the machine have disturbed least.

Where there are two GPUs, half of the engines of each arm run on each, with processors, ports and caches of
their own, and meet among themselves; the figures are of all of them.

Arms, each compared with "without": "with" records; "silent" has the preload and never records; "no-nvtx"
records and leaves NVTX alone; "empty" preloads a library that does nothing: what that costs, no change of
ours can take away, and whether it costs anything says how far the method itself can be trusted;
"toggled" are the engines of "with" once more, each against itself with its control word off: what recording costs
where the library is there, which needs far fewer engines, since no two starts are compared: `--processes 1 --arms
with,toggled` is an engine alone on its GPU, whose interval is by how far its meetings differ;
"no-gpu" records without GPU times;
"lib:PATH" preloads another library, which records where it is a build of this one.

OVERHEAD_FIXED=1: addresses are the same in every start of an arm, as far as the kernel lets us. OVERHEAD_TURN=100
OVERHEAD_DROPPED=30: longer turns, so that less of each is spent on what the other engine has taken
from the processor's caches. What a step consists of is told of each arm, with what the processor counted where it
may be asked; OVERHEAD_DETAILS=1 adds the time of its graph.
"""
import ctypes
import itertools
import json
import math
import os
import queue
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import overhead_common as common
import ringfile

# 97.5 % points of Student's distribution for 1 to 20 degrees of freedom.
STUDENT = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
           2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)
LIBC = ctypes.CDLL(None)
MEETING = "ABBAABBA"
ARMS = {
    "without": {},
    "with": {"LD_PRELOAD": common.LIBRARY},
    "silent": {"LD_PRELOAD": common.LIBRARY, "VPROF_CAPTURE": "off"},
    "no-gpu": {"LD_PRELOAD": common.LIBRARY, "VPROF_GPU": "off"},
    "no-nvtx": {"LD_PRELOAD": common.LIBRARY, "VPROF_NVTX": "0"},
    "empty": {"LD_PRELOAD": common.BUILD / "gpu/empty.so"},
}
START = 230        # s until all engines are up; the others are left out
STAGGER = 10       # s between the first engines of two GPUs, which compile
TOGGLED = "toggled"
# All engines share one GPU: a little memory for each, whatever the others have taken.
SHARE = " --gpu-memory-utilization 0.05 --kv-cache-memory-bytes 1073741824"


def fix_addresses():
    """In a child: no random addresses in the program that it becomes."""
    LIBC.personality(0x0040000)  # ADDR_NO_RANDOMIZE


def settings(arm):
    return {"LD_PRELOAD": Path(arm[4:]).resolve()} if arm.startswith("lib:") else ARMS[arm]


def label(arm):
    """A short name: of the library's folder where the library has its usual name."""
    if not arm.startswith("lib:"):
        return arm.replace(" ", "-")
    path = Path(arm[4:]).resolve()
    return re.sub(r"\W+", "-", path.parent.name if path.name == "libvprof.so" else path.stem)


# ---- GPUs ---------------------------------------------------------------------------------

def gpus():
    """As CUDA_VISIBLE_DEVICES names them."""
    if os.environ.get("CUDA_VISIBLE_DEVICES"):
        return os.environ["CUDA_VISIBLE_DEVICES"].split(",")
    try:
        rows = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        rows = []
    return [str(i) for i in range(max(1, sum(row.startswith("GPU ") for row in rows)))]


def processors():
    """Those that we may use, the twins of a core side by side."""
    def core(cpu):
        try:
            text = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
            return int(re.match(r"\d+", text)[0])
        except (OSError, TypeError):
            return cpu
    return sorted(os.sched_getaffinity(0), key=lambda cpu: (core(cpu), cpu))


class Place:
    """A GPU, the processors that go with it, and where its engines keep what they compile."""

    def __init__(self, number, gpu, cpus, alone):
        self.number, self.cpus, self.engines = number, cpus, []
        self.environment = {"CUDA_VISIBLE_DEVICES": gpu, "VPROF_PROCESSORS": ",".join(map(str, cpus))}
        if not alone:
            cache = Path(f"{os.environ.get('VLLM_CACHE_ROOT', '/tmp/vprof-overhead-cache')}-{number}")
            for name, folder in (("VLLM_CACHE_ROOT", "vllm"), ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
                                 ("TRITON_CACHE_DIR", "triton"), ("XDG_CACHE_HOME", "other")):
                self.environment[name] = cache / folder

    def start(self, arms, count, end):
        """The first engine alone: it compiles the model for all others. One that does not come up is left out. Arms
        come in a drawn order: what an engine finds when it starts is its place's and no arm's."""
        order = [arm for arm in arms if arm != TOGGLED for _ in range(count)]
        random.Random(self.number + len(arms)).shuffle(order)
        time.sleep(STAGGER * self.number)
        starting = []
        try:
            for i, arm in enumerate(order):
                starting.append(Engine(arm, self, i))
                if i == 0:
                    starting[0].answer(common.READY, end - time.monotonic())
            for engine in starting:
                try:
                    if engine is not starting[0]:
                        engine.answer(common.READY, end - time.monotonic())
                    self.engines.append(engine)
                except OSError as e:
                    common.note(f"left out: {e}")
                    engine.process.kill()
        except OSError as e:
            common.note(f"GPU {self.number} is left out: {e}")
            for engine in starting:
                engine.process.kill()
        common.note(f"GPU {self.number}: {len(self.engines)} engines are up")

    def of(self, arm):
        return [e for e in self.engines if e.arm == arm]

    def pairs(self, arm, draw):
        if arm == TOGGLED:
            return [(engine, engine) for engine in self.of("with")]
        off, on = self.of("without"), self.of(arm)
        fewest = min(len(off), len(on))
        return zip(draw.sample(off, fewest), draw.sample(on, fewest))

    def measure(self, arms, end):
        """Rounds until `end`; an arm with fewer engines leaves some of the other out, drawn anew each time."""
        draw, longest, self.rounds = random.Random(self.number), 0.0, 0
        cpus = itertools.cycle(self.cpus)
        while time.monotonic() + 2 * longest < end:
            begin = time.monotonic()
            for arm in draw.sample(arms, len(arms)):
                for pair in self.pairs(arm, draw):
                    meet(arm, *pair, next(cpus), draw.random() < 0.5)
            longest, self.rounds = max(longest, time.monotonic() - begin), self.rounds + 1


class Engine:
    def __init__(self, arm, place, number):
        self.arm = arm
        self.name = f"overhead-engine-{label(arm)}-{place.number}-{number}"
        self.log = open(common.OUT / f"{self.name}.log", "w")
        env = common.environment(False, self.name, VLLM_ENABLE_V1_MULTIPROCESSING=0, PYTHONHASHSEED=0,
                                 VLLM_PORT=20000 + 5000 * place.number + 100 * number,
                                 VLLM_FLAGS=os.environ.get("VLLM_FLAGS", "") + SHARE)
        more = {"VPROF_OUT": common.OUT / "rings" / self.name, **place.environment, **settings(arm)}
        env.update({k: str(v) for k, v in more.items()})
        fixed = fix_addresses if os.environ.get("OVERHEAD_FIXED") else None
        self.process = subprocess.Popen([sys.executable, str(common.HERE / "overhead_engine.py")], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        bufsize=1, preexec_fn=fixed)
        self.times, self.ratios = [], {}  # us a step; by arm and figure, logarithms of with by without
        self.details = {}  # by name, what each turn told
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

    def meetings(self, arm, figure):
        """The ratios of its meetings for this arm, without the highest and the lowest fifth."""
        ratios = sorted(self.ratios[arm, figure])
        fifth = len(ratios) // 5
        return ratios[fifth:len(ratios) - fifth]

    def mean(self, arm, figure):
        return statistics.mean(self.meetings(arm, figure))

    def turn(self, word):
        """word: "1" or "0", or "" of an engine whose control word is left alone."""
        self.process.stdin.write(word + "\n")
        told = json.loads(self.answer('{"steps"', 60))
        steps = told.pop("steps")
        self.times.append(statistics.median(steps))
        for name, value in told.items():
            self.details.setdefault(name, []).append(value)
        return steps

    def stop(self):
        """How many decode steps it made; its input is closed."""
        steps = json.loads(self.answer('{"decode_steps"', 20))["decode_steps"]
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        return steps


def of_medians(turns):
    return statistics.mean(math.log(statistics.median(steps)) for steps in turns)


def of_mean_steps(turns):
    return math.log(statistics.mean(itertools.chain.from_iterable(turns)))


def of_quick_steps(turns):
    """The mean of the quickest fifth."""
    steps = sorted(itertools.chain.from_iterable(turns))
    return math.log(statistics.mean(steps[:max(1, len(steps) // 5)]))


FIGURES = {"medians": of_medians, "mean steps": of_mean_steps, "quick steps": of_quick_steps}  # logarithms


def meet(arm, off, on, processor, first):
    """One pair's meeting: both engines learn the logarithm of on by off. first: of the two, off begins."""
    times = {"A": [], "B": []}
    sides = [(off, "0" if arm == TOGGLED else ""), (on, "1" if on.arm == "with" else "")]
    one, other = sides if first else sides[::-1]
    for engine in {off, on}:  # its main thread alone, which does the work
        os.sched_setaffinity(engine.process.pid, {processor})
    for letter in MEETING:
        engine, word = one if letter == "A" else other
        times[letter].append(engine.turn(word))
    for figure, of in FIGURES.items():
        ratio = of(times["B"]) - of(times["A"])
        for engine in {off, on}:
            engine.ratios.setdefault((arm, figure), []).append(ratio if first else -ratio)


def compare(arm, figure, sides):
    """What the arm takes more, as a part of what is without it, with its 95 % interval; sides: one list of engines
    that met themselves, or two of those that met."""
    if len(sides) == 1 and len(sides[0]) == 1:
        arms = [sides[0][0].meetings(arm, figure)]
    else:
        arms = [[e.mean(arm, figure) for e in engines] for engines in sides]
    parts = [statistics.variance(x) / len(x) for x in arms]
    freedom = sum(parts) ** 2 / sum(v * v / (len(x) - 1) for v, x in zip(parts, arms)) if sum(parts) else 1
    reach = STUDENT[min(len(STUDENT), max(1, int(freedom))) - 1] * math.sqrt(sum(parts))
    middle = statistics.mean(x for values in arms for x in values)
    return [math.expm1(x) for x in (middle, middle - reach, middle + reach)]


def check_rings(engines, steps):
    """Each engine that recorded: one graph launch for each decode step it made."""
    for engine in (e for e in engines if e.arm == "with" and e.name in steps):
        rings = [ringfile.Ring(p) for p in ringfile.find([str(common.OUT / "rings" / engine.name)])]
        told = [r.summary() for r in rings if len(r.of_kind(ringfile.GRAPH_LAUNCH))]
        common.note(f"{engine.name}: {[t['graph_launches'] for t in told]} graph launches for {steps[engine.name]} "
                    f"decode steps; {[t['records'] for t in told]} records of "
                    f"{[t['reserved'] for t in told]}, losses {[t['losses'] for t in told]}")


def together(work, places):
    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def row_of(arm, figure, engines):
    sides = [[e for e in engines if e.arm == a and (arm, figure) in e.ratios]
             for a in (["with"] if arm == TOGGLED else ["without", arm])]
    fewest = min(map(len, sides))
    if fewest < 2 and (arm != TOGGLED or not fewest or len(sides[0][0].meetings(arm, figure)) < 2):
        raise OSError(f"fewer than two engines met for {arm}")
    base = statistics.median(t for e in sides[0] for t in e.times)
    middle, low, high = (base * x for x in compare(arm, figure, sides))
    with open(common.OUT / f"overhead-process-{label(arm)}-{label(figure)}.tsv", "w") as f:
        for engine in itertools.chain(*sides):
            f.write(f"{engine.name}\t" + "\t".join(f"{r:.5f}" for r in engine.ratios[arm, figure]) + "\n")
            side = -1 if engine.arm == "without" else 1
            common.note(f"{engine.name}: {statistics.median(engine.times):.1f} us/step, "
                        f"{side * 100 * engine.mean(arm, figure):+.2f} % of those it met for {label(arm)}, {figure}")
    return common.line(f"decode, whole processes, {figure}, {label(arm)}", "us/step", fewest, base, base + middle,
                       middle, low, high, common.TARGET_PERCENT if arm in ("with", TOGGLED) else None)


RARE = ("faults", "waits", "preemptions")  # in most turns none


def tell_details(arms, engines):
    """Of each arm the mean of its engines' medians, and how far these lie apart."""
    for name in sorted({name for e in engines for name in e.details}):
        for arm in arms:
            of = [statistics.mean(e.details[name]) if name in RARE else statistics.median(e.details[name])
                  for e in engines if e.arm == arm and name in e.details]
            if of:
                common.note(f"{name} a step, {label(arm)}: {statistics.mean(of):.2f} "
                            f"({' '.join(f'{x:.2f}' for x in sorted(of))})")


def places_of(count):
    """One for each GPU, with its part of the processors, as long as an arm has two engines for each."""
    names, cpus = gpus(), processors()
    names = names[:max(1, count // 2)]
    share = len(cpus) // len(names)
    return [Place(i, gpu, cpus[i * share:(i + 1) * share] or cpus, len(names) == 1) for i, gpu in enumerate(names)]


def stop(engines):
    """How many decode steps each made that ended well."""
    steps = {}
    for engine in engines:
        try:
            steps[engine.name] = engine.stop()
        except OSError as e:
            common.note(str(e))
            engine.process.kill()
    return steps


def measure(rows, seconds, count, arms):
    end = time.monotonic() + seconds - 30
    others = [arm for arm in arms if arm != "without"]
    places = places_of(count)
    together(lambda place: place.start(arms, count // len(places), min(end - 30, time.monotonic() + START)),
             places)
    places = [place for place in places if place.engines]
    engines = [e for place in places for e in place.engines]
    try:
        together(lambda place: place.measure(others, end), places)
        common.note(f"rounds: {', '.join(str(place.rounds) for place in places)}")
        tell_details(arms, engines)
        for arm, figure in itertools.product(others, FIGURES):
            try:
                rows.append(row_of(arm, figure, engines))
                common.note(rows[-1])
            except OSError as e:
                common.note(str(e))
    finally:
        for engine in engines:
            engine.process.stdin.close()
    check_rings(engines, stop(engines))
