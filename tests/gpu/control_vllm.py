#!/usr/bin/env python3
"""control_vllm.py DIR [PART...]: a vLLM server controlled from outside while it serves a mixed load.

Run by control.t, which sets VLLM, VLLM_FLAGS, MODEL, LIBVPROF, VPROF, VPROF_MERGE. The load is
examples/mixed_benchmark. Parts, each with servers of its own:

  load   a server without the preload, then one with it, both without any profiler flag, and on the
         latter: off, start, mark, stop, start --steps 100, snap, spill, stop; then SIGTERM
  kill   SIGKILL to EngineCore while everything is kept in the spill
  cuda   vLLM's `cuda` profiler: /start_profile and /stop_profile open and close the window
  tp2    two workers on two GPUs start and stop at one stamp

SECONDS (default 20) is how long each stretch of load is. Prints "ok NAME", "not ok NAME", "# text".
"""
import contextlib
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOAD = HERE.parent.parent / "examples/mixed_benchmark/mixed_benchmark.py"
SECONDS = float(os.environ.get("SECONDS_EACH", "20"))
READY_S = float(os.environ.get("READY_LIMIT", "180"))
VPROF, MERGE = os.environ["VPROF"], os.environ["VPROF_MERGE"]
STOP_MS = 50     # what vprof stop may take, as a command
STAMP_US = 1000  # within which both workers have switched
STEPS = 100


def note(text):
    print(f"# {text}", flush=True)


def result(good, name):
    print(f"{'ok' if good else 'not ok'} {name}", flush=True)
    return good


def vprof(*words):
    """Runs a command of vprof: its exit code, what it printed, and the ms it took."""
    begin = time.monotonic()
    done = subprocess.run([VPROF, *map(str, words)], capture_output=True, text=True, timeout=120)
    if done.stderr:
        note(f"vprof {words[0]}: {done.stderr.strip()[-300:]}")
    return done.returncode, done.stdout, (time.monotonic() - begin) * 1e3


def vprof_json(*words):
    return json.loads(vprof(*words)[1] or "null")


class Server:
    def __init__(self, folder, flags=(), preload=True, **more):
        self.folder, self.out = folder, folder / "out"
        folder.mkdir(parents=True, exist_ok=True)
        env = dict(os.environ, **{k: str(v) for k, v in more.items()})
        env.pop("LD_PRELOAD", None)
        if preload:
            env.update(LD_PRELOAD=os.environ["LIBVPROF"], VPROF_OUT=str(self.out))
        self.port = int(os.environ.get("PORT", "8000"))
        self.url = f"http://127.0.0.1:{self.port}"
        command = shlex.split(os.environ["VLLM"]) + ["serve", os.environ["MODEL"]]
        command += shlex.split(os.environ["VLLM_FLAGS"]) + ["--port", str(self.port), "--enable-logging-iteration-details"]
        self.log = open(folder / "server.log", "w")
        self.process = subprocess.Popen(command + list(flags), env=env, cwd=folder, stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        self.wait_ready()

    def wait_ready(self):
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=2):
                return
            time.sleep(0.5)
        self.kill()
        raise OSError(f"the server was not ready in {READY_S:.0f} s: " + (self.folder / "server.log").read_text()[-400:])

    def post(self, path):
        begin = time.monotonic()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/{path}", method="POST"), timeout=150):
            return (time.monotonic() - begin) * 1e3

    def load(self, name, seconds=SECONDS):
        """Begins a stretch of load; load_end() gives what it found."""
        return name, subprocess.Popen([sys.executable, str(LOAD), "--url", self.url, "--seconds", str(seconds), "--rate", "6",
                                       "--draw", "1", "-o", str(self.folder / f"load-{name}.json")],
                                      stdout=subprocess.DEVNULL, stderr=self.log)

    def load_end(self, begun):
        name, process = begun
        process.wait(SECONDS + 120)
        told = json.loads((self.folder / f"load-{name}.json").read_text())
        note(f"{name}: {json.dumps(told['all'])[:600]}")
        return told

    def loaded(self, name):
        return self.load_end(self.load(name))

    def workers(self):
        return [p for p in vprof_json("ps", "--once", "--json", self.out) or [] if p["records"] and p["state"] == "alive"]

    def end(self):
        """Its default shutdown; the seconds that took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.kill()
        return time.monotonic() - begin

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


def tpot(told):
    """Median, over the requests, of the time for each token after the first, in ms."""
    times = [r["tpot_ms"] for r in told["requests"] if r.get("tpot_ms")]
    return statistics.median(times) if times else float("nan")


def info(folder):
    rings = vprof_json("info", "--json", folder) or []
    return [r for r in rings if r["present"]]


def lost(ring):
    return {k: v for k, v in ring["lost"].items() if v}


def check_merge(name, folder, trace):
    done = subprocess.run([MERGE, str(folder), "-o", str(trace)], capture_output=True, text=True, timeout=300)
    result(done.returncode == 0, f"{name}: vprof-merge {done.stderr.strip()[-200:]}")
    with contextlib.suppress(OSError):
        trace.unlink()


def check_stop(name, out):
    code, _, ms = vprof("stop", out)
    note(f"{name}: vprof stop took {ms:.1f} ms")
    result(code == 0 and ms <= STOP_MS, f"{name}: vprof stop returned within {STOP_MS} ms")
    worker = Server.workers_of(out)
    result(all(not w["recording"] for w in worker), f"{name}: nothing is recorded then")


Server.workers_of = staticmethod(
    lambda out: [p for p in vprof_json("ps", "--once", "--json", out) or [] if p["records"] and p["state"] == "alive"])


def check_steps(server):
    """start --steps 100 stops by itself after so many."""
    code = vprof("start", "--steps", STEPS, server.out)[0]
    result(code == 0, f"load: vprof start --steps {STEPS}")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and any(w["recording"] for w in server.workers()):
        time.sleep(0.2)
    worker, = server.workers()
    result(not worker["recording"] and worker["window"]["steps"] == STEPS,
           f"load: it stopped after {worker['window']['steps']} steps, by itself")


def check_snap(server):
    folder = server.folder / "snap"
    code, _, ms = vprof("snap", "--last", "5s", "-o", folder, server.out)
    result(code == 0 and ms < 1000, f"load: vprof snap took {ms:.0f} ms")
    rings = info(folder)
    result(len(rings) == 1 and not rings[0]["torn"], f"load: the copy has {[r['present'] for r in rings]} records, none torn")
    check_merge("load: the copy", folder, server.folder / "snap.json")


def check_times(plain, stretches):
    """TPOT of each stretch beside the plain server's: the difference against how far the plain one's requests spread."""
    base = tpot(plain)
    times = sorted(r["tpot_ms"] for r in plain["requests"] if r.get("tpot_ms"))
    spread = (times[len(times) * 3 // 4] - times[len(times) // 4]) / 2 if times else 0
    for name, told in stretches.items():
        note(f"TPOT {name}: {tpot(told):.3f} ms, plain server {base:.3f} ms, half its middle half {spread:.3f} ms")
        result(abs(tpot(told) - base) <= max(spread, 0.05 * base), f"load: TPOT {name} is the plain server's, within its spread")


def part_load(folder):
    server = Server(folder / "plain", preload=False)
    plain = server.loaded("plain")
    server.end()
    server = Server(folder / "traced", VPROF_CAPTURE="off")
    stretches = {"before": server.loaded("before")}
    out = server.out
    result(not vprof("start", out)[0], "load: vprof start")
    begun = server.load("during")
    time.sleep(SECONDS / 2)
    result(not vprof("mark", "half way", out)[0], "load: vprof mark")
    stretches["during"] = server.load_end(begun)
    check_stop("load", out)
    begun = server.load("steps")
    check_steps(server)
    check_snap(server)
    server.load_end(begun)
    reserved = {r["pid"]: r["reserved"] for r in info(out)}
    result(not vprof("start", "--spill", out)[0], "load: vprof start --spill")
    stretches["spill"] = server.loaded("spill")
    check_stop("load, with the spill", out)
    stretches["after"] = server.loaded("after")
    check_times(plain, stretches)
    note(f"load: gone {server.end():.2f} s after SIGTERM")
    ring, = info(out)
    note(f"load: {json.dumps({k: ring.get(k) for k in ('reserved', 'present', 'overwritten', 'torn', 'in_flight')})}, "
         f"{ring['reserved'] - reserved[ring['pid']]} of them while the spill was on")
    result(not ring["torn"] and not lost(ring), f"load: nothing lost {lost(ring)}")
    check_merge("load", out, folder / "trace.json")


def part_kill(folder):
    server = Server(folder, VPROF_SPILL="1", VPROF_RING_MB="8")
    begun = server.load("kill")
    time.sleep(SECONDS * 0.7)
    worker, = server.workers()
    os.kill(worker["pid"], signal.SIGKILL)
    begun[1].wait(SECONDS + 120)
    server.kill()
    ring, = info(server.out)
    note(f"kill: {json.dumps({k: ring.get(k) for k in ('reserved', 'present', 'overwritten', 'torn', 'in_flight')})}")
    result(ring["present"] + ring["torn"] >= ring["reserved"] and not lost(ring),
           f"kill: all {ring['reserved']} records are in ring and spill {lost(ring)}")
    check_merge("kill", server.out, folder / "trace.json")


def part_cuda(folder):
    server = Server(folder, ["--profiler-config.profiler=cuda"], VPROF_CAPTURE="profiler")
    server.load_end(server.load("outside", 4))
    before = sum(r["reserved"] for r in info(server.out))
    started = server.post("start_profile")
    server.load_end(server.load("inside", 6))
    stopped = server.post("stop_profile")
    inside = sum(r["reserved"] for r in info(server.out))
    server.load_end(server.load("behind", 4))
    behind = sum(r["reserved"] for r in info(server.out))
    note(f"cuda: records {before}, {inside}, {behind}; /start_profile {started:.1f} ms, /stop_profile {stopped:.1f} ms")
    result(inside > before + 1000, "cuda: /start_profile opens the window")
    result(behind - inside < 50, "cuda: /stop_profile closes it")
    server.end()


def part_tp2(folder):
    server = Server(folder, ["--tensor-parallel-size", "2"], VPROF_CAPTURE="off")
    begun = server.load("tp2")
    time.sleep(2)
    for verb, key in (("start", "start_monotonic_ns"), ("stop", "stop_monotonic_ns")):
        code = vprof(verb, server.out)[0]
        time.sleep(1)
        workers = server.workers()
        stamps = [w["window"].get(key, 0) for w in workers]
        note(f"tp2: {verb}: {[(w['role'], w['rank_text']) for w in workers]} at {stamps}")
        result(code == 0 and len(stamps) == 2 and (max(stamps) - min(stamps)) / 1e3 <= STAMP_US,
               f"tp2: both workers {verb} within {STAMP_US} us")
    server.load_end(begun)
    server.end()
    check_merge("tp2", server.out, folder / "trace.json")


PARTS = {"load": part_load, "kill": part_kill, "cuda": part_cuda, "tp2": part_tp2}


def main(folder, *names):
    for name in names or PARTS:
        try:
            PARTS[name](Path(folder).resolve() / name)
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as e:
            result(False, f"{name}: {type(e).__name__}: {e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
