#!/usr/bin/env python3
"""client.py MODE WORK FOLDER: one run of a client's known work, with what counts it.

WORK is a file work_NAME.py beside this one. Its make() prepares everything and returns
(work, sync): work() does the known work, sync() waits until the GPU is idle. The work is done
twice to warm up and once more to be counted. MODE says by what:

  vprof   the preload: the region lies between cuProfilerStart and cuProfilerStop
  cupti   cupti_counts.so, which the parent has preloaded
  torch   torch.profiler: writes FOLDER/trace.RANK.json, with the annotation part:work
  both    the preload and torch.profiler, or cupti_counts.so

Writes FOLDER/told.RANK.json when the region is over.
"""
import contextlib
import ctypes
import importlib.util
import json
import os
import sys
import time

RANK = os.environ.get("RANK", "0")


def load(path):
    spec = importlib.util.spec_from_file_location("work", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def marked():
    driver = ctypes.CDLL("libcuda.so.1")
    driver.cuProfilerStart()
    yield
    driver.cuProfilerStop()


def cupti(function):
    if getattr(ctypes.CDLL(None), "cupti_counts_" + function)():
        raise SystemExit(f"cupti_counts_{function} failed")


@contextlib.contextmanager
def counted():
    cupti("begin")
    yield
    cupti("end")


@contextlib.contextmanager
def profiled(folder):
    from torch.profiler import ProfilerActivity, profile, record_function
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as prof:
        time.sleep(0.01)
        with record_function("part:work"):
            yield
        time.sleep(0.01)
    prof.export_chrome_trace(os.path.join(folder, f"trace.{RANK}.json"))


def watchers(mode, with_torch, folder):
    """What surrounds the region, outermost first."""
    if mode in ("torch", "both") and with_torch:
        yield profiled(folder)
    elif mode in ("cupti", "both"):
        yield counted()
    if mode in ("vprof", "both"):
        yield marked()


def main(mode, path, folder):
    module = load(path)
    with_torch = getattr(module, "TORCH", False)
    if mode in ("cupti", "both") and not with_torch:
        cupti("prepare")
    work, sync = module.make()
    for _ in range(2):
        work()
        sync()
    time.sleep(0.02)
    with contextlib.ExitStack() as stack:
        for watcher in watchers(mode, with_torch, folder):
            stack.enter_context(watcher)
        work()
        sync()
        time.sleep(0.02)
    with open(os.path.join(folder, f"told.{RANK}.json"), "w") as f:
        json.dump({"pid": os.getpid(), "rank": RANK}, f)
    getattr(module, "finish", lambda: None)()


if __name__ == "__main__":
    main(*sys.argv[1:])
