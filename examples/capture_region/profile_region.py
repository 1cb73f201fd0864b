"""The part of a program that is to be recorded, marked as one marks it for PyTorch's profiler.

    from profile_region import profile_region, schedule

    with profile_region("llm"):
        model.generate(...)

    @profile_region("llm")
    def generate(): ...

    with profile_region("llm", schedule=schedule(wait=100, active=5, repeat=2)) as region:
        for batch in data:
            train(batch)
            region.step()

A region is a vprof range of that name and costs next to nothing where nobody records. Under

    vprof run --capture range:llm -- python program.py

the process records while the region is open, on all its threads, and nothing else. Nothing is written when
it closes, so there is nothing to wait for.
"""
import contextlib
import os
import sys

try:
    import vprof
except ImportError:  # from the source tree, where the module lies two folders up
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
    import vprof


def schedule(wait=0, active=1, repeat=0):
    """`wait` steps without and `active` steps with recording, `repeat` times; 0: without end."""
    def is_active(step):
        turn, place = divmod(step, wait + active)
        return place >= wait and (not repeat or turn < repeat)
    return is_active


class profile_region(contextlib.ContextDecorator):
    """A region by name. With a schedule it is open in the active steps alone; step() ends a step."""

    def __init__(self, name, schedule=None):
        self.name, self.is_active = name, schedule or (lambda step: True)
        self.at, self.open = 0, False

    def _recreate_cm(self):
        return profile_region(self.name, self.is_active)  # as a decorator: one for each call

    def _set(self, wanted):
        if wanted and not self.open:
            vprof.range_begin(self.name)
        elif self.open and not wanted:
            vprof.range_end()
        self.open = wanted

    def __enter__(self):
        self._set(self.is_active(self.at))
        return self

    def step(self):
        self.at += 1
        self._set(self.is_active(self.at))

    def __exit__(self, *exception):
        self._set(False)
        return False
