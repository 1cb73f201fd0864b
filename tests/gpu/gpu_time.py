#!/usr/bin/env python3
"""gpu_time.py [PART...]: are vprof's GPU times right, what do they cost, and does the program stay the same?

    BUILD=build OUT=/tmp/out tests/gpu/gpu_time.py [accuracy] [known] [cost] [bits] [stale] [memcheck]

  accuracy  `vprof verify` over kernels of 1 us to 10 ms (gpu_kernels.c) and torch (gpu_torch.py): 95 % of
            GPU time in kernels whose median lies within 5 % or 200 ns of CUPTI's
  known     kernels that begin early, whose time is known
  cost      one process under the preload, blocks of replays in turn with GPU times off, of every replay,
            and of one in 64; the differences to off of the same turn, their median and its 95 % interval; with
            the nodes of a graph in two parts, as vprof divides them by itself, with stamps behind all of them, and in four parts
  bits      what is computed by two graphs at once, 10,000 replays: the same without vprof and with every
            replay instrumented, as the ring has to show
  stale     kernels see what the one before has written, through every cache (stale_reads.c), with a stamp
            between any two of them
  memcheck  the same for some replays under compute-sanitizer, where there is one

Writes OUT/gpu_time.results ("ok NAME", "not ok NAME", "# text"), OUT/gpu_time.tsv (a row a measurement:
part, name, value, unit, target, ok or short or unclear, detail) and what each run left under OUT/gpu_time/. What does
not fit into DEADLINE seconds (220) is left out and said to be.
"""
import contextlib
import glob
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "clients"))
OUT = Path(os.environ.get("OUT", "/tmp/vprof-gpu-time"))
BUILD = Path(os.environ.get("BUILD", "build")).resolve()
DEADLINE = float(os.environ.get("DEADLINE", "220"))
BEGIN = time.monotonic()

KERNELS = [str(BUILD / "gpu/gpu_kernels")]
TORCH = [sys.executable, str(HERE / "gpu_torch.py")]
# Per cent, by VPROF_GPU_PARTS. By itself vprof makes two where each replay is timed, and one where one in so many is;
# both are set, since a change of the rate would make the twins anew.
TARGETS = {2: {"all": 12.0, "sampled": None}, 1: {"all": None, "sampled": 0.3}, 4: {"all": 5.0, "sampled": None}}
STALE = [str(BUILD / "gpu/stale_reads")]
SHARE = 95
REPLAY_KIND = 19  # VPROF_KIND_REPLAY
BITS = 5000  # of each of the two
OWN_NS = 690  # what a kernel takes beside its instructions, by CUPTI

results, rows, left_out = [], [], []


class Skip(Exception):
    pass


class Fail(Exception):
    pass


def note(text):
    print(f"# [{time.monotonic() - BEGIN:4.0f} s] {text}", flush=True)


def tell(passed, name):
    results.append(f"{'ok' if passed else 'not ok'} {name}")


def row(part, name, value, unit, target, verdict, detail):
    rows.append((part, name, str(value), unit, target, verdict, detail))


def say(text):
    results.extend("# " + line for line in text.splitlines())


def left():
    return DEADLINE - (time.monotonic() - BEGIN)


# ---- running --------------------------------------------------------------------------------

def environment(folder=None, **more):
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **more)
    env.pop("LD_PRELOAD", None)
    if folder:
        env.update(LD_PRELOAD=str(BUILD / "libvprof.so"), VPROF_OUT=str(folder))
    return env


def run(command, env, log, limit):
    """Its exit code and standard output; the rest is in `log`. Whatever it started ends with it."""
    with open(log, "w") as errors:
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                   start_new_session=True)
        try:
            text = process.communicate(timeout=max(5, min(limit, left())))[0].decode(errors="replace")
        except subprocess.TimeoutExpired as e:
            raise Fail(f"{command[0]} took longer than {e.timeout:.0f} s") from e
        finally:
            end_group(process)
    if process.returncode == 77:
        raise Skip(" ".join(log.read_text(errors="replace").split())[-200:] or "not possible here")
    return process.returncode, text


def end_group(process):
    """Ends a process that leads a session of its own, with all that is left of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def must(command, env, log, limit):
    code, text = run(command, env, log, limit)
    if code:
        tail = " | ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
        raise Fail(f"{Path(command[0]).name} ended with {code}: {tail[-400:]}")
    return text


def drop_rings(folder):
    """Rings lie in memory; those that have told what they know make room."""
    for link in glob.glob(f"{folder}/**/*.ring", recursive=True):
        for path in {os.path.realpath(link), link}:
            if os.path.lexists(path):
                os.unlink(path)


def words(text, first):
    """The words of the last line of `text` that begins with `first`."""
    lines = [line.split() for line in text.splitlines() if line.startswith(first + " ")]
    if not lines:
        raise Fail(f"printed no line '{first} ...'")
    return lines[-1]


# ---- accuracy -------------------------------------------------------------------------------

def cupti():
    if os.environ.get("CUPTI_LIB"):
        return os.environ["CUPTI_LIB"]
    from compare import Skip as NoCupti, find_cupti
    try:
        return find_cupti()
    except NoCupti as e:
        raise Skip(e) from e


def far_rows(report):
    """The rows that are not near and have most of the GPU time."""
    far = [r for r in report["names"] if not r["near"] and r["cupti"]["total_ns"] > 0.005 * report["gpu_ns"]]
    for r in far[:6]:
        got = r["vprof"]["median_ns"]
        yield (f"{100 * r['cupti']['total_ns'] / report['gpu_ns']:5.1f} %  CUPTI {r['cupti']['count']} x "
               f"{r['cupti']['median_ns']} ns, vprof {r['vprof']['count']} x {got if got is not None else '-'} ns"
               f" ({r['vprof'].get('class', '-')}, {r['vprof'].get('taken_off_ns', '-')} taken off)  {r['name'][:90]}"
               f" {r['grid']} {r['block']}")


def among_themselves(report):
    """How near the runs of each side are to each other: what CUPTI's own differ by says nothing of vprof."""
    if report["runs"] == 1:
        return ""
    shares = [f"{100 * report['among_themselves'][side]['share']:.2f} % by {side}" for side in ("cupti", "vprof")]
    return f"; {report['runs']} runs of each, among themselves {' and '.join(shares)}"


def accuracy(name, command, how, folder, limit=60, keep_rings=False):
    warm_up, runs = how
    env = environment(CUPTI_LIB=cupti())
    log = folder / "verify.log"
    code, text = run([str(BUILD / "vprof"), "verify", "--json", "--share", str(SHARE), "--warm-up", str(warm_up), "--runs",
                      str(runs), "--keep", str(folder / "runs"), "--", *command], env, log, runs * limit)
    if not keep_rings:
        drop_rings(folder)
    said = " | ".join(log.read_text(errors="replace").strip().splitlines()[:3])
    if not text.strip():
        if "exit code 77" in said:
            raise Skip(said)
        raise Fail(f"vprof verify ended with {code}: {said[-500:]}")
    report = json.loads(text)
    (folder / "verify.json").write_text(text)
    share, counts = 100 * report["share"], report["executions"]
    tell(report["enough"], f"{name}: {share:.1f} % of GPU time lies within 5 % or 200 ns of CUPTI's")
    if said:
        say(f"{name}: {said}")
    for line in far_rows(report):
        say(f"{name}: {line}")
    near = [r for r in report["names"] if r["difference_ns"] is not None and r["cupti"]["count"]]
    off = statistics.median(abs(r["difference_ns"]) for r in near) if near else float("nan")
    row("accuracy", name, f"{share:.2f}", "%", f">={SHARE}", "ok" if report["enough"] else "short",
        f"{report['rows_near']} of {report['rows']} rows, {counts['vprof']} of {counts['cupti']} executions,"
        f" median difference {off:.0f} ns{among_themselves(report)}")
    return report


def known(name, command, _, folder):
    """Kernels that may begin while the one before them is at work: CUPTI counts the time for which they wait then, vprof
    from the end of that one on. How long each works is in its name."""
    must(command, environment(folder / "rings", VPROF_GPU="all"), folder / "known.log", 40)
    text = must([str(BUILD / "vprof"), "top", "--json", "--rows", "0", str(folder / "rings")], environment(),
                folder / "top.log", 30)
    (folder / "top.json").write_text(text)
    drop_rings(folder)
    medians = {row["name"]: row["median_ns"] for row in json.loads(text)["work"] if row["name"].startswith("spin_")}
    if len(medians) != 3:
        raise Fail(f"{len(medians)} kernels were measured: {' '.join(medians)}")
    off = {kernel: median - 1000 * int(re.search(r"spin_(\d+)us", kernel)[1]) - OWN_NS for kernel, median in medians.items()}
    wrong = [kernel for kernel, ns in off.items() if abs(ns) > max(200, 0.05 * medians[kernel])]
    tell(not wrong, f"{name}: each kernel reads what it works for, {OWN_NS} ns beside it: "
                    + ", ".join(f"{kernel} {ns:+.0f} ns" for kernel, ns in off.items()))
    row("known", name, len(wrong), "wrong", "<=0", "short" if wrong else "ok", f"of {len(off)} kernels")


# ---- cost -----------------------------------------------------------------------------------

def interval(values, rounds=2000):
    """95 % bootstrap interval of the median."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975) - 1]


def turns(text):
    """Of each turn: arm -> ns a replay."""
    blocks = [line.split("\t") for line in text.splitlines() if "\t" in line]
    arms = len({name for name, _ in blocks})
    if arms < 2:
        raise Fail("printed no blocks")
    return [{name: float(ns) for name, ns in blocks[i:i + arms]} for i in range(0, len(blocks) - arms + 1, arms)]


def instrumented(folder):
    """Replays with stamps that the rings have; None where they cannot be read here."""
    if importlib.util.find_spec("numpy") is None:
        return None
    import ringfile
    return sum(len(ringfile.Ring(path).of_kind(REPLAY_KIND)) for path in ringfile.find([str(folder)]))


def cost(name, command, parts, folder):
    env = environment(folder / "rings", VPROF_GPU="sample:64", VPROF_GPU_PARTS=str(parts))
    text = must(command, env, folder / "cost.log", 60)
    (folder / "blocks.tsv").write_text(text)
    measured, replays = turns(text), int(command[-1])
    seen, wanted = instrumented(folder / "rings"), len(measured) * replays
    drop_rings(folder)
    if seen is not None:
        tell(0.9 * wanted <= seen <= 1.2 * wanted, f"{name}: {seen} replays were instrumented, of {wanted} that were to be"
                                                   " and 1 in 64 of as many")
    base = statistics.median(turn["off"] for turn in measured)
    for arm, target in TARGETS[parts].items():
        added = [100 * (turn[arm] / turn["off"] - 1) for turn in measured]
        middle, (low, high) = statistics.median(added), interval(added)
        verdict = "-" if target is None else "ok" if high <= target else "short" if low > target else "unclear"
        if target is not None:
            tell(verdict != "short", f"{name}: {'every replay' if arm == 'all' else 'one replay in 64'} instrumented"
                                     f" costs {middle:+.2f} % ({low:+.2f} .. {high:+.2f}), at most {target} %")
        row("cost", f"{name}, {arm}", f"{middle:.3f}", "%", "-" if target is None else f"<={target}", verdict,
            f"{low:+.3f} .. {high:+.3f} in {len(added)} turns, {base / 1000:.1f} us a replay plain")


# ---- the same bits --------------------------------------------------------------------------

def bits(name, command, rounds, folder):
    plain = must(command, environment(), folder / "plain.log", 40)
    traced = must(command, environment(folder / "rings", VPROF_GPU="all"), folder / "all.log", 60)
    seen = instrumented(folder / "rings")
    drop_rings(folder)
    same = words(plain, "checksum")[1] == words(traced, "checksum")[1]
    if not same:
        again = must(command, environment(), folder / "again.log", 40)
        if words(again, "checksum")[1] != words(plain, "checksum")[1]:
            say(f"{name}: not even two runs without vprof are the same")
    tell(same, f"{name}: {2 * rounds} replays give the same bits with vprof and without")
    if seen is not None:
        tell(seen >= 0.9 * 2 * rounds, f"{name}: {seen} of {2 * rounds} replays were instrumented")
    walls = [int(words(text, "wall")[4]) for text in (plain, traced)]
    row("bits", name, int(not same), "differing", "<=0", "ok" if same else "short",
        f"{seen} of {2 * rounds} replays instrumented, {walls[0] / 1000:.1f} us a round, {walls[1] / 1000:.1f} under vprof")


def stale(name, command, env, folder):
    """Without vprof as well, and once with readers that do not wait: what finds nothing may not be able to."""
    def stale_in(mode, rounds, more, log):
        return [int(n) for n in words(must([*command, mode, str(rounds)], more, folder / log, 60), "stale")[1:]]

    early = stale_in("early", 200, environment(), "early.log")
    tell(sum(early) > 0, f"{name}: readers that do not wait are found: {early}")
    for mode in ("graph", "stream"):
        plain = stale_in(mode, 4000, environment(), f"{mode}.log")
        traced = stale_in(mode, 4000, environment(folder / mode, **env), f"{mode}.vprof.log")
        seen = instrumented(folder / mode)
        drop_rings(folder)
        tell(plain == traced == [0, 0, 0], f"{name}, {mode}: all see what was written: {plain} without, {traced} with vprof")
        if mode == "graph" and seen is not None:
            tell(seen > 3000, f"{name}: {seen} of 4000 replays were instrumented")
        row("stale", f"{name}, {mode}", sum(traced), "reads", "<=0", "ok" if not any(traced) else "short", f"without vprof {plain}")


def memcheck(name, command, _, folder):
    """Without kernel facts: asking for a parameter too many, which ends each kernel's list, is an error to it."""
    found = [shutil.which("compute-sanitizer"), *glob.glob("/usr/local/cuda*/bin/compute-sanitizer"),
             *glob.glob("/usr/local/cuda*/compute-sanitizer/compute-sanitizer")]
    tool = next(filter(None, found), None)
    if not tool:
        raise Skip("no compute-sanitizer here")
    log = folder / "memcheck.log"
    code, text = run([tool, "--tool", "memcheck", "--target-processes", "all", *command],
                     environment(folder / "rings", VPROF_GPU="all", VPROF_FACTS="0"), log, 60)
    drop_rings(folder)
    (folder / "memcheck.out").write_text(text)
    clean = code == 0 and "ERROR SUMMARY: 0 errors" in text + log.read_text(errors="replace")
    tell(clean, f"{name}: compute-sanitizer finds nothing")
    row("memcheck", name, int(not clean), "failed", "<=0", "ok" if clean else "short", f"exit code {code}")


# ---- all of it ------------------------------------------------------------------------------

# What is done, the most wanted first: part, name, command, (warm-up, runs), rounds, parts or variables, seconds it may
# need, needs torch.
STEPS = [
    (accuracy, "torch decode graph", [*TORCH, "decode", "300"], (5, 3), 75, True),
    (accuracy, "graph of 1 us to 10 ms", [*KERNELS, "graph", "chain", "60"], (5, 1), 15, False),
    (accuracy, "graph of 300 short kernels", [*KERNELS, "graph", "short", "300"], (5, 1), 15, False),
    (cost, "graph of 300 short kernels in two parts", [*KERNELS, "cost", "short", "12", "256"], 2, 20, False),
    (cost, "all of 300 short kernels", [*KERNELS, "cost", "short", "12", "256"], 1, 20, False),
    (stale, "one after the other", STALE, {"VPROF_GPU": "all", "VPROF_GPU_EAGER": "always"}, 15, False),
    (stale, "in three parts", STALE, {"VPROF_GPU": "all", "VPROF_GPU_PARTS": "3"}, 15, False),
    (bits, "two graphs at once", [*KERNELS, "bits", str(BITS)], BITS, 20, False),
    (accuracy, "graph with branches", [*KERNELS, "graph", "branches", "400"], (5, 1), 15, False),
    (accuracy, "launches of 1 us to 10 ms", [*KERNELS, "eager", "chain", "60"], (5, 1), 15, False),
    (cost, "torch decode graph in two parts", [*TORCH, "cost", "12", "256"], 2, 35, True),
    (cost, "all of the torch decode graph", [*TORCH, "cost", "12", "256"], 1, 35, True),
    (cost, "torch decode graph in four parts", [*TORCH, "cost", "12", "256"], 4, 35, True),
    (accuracy, "torch eager", [*TORCH, "eager", "240"], (5, 1), 40, True),
    (accuracy, "graph with copies and sets", [*KERNELS, "graph", "moves", "400"], (5, 1), 15, False),
    (known, "graph with programmatic edges", [*KERNELS, "graph", "programmatic", "400"], 0, 15, False),
    (accuracy, "launches with branches", [*KERNELS, "eager", "branches", "100"], (5, 1), 15, False),
    (bits, "two torch graphs at once", [*TORCH, "bits", str(BITS)], BITS, 40, True),
    (memcheck, "two graphs at once", [*KERNELS, "bits", "20"], 20, 20, False),
]


def attempt(label, folder, step):
    """step(folder), in a folder of its own; whatever happens the next one follows."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    note(label)
    try:
        step(folder)
    except Skip as e:
        say(f"{label}: skipped: {e}")
    except Exception as e:  # one step that fails is one result
        tell(False, f"{label}: was measured")
        say(f"{label}: {type(e).__name__}: {' '.join(str(e).split())[:600]}")


def take(number, part, name, command, extra):
    folder = OUT / "gpu_time" / f"{number:02d}-{part.__name__}-{name.replace(' ', '_')}"
    try:
        attempt(f"{part.__name__}, {name}", folder, lambda made: part(name, command, extra, made))
    finally:
        drop_rings(folder)


def write(name="gpu_time"):
    lines = list(results)
    if left_out:
        lines.append("# left out for want of time: " + "; ".join(left_out))
    lines.append(f"{'not ok' if left_out else 'ok'} nothing was left out for want of time")
    with open(OUT / f"{name}.tsv", "w") as f:
        f.writelines("\t".join(row) + "\n" for row in rows)
    widths = [max(len(row[i]) for row in rows) for i in range(7)] if rows else []
    lines += ["# " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    (OUT / f"{name}.results").write_text("".join(line + "\n" for line in lines))


def main(parts):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs is ended on the way
    names = {step[0].__name__ for step in STEPS}
    if set(parts) - names:
        sys.exit(f"no part {', '.join(sorted(set(parts) - names))}; there are {', '.join(sorted(names))}")
    OUT.mkdir(parents=True, exist_ok=True)
    torch = importlib.util.find_spec("torch") is not None
    for number, (part, name, command, extra, seconds, needs_torch) in enumerate(STEPS, 1):
        if parts and part.__name__ not in parts:
            continue
        if needs_torch and not torch:
            say(f"{part.__name__}, {name}: skipped: python3 has no torch")
        elif left() < seconds:
            left_out.append(f"{part.__name__}, {name}")
        else:
            take(number, part, name, command, extra)
    write()


if __name__ == "__main__":
    main(sys.argv[1:])
