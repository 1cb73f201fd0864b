#!/usr/bin/env python3
"""overhead_engine.py: one of the engines that overhead_processes.py lets meet: vLLM in this process, which makes
OVERHEAD_TURN decode steps whenever it reads a line, and answers with what each took. The line says how: 1 with
the control word on, 0 with it off, nothing as it is."""
import json
import os
import sys
import time

import overhead_common as common
from control_page import Control
from overhead_details import Details

TOKENS = 1000      # of a batch
WARM_UP = 200      # decode steps before it is ready
FIRST_STEPS = 3    # of a batch: the prompts, and what they warm up


class Done(Exception):
    """There is no further turn."""


def child():
    os.sched_setaffinity(0, map(int, os.environ["VPROF_PROCESSORS"].split(",")))
    llm, generate = common.engine_of_this_process()
    engine = llm.llm_engine
    step, times, control = engine.step, [], None
    details = Details(common.TURN, bool(os.environ.get("OVERHEAD_DETAILS")))
    made = {"batch": 0, "decode": 0, "all": 0, "batches": 0, "silent": False, "unseen": 0}
    # steps; decode: behind the first of each batch; unseen: those with a graph while the control word was off

    def turn():
        nonlocal control
        took = {"steps": [round(1e6 * t, 1) for t in times[common.DROPPED:]]} if made["decode"] > WARM_UP else {}
        if took:
            took.update(details.take())
        print(json.dumps(took) if took else common.READY, flush=True)
        times.clear()
        line = sys.stdin.readline()
        if not line:
            raise Done
        if line.strip():
            control = control or Control()
            control.set(line.strip() == "1")
            made["silent"] = line.strip() == "0"
        details.begin()

    def timed():
        if made["decode"] == WARM_UP or len(times) == common.TURN:
            turn()
        begin = time.perf_counter()
        output = step()
        made["batch"] += 1
        made["all"] += 1
        made["unseen"] += made["silent"] and 1 < made["batch"] <= TOKENS
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
        print(json.dumps({"decode_steps": made["all"] - 2 * made["batches"] + 1 - made["unseen"]}), flush=True)


if __name__ == "__main__":
    child()
