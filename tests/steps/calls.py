"""calls.py - the calls that from_trace.py kept, as a ring.

A line: us since the one before, us that it took, then
    k KERNEL BLOCKS | G GRAPH NODES | c DIRECTION[!] BYTES STREAM | s | r EVENT STREAM | w HANDLE | W CONTEXT | g |
    e A B C D (the range execute_context_A(B)_generation_C(D))
Lines "i A B C D" before them: the iterations as the program logged them.
"""
import lzma
import struct

import ring as r


def read(path):
    """(iterations, calls): [(A, B, C, D)], [(begin, length, fields)]."""
    iterations, calls, at = [], [], 0
    with lzma.open(path, "rt") as lines:
        for line in lines:
            first, *rest = line.split()
            if first == "i":
                iterations.append(tuple(map(int, rest)))
                continue
            at += int(first)
            calls.append((at, int(rest[0]), rest[1:]))
    return iterations, calls


def handle(number):
    return 0x10000 + 16 * int(number) if int(number) else 0


def add(ring, lane, begin, length, fields, ranges=True):
    kind, *args = fields
    numbers = [int(a) for a in args if a.isdigit()]
    if kind == "k":
        lane.add(begin, length, r.LAUNCH, "cuLaunchKernel", ring.kernel(numbers[0]),
                 struct.pack("<QIIIHHHHI", 0, numbers[1], 1, 1, 128, 1, 1, 0, 0))
    elif kind == "G":
        lane.add(begin, length, r.GRAPH_LAUNCH, "cuGraphLaunch", ring.graph(*numbers), struct.pack("<QQQQ", 0, 0, 0, 0))
    elif kind == "c":
        way = {"HtoD": r.HTOD, "DtoH": r.DTOH, "DtoD": r.DTOD}[args[0].rstrip("!")] | (0 if "!" in args[0] else r.ASYNC)
        lane.add(begin, length, r.COPY, "cuMemcpyAsync", way, struct.pack("<QQQQ", 0, 0, numbers[0], handle(numbers[1])))
    elif kind == "s":
        lane.add(begin, length, r.SET, "cuMemsetD8Async", 0)
    elif kind == "r":
        lane.add(begin, length, r.EVENT, "cuEventRecord", 0, struct.pack("<QQQQ", *map(handle, numbers), 0, 0))
    elif kind in "wW":
        lane.add(begin, length, r.SYNC, "cuCtxSynchronize" if kind == "W" else "cuEventSynchronize", 0,
                 struct.pack("<Q", handle(numbers[0])))
    elif kind == "g":
        lane.add(begin, length, r.GRAPH, "cuGraphInstantiateWithFlags")
    elif kind == "e" and ranges:
        lane.add(begin, length, r.RANGE, None,
                 ring.text("execute_context_{}({})_generation_{}({})".format(*numbers)))
