#!/usr/bin/env python3
"""vllm_engine.py: a vLLM engine in this process that decodes batches of eight; the programs that gpu_vllm.py runs.

    vllm_engine.py decode TOKENS BATCHES   so many batches, each of so many tokens
    vllm_engine.py cost SECONDS            under the preload: blocks of decode steps in turn without recording, with
                                           GPU times off, of one replay in 64, and of every replay
    vllm_engine.py kineto STEPS            decode steps plain, under torch.profiler (CUDA activities only), plain
    vllm_engine.py nsys STEPS              the same with what cudaProfilerStart and Stop switch
    vllm_engine.py starts                  imports vLLM, then makes an engine in a forked child for each line read
    vllm_engine.py start                   imports vLLM and makes one

MODEL and VLLM_FLAGS say what is served. Prints lines of JSON that begin with {"told".
"""
import contextlib
import json
import os
import statistics
import sys
import time

BLOCK, SETTLE = 128, 8  # steps that are measured; before them, until the last arm's work is over
TURNS = 3               # of all arms, in a batch of `cost`
SAMPLE = 64
TOKENS = 640            # of a batch


def tell(told, **values):
    print(json.dumps({"told": told, **values}), flush=True)


def engine():
    import overhead_common
    return overhead_common.engine_of_this_process()


class Steps:
    """When each step of the batch began; `before` is called with its number ahead of it."""

    def __init__(self, llm, before=None):
        self.begins, step = [], llm.llm_engine.step

        def timed():
            if before:
                before(len(self.begins))
            self.begins.append(time.perf_counter())
            return step()
        llm.llm_engine.step = timed

    def of(self, first, count):
        """Mean us of a step, of `count` from `first` on."""
        return (self.begins[first + count] - self.begins[first]) / count * 1e6

    def median(self, first=BLOCK // 2):
        """Median us of the batch's steps, without its first ones and the last."""
        gaps = [b - a for a, b in zip(self.begins[first:], self.begins[first + 1:-1])]
        return statistics.median(gaps) * 1e6

    def forget(self):
        self.begins.clear()


def batches(steps, generate, count, tokens):
    """Medians of so many batches."""
    medians = []
    for _ in range(count):
        steps.forget()
        generate(tokens)
        medians.append(steps.median(min(BLOCK // 2, tokens // 4)))
    return medians


def decode(tokens, count):
    llm, generate = engine()
    medians = batches(Steps(llm), generate, count, tokens)
    tell("decode", us=medians, steps=tokens * count)


# ---- cost -----------------------------------------------------------------------------------

ARMS = {"none": (False, 0), "off": (True, 0), "sampled": (True, SAMPLE), "all": (True, 1)}


class Control:
    """What this process records, told as an outsider would: `word` and `gpu` of the control page."""

    def __init__(self):
        from control_page import GpuControl
        self.gpu = GpuControl()
        self.page = self.gpu.page

    def set(self, arm):
        on, gpu = ARMS[arm]
        self.gpu.set(gpu)
        self.page[0:4] = self.page[4:8] if on else bytes(4)


def cost(seconds):
    llm, generate = engine()
    control, order = Control(), []
    length = SETTLE + BLOCK

    def before(step):
        block = step // length - 1  # the first of a batch has the prompts
        if step % length == 0 and 0 <= block < len(order):
            control.set(order[block])
    steps = Steps(llm, before)
    for arm in ("sampled", "all", "off"):  # twins are made and all is warm
        control.set(arm)
        generate(TOKENS // 2)
    forward, turn = list(ARMS), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # Each turn the other way round: what changes as the context grows cancels.
        order[:] = [arm for t in range(turn, turn + TURNS) for arm in forward[::-1 if t % 2 else 1]]
        turn += TURNS
        steps.forget()
        generate(length * (len(order) + 1) + SETTLE)
        firsts = [(i + 1) * length + SETTLE for i in range(len(order))]
        tell("turns", blocks=[[arm, steps.of(first, BLOCK)] for arm, first in zip(order, firsts)
                              if first + BLOCK < len(steps.begins)])


# ---- other profilers ------------------------------------------------------------------------

def profiled(steps_wanted, begin, stop, after=2):
    """Medians before, under it and of so many batches after, and how long it took to stop."""
    llm, generate = engine()
    steps, count = Steps(llm), max(1, steps_wanted // TOKENS)
    batches(steps, generate, 2, TOKENS // 2)
    plain = batches(steps, generate, 2, TOKENS)
    begin()
    during = batches(steps, generate, count, TOKENS)
    at = time.time()
    more = stop()
    tell("profiled", plain=plain, during=during, stopping_at=at, stop_s=time.time() - at, steps=count * TOKENS, **more,
         after=batches(steps, generate, after, TOKENS))


def kineto(steps):
    import torch
    from torch.profiler import ProfilerActivity, profile
    profiler = profile(activities=[ProfilerActivity.CUDA])
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"kineto-{os.getpid()}.json.gz")

    def begin():
        torch.cuda.synchronize()
        profiler.start()

    def stop():
        torch.cuda.synchronize()
        begun = time.time()
        profiler.stop()
        stopped = time.time()
        profiler.export_chrome_trace(path)
        size = os.path.getsize(path)
        os.unlink(path)
        return {"collect_s": stopped - begun, "export_s": time.time() - stopped, "bytes": size}
    profiled(steps, begin, stop)


def nsys(steps):
    import torch

    def stop():
        torch.cuda.synchronize()
        torch.cuda.cudart().cudaProfilerStop()
        return {}
    profiled(steps, lambda: torch.cuda.cudart().cudaProfilerStart(), stop, after=0)


# ---- starts ---------------------------------------------------------------------------------

def time_captures():
    """Has the capture of graphs timed, which vLLM itself tells in whole seconds; returns where that is kept."""
    took = []
    for name in ("vllm.v1.worker.gpu.model_runner", "vllm.v1.worker.gpu_model_runner"):
        with contextlib.suppress(ImportError, AttributeError):
            runner = __import__(name, fromlist=["GPUModelRunner"]).GPUModelRunner
            runner.capture_model = timed_by(runner.capture_model, took)
    return took


def timed_by(call, took):
    def timed(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            took.append(time.perf_counter() - begin)
    return timed


def imported():
    """The imports, once for all starts; returns where the captures' seconds will be."""
    from vllm import LLM, SamplingParams  # noqa: F401 some are loaded when they are asked for
    took = time_captures()
    tell("imported")
    return took


def start_one(took):
    begin = time.perf_counter()
    _, generate = engine()
    ready = time.perf_counter() - begin
    generate(4)
    tell("start", ready_s=ready, capture_s=sum(took), captures=len(took))


def starts():
    took = imported()
    while sys.stdin.readline():
        pid = os.fork()
        if not pid:
            status = 1
            try:
                start_one(took)
                status = 0
            except Exception as e:  # told, and the next start follows
                tell("failed", why=f"{type(e).__name__}: {e}"[:400])
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        if status:
            tell("ended", status=status)


def main():
    modes = {"decode": decode, "cost": cost, "kineto": kineto, "nsys": nsys, "starts": starts,
             "start": lambda: start_one(imported())}
    if sys.argv[1:2] == [] or sys.argv[1] not in modes:
        raise SystemExit(__doc__)
    modes[sys.argv[1]](*map(int, sys.argv[2:]))


if __name__ == "__main__":
    main()
