#!/usr/bin/env python3
"""gpu_vllm.py [PART...]: GPU times of vprof on a real vLLM, decoding batches of eight.

    . .kit/env.sh; BUILD=build OUT=/tmp/out MODEL=/tmp/model-1b tests/gpu/gpu_vllm.py [PART...]

  cost      one engine under the preload; blocks of decode steps in turn without recording, recording with GPU
            times off, of one replay in 64, and of every replay; differences to off of the same turn
  accuracy  `vprof verify` of an engine that decodes, three runs of each kind: 95 % of GPU time in kernels whose
            median lies within 5 % or 200 ns of CUPTI's
  merge     vprof-merge of a ring with 1,280 decode steps, every replay of them timed: JSON, packed, Kineto's layout
  kineto    the same engine without vprof, under torch.profiler (CUDA activities only): its steps beside plain
            ones of the same engine, and the time to stop
  startup   from imported to ready with vLLM's default set of graphs, with vprof (one replay in 64) and without;
            each time one of both starts at the same moment; and the capture of the graphs alone
  nsys      as kineto, under Nsight Systems, where there is one

VLLM_FLAGS and MODEL say what is served. Writes OUT/gpu_vllm.results ("ok NAME", "not ok NAME", "# text"), OUT/gpu_vllm.tsv
(a row a measurement: part, name, value, unit, target, ok or short or unclear, detail) and what each part left
under OUT/gpu_vllm/. What does not fit into DEADLINE seconds is left out and said to be.
"""
import glob
import json
import os
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("DEADLINE", "500")
import gpu_time as base  # noqa: E402 it reads the deadline
from gpu_time import Fail, Skip, interval, left, row, say, tell  # noqa: E402

ENGINE = [sys.executable, str(base.HERE / "vllm_engine.py")]
VPROF, MERGE = str(base.BUILD / "vprof"), str(base.BUILD / "vprof-merge")
COST_SECONDS = int(os.environ.get("COST_SECONDS", "50"))
ARMS = 4            # of vllm_engine.py cost
TARGETS = {"sampled": 1.0, "all": 12.0}  # per cent of a decode step
START_TARGET = 1.0  # per cent
STEPS = 1280        # of the ring that is merged, and beside other profilers
MERGE_S = 2.0
READY_S = 150       # an engine's first start compiles
RUNS = 3            # of each kind that are compared: runs of one kind differ by more than what is asked
WARM_UP = 400       # executions of each kernel that are not compared: those of the start and of prompts
# Several engines on one GPU: a little memory for each, whatever the others have taken.
SHARE = ["--gpu-memory-utilization", "0.05", "--kv-cache-memory-bytes", "1073741824"]


def told(text, kind):
    """What a program told of this kind."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith('{"told"')]
    return [line for line in lines if line["told"] == kind]


started = []  # engines


def engine(folder, words, limit, env, prefix=()):
    started.append(folder)
    text = base.must([*prefix, *ENGINE, *map(str, words)], env, folder / "engine.log", limit)
    (folder / "engine.out").write_text(text)
    return text


def traced(folder, gpu, **more):
    return base.environment(folder / "rings", VPROF_GPU=gpu, **more)


def info(folder):
    """What the rings with GPU times say."""
    done = subprocess.run([VPROF, "info", "--json", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    rings = json.loads(done.stdout or "[]")
    return [ring for ring in rings if ring.get("gpu", {}).get("devices")]


def per_cent(values):
    """Median and its interval, as a text too."""
    middle, (low, high) = statistics.median(values), interval(values)
    return middle, low, high, f"{middle:+.2f} % ({low:+.2f} .. {high:+.2f})"


def judged(low, high, target):
    return "ok" if high <= target else "short" if low > target else "unclear"


# ---- cost -----------------------------------------------------------------------------------

def turns_of(text):
    batches = [batch["blocks"] for batch in told(text, "turns")]
    turns = [dict(blocks[i:i + ARMS]) for blocks in batches for i in range(0, len(blocks) - ARMS + 1, ARMS)]
    if not turns:
        raise Fail("the engine told of no blocks")
    return turns


def check_stamps(folder, turns):
    """Were as many replays instrumented as there were to be?"""
    wanted = turns * 128 * (1 + 1 / 64)
    for ring in info(folder / "rings"):
        gpu, lost = ring["gpu"], {k: v for k, v in ring["lost"].items() if v}
        tell(gpu["replays"] >= 0.9 * wanted or ring["overwritten"] > 0,
             f"cost: {gpu['replays']} replays were instrumented, at least {wanted:.0f} were to be")
        say(f"cost: {ring['reserved']} records, {ring['overwritten']} overwritten, lost {lost}, twins {gpu['twins']}, "
            f"built in {gpu['build_us']} us")


def cost(folder):
    """Of a whole twin, whatever the rate: a change of it would make twins anew."""
    env = traced(folder, "sample:64", VPROF_GPU_PARTS="1", VPROF_RING_MB="256")
    text = engine(folder, ["cost", COST_SECONDS], READY_S + COST_SECONDS + 20, env)
    turns = turns_of(text)
    check_stamps(folder, len(turns))
    plain = statistics.median(turn["off"] for turn in turns)
    for arm, target in TARGETS.items():
        middle, low, high, said = per_cent([100 * (turn[arm] / turn["off"] - 1) for turn in turns])
        verdict = judged(low, high, target)
        tell(verdict != "short", f"cost: {'every replay' if arm == 'all' else 'one replay in 64'} instrumented costs vLLM's"
                                 f" decode {said}, at most {target} %")
        row("cost", f"decode, {arm}", f"{middle:.3f}", "%", f"<={target}", verdict,
            f"{low:+.3f} .. {high:+.3f} in {len(turns)} turns, {plain:.1f} us a step with GPU times off")
    for arm, name in (("off", "recording, GPU times off"), ("sampled", "recording, one replay in 64")):
        middle, low, high, _ = per_cent([100 * (turn[arm] / turn["none"] - 1) for turn in turns])
        row("cost", f"decode, {name}, to nothing recorded", f"{middle:.3f}", "%", "-", "-",
            f"{low:+.3f} .. {high:+.3f}, {statistics.median(turn['none'] for turn in turns):.1f} us a step with nothing recorded")


# ---- accuracy, and the ring that is merged --------------------------------------------------

kept = {}  # "ring": the folder of the run under vprof of `accuracy`


def accuracy(folder):
    """An engine's first start on a machine compiles, and tries its kernels out: neither of the two that are compared does."""
    tokens = STEPS // 2 + 60
    if not started:
        engine(folder, ["decode", 8, 1], READY_S, base.environment())
    report = base.accuracy("vLLM decode", [*ENGINE, "decode", str(tokens), "2"], (WARM_UP, RUNS), folder, READY_S, keep_rings=True)
    runs = folder / "runs" / "1" if RUNS > 1 else folder / "runs"
    kept["ring"] = runs / "vprof"
    rows = [r for r in report["names"] if r["cupti"]["count"]]
    measured = [r for r in rows if r["vprof"]["count"]]
    whole = sum(r["cupti"]["total_ns"] for r in measured)
    near = sum(r["cupti"]["total_ns"] for r in measured if r["near"])
    row("accuracy", "vLLM decode, of what vprof measured", f"{100 * near / whole if whole else 0:.2f}", "%", "-", "-",
        f"{100 * whole / report['gpu_ns']:.2f} % of the GPU time; {len(rows) - len(measured)} of {len(rows)} rows not measured")
    for name in ("cupti", "vprof"):
        for line in told((runs / f"{name}.log").read_text(errors="replace"), "decode"):
            row("accuracy", f"decode step of the run {'beside CUPTI' if name == 'cupti' else 'of vprof, every replay'}",
                f"{statistics.median(line['us']):.1f}", "us", "-", "-", "")


def ring_to_merge(folder):
    """A folder of a ring with so many replays: the one that is there, else a new one."""
    if "ring" not in kept:
        engine(folder, ["decode", STEPS // 2 + 60, 2], READY_S, traced(folder, "all"))
        kept["ring"] = folder / "rings"
    replays = sum(ring["gpu"]["replays"] for ring in info(kept["ring"]))
    tell(replays >= STEPS, f"merge: {replays} replays are timed, {STEPS} are to be")
    return kept["ring"], replays


def merge(folder):
    rings, replays = ring_to_merge(folder)
    for name, words in (("JSON", ["-o", "trace.json"]), ("packed", ["-o", "trace.json.gz"]),
                        ("Kineto's layout", ["--format", "kineto", "-o", "kineto"])):
        took = []
        for _ in range(3):
            shutil.rmtree(folder / "kineto", ignore_errors=True)
            begin = time.monotonic()
            done = subprocess.run([MERGE, *words, str(rings)], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
            took.append(time.monotonic() - begin)
            if done.returncode:
                raise Fail(f"vprof-merge ended with {done.returncode}: {done.stderr[-300:]}")
        made = folder / words[-1]
        size = sum(path.stat().st_size for path in ([made] if made.is_file() else made.rglob("*")) if path.is_file())
        tell(statistics.median(took) < MERGE_S, f"merge: {name} of {replays} decode steps took {statistics.median(took):.2f} s, "
                                                f"less than {MERGE_S:.0f} s")
        row("merge", f"{name}, {replays} decode steps", f"{statistics.median(took):.3f}", "s", f"<{MERGE_S}",
            "ok" if statistics.median(took) < MERGE_S else "short", f"{size / 1e6:.1f} MB; {', '.join(f'{t:.2f}' for t in took)} s")
        shutil.rmtree(made) if made.is_dir() else made.unlink()


# ---- others beside it -----------------------------------------------------------------------

def beside(name, line, stop_s, detail):
    plain, during = statistics.median(line["plain"]), statistics.median(line["during"])
    row("beside", f"{name}, decode step to a plain one", f"{during / plain:.3f}", "x", "-", "-",
        f"{plain:.1f} us plain, {during:.1f} under it" + (f", {statistics.median(line['after']):.1f} after" if line["after"] else ""))
    row("beside", f"{name}, to stop after {line['steps']} steps", f"{stop_s:.2f}", "s", "-", "-", detail)
    tell(True, f"beside: {name}: a step takes {during / plain:.2f} times a plain one, stopping {stop_s:.1f} s")


def one_told(text, kind):
    lines = told(text, kind)
    if not lines:
        raise Fail(f"the engine told of nothing {kind}")
    return lines[-1]


def kineto(folder):
    line = one_told(engine(folder, ["kineto", STEPS], READY_S + 100, base.environment(TMPDIR=str(folder))), "profiled")
    beside("torch.profiler, CUDA activities only", line, line["stop_s"],
           f"{line['collect_s']:.1f} s to collect, {line['export_s']:.1f} to write {line['bytes'] / 1e6:.1f} MB")


def nsys(folder):
    found = [shutil.which("nsys"), *glob.glob("/usr/local/cuda*/bin/nsys"), *glob.glob("/opt/nvidia/nsight-systems*/*/bin/nsys")]
    tool = next(filter(None, found), None)
    if not tool:
        raise Skip("no Nsight Systems here")
    words = [tool, "profile", "--trace=cuda", "--cuda-graph-trace=node", "--capture-range=cudaProfilerApi",
             "--capture-range-end=stop", "--force-overwrite=true", "--output", str(folder / "report")]
    line = one_told(engine(folder, ["nsys", STEPS // 2], READY_S + 150, base.environment(), words), "profiled")
    size = sum(path.stat().st_size for path in folder.glob("report*"))
    beside("Nsight Systems, nodes of graphs", line, time.time() - line["stopping_at"],
           f"{line['stop_s']:.1f} s in cudaProfilerStop, the rest until the program and nsys had ended; {size / 1e6:.1f} MB")


# ---- startup --------------------------------------------------------------------------------

def default_flags():
    """VLLM_FLAGS without the sizes of graphs."""
    words, kept_words = shlex.split(os.environ.get("VLLM_FLAGS", "")), []
    while words:
        word = words.pop(0)
        if word.startswith("--cudagraph-capture-sizes"):
            while words and not words[0].startswith("-"):
                words.pop(0)
        else:
            kept_words.append(word)
    return shlex.join(kept_words + SHARE)


class Starter:
    """Makes engines: each in a fork of a process that has imported vLLM, or, where that cannot be, in a process of its own."""

    def __init__(self, folder, name, env, forked=True):
        self.path, self.env, self.forked, self.process, self.seen = folder / f"{name}.log", env, forked, None, []
        self.log = open(self.path, "w")
        if forked:
            self.spawn("starts")

    def spawn(self, word):
        self.process = subprocess.Popen([*ENGINE, word], env=self.env, stdin=subprocess.PIPE, stdout=self.log, stderr=self.log,
                                        text=True, start_new_session=True)

    def go(self):
        self.seen = self.all_told()
        if self.forked:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        else:
            self.spawn("start")

    def all_told(self):
        """All that it has told so far, in order."""
        lines = [json.loads(line) for line in self.path.read_text(errors="replace").splitlines() if line.startswith('{"told"')]
        return [line for line in lines if line["told"] in ("imported", "start", "failed", "ended")]

    def wait(self, kind, limit):
        """Until it has told something since go(), which is to be that; what it told."""
        end = time.monotonic() + max(5, min(limit, left()))
        while time.monotonic() < end:
            ended = self.process.poll() is not None
            new = [line for line in self.all_told()[len(self.seen):] if line["told"] in (kind, "failed", "ended")]
            if new and new[0]["told"] == kind:
                return new[0]
            if new or ended:
                raise Fail(f"{self.path.name}: {new[0] if new else 'it ended'}, see there")
            time.sleep(0.02)
        raise Fail(f"{self.path.name}: nothing {kind} in {limit:.0f} s")

    def end(self):
        if self.process:
            base.end_group(self.process)
        self.log.close()


def start_both(starters, limit):
    """Both at one moment; what each told."""
    for starter in starters:
        starter.go()
    lines = [starter.wait("start", limit) for starter in starters]
    for starter in starters:
        if not starter.forked:
            base.end_group(starter.process)
    return lines


def make_starters(folder, envs, forked):
    starters = [Starter(folder, name + ("" if forked else "-whole"), env, forked) for name, env in envs.items()]
    try:
        if forked:
            for starter in starters:
                starter.wait("imported", READY_S)
        start_both(starters[:1], READY_S + 50)  # compiles for all that follow
        start_both(starters, READY_S)
    except Fail:
        for starter in starters:
            starter.end()
        raise
    return starters


def graphs_of(folder):
    """How many graphs the starts under vprof remembered, and what was done for them."""
    done = subprocess.run([VPROF, "graphs", "--json", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    counts = [len(process["graphs"]) for process in json.loads(done.stdout or '{"processes": []}')["processes"]]
    return counts, [(ring["gpu"]["twins"], ring["gpu"]["build_us"]) for ring in info(folder)]


def startup(folder):
    flags = default_flags()
    envs = {"plain": base.environment(VLLM_FLAGS=flags, VLLM_PORT="21000"),
            "traced": traced(folder, "sample:64", VLLM_FLAGS=flags, VLLM_PORT="22000")}
    try:
        starters = make_starters(folder, envs, True)
    except Fail as e:
        say(f"startup: forked starts came to nothing, so whole processes: {e}")
        base.drop_rings(folder)
        starters = make_starters(folder, envs, False)
    pairs, longest, counts = [], 0.0, None
    try:
        while len(pairs) < 8 and (len(pairs) < 2 or left() > longest + 15):
            counts = graphs_of(folder / "rings")
            base.drop_rings(folder)
            begin = time.monotonic()
            pairs.append(start_both(starters[::-1] if len(pairs) % 2 else starters, READY_S)[::-1 if len(pairs) % 2 else 1])
            longest = max(longest, time.monotonic() - begin)
    finally:
        for starter in starters:
            starter.end()
    judge_starts(folder, pairs, counts)


def judge_starts(folder, pairs, counts):
    """The whole start is what the target is of; the capture alone, as a part of it, is the surer figure."""
    for key, name in (("capture_s", "what the capture of the default graphs takes longer, of the whole start"),
                      ("ready_s", "from imported to ready")):
        if not all(line[key] for pair in pairs for line in pair):
            say(f"startup: {key} was not timed")
            continue
        middle, low, high, said = per_cent([100 * (on[key] - off[key]) / off["ready_s"] for off, on in pairs])
        verdict = judged(low, high, START_TARGET)
        tell(verdict != "short", f"startup: {name}: {said} with vprof, at most {START_TARGET} %")
        times = "; ".join(f"{off[key]:.2f} {on[key]:.2f}" for off, on in pairs)
        row("startup", name, f"{middle:.3f}", "%", f"<={START_TARGET}", verdict,
            f"{low:+.3f} .. {high:+.3f} in {len(pairs)} pairs, {key[:-2]} in s without and with: {times}")
    say(f"startup: graphs of a start under vprof {counts[0]}, twins and us of their making {counts[1]}")
    for name in sorted(folder.glob("*.log")):
        seconds = re.findall(r"Graph capturing finished in (\d+) secs", name.read_text(errors="replace"))
        say(f"startup: {name.name}: vLLM's own seconds of capture {seconds}")


# ---- all of it ------------------------------------------------------------------------------

# What is done, the most wanted first, and the seconds that it needs at least.
PARTS = {cost: 100 + COST_SECONDS, accuracy: 160, merge: 15, kineto: 70, startup: 130, nsys: 120}


def take(part):
    folder = base.OUT / "gpu_vllm" / part.__name__
    begin = time.monotonic()
    try:
        base.attempt(part.__name__, folder, part)
    finally:
        if kept.get("ring", Path("/")).parts[:len(folder.parts)] != folder.parts:
            base.drop_rings(folder)
    say(f"{part.__name__}: took {time.monotonic() - begin:.0f} s")


def main(names):
    known = {part.__name__ for part in PARTS}
    if set(names) - known:
        sys.exit(f"no part {', '.join(sorted(set(names) - known))}; there are {', '.join(part.__name__ for part in PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs is ended on the way
    os.environ.update(VLLM_ENABLE_V1_MULTIPROCESSING="0", PYTHONHASHSEED="0")
    base.OUT.mkdir(parents=True, exist_ok=True)
    try:
        for part, seconds in PARTS.items():
            if names and part.__name__ not in names:
                continue
            if left() < seconds:
                base.left_out.append(part.__name__)
            else:
                take(part)
            base.write("gpu_vllm")  # what there is so far
    finally:
        base.drop_rings(base.OUT / "gpu_vllm")


if __name__ == "__main__":
    main(sys.argv[1:])
