#!/usr/bin/env python3
"""A worker whose interesting part is one region: 100 launches before, 20 in it, 30 after, then ten steps.

    vprof run --capture range:llm -- worker.py
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cuda_driver import Kernel
from profile_region import profile_region, schedule

load, decode, step = Kernel("load_weights"), Kernel("decode"), Kernel("train_step")
load.launch(100)

with profile_region("llm"):
    decode.launch(15)
    with profile_region("llm"):  # regions nest: the outermost counts
        decode.launch(2)
    decode.launch(3)

load.launch(30)

# Steps 3 and 4, 8 and 9.
with profile_region("llm", schedule=schedule(wait=3, active=2)) as region:
    for _ in range(10):
        step.launch()
        region.step()
step.wait()
print("160 launches, 24 of them in a region")
