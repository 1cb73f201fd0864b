#!/usr/bin/env python3
"""
queue.py SCENARIO RING > TRUTH: a process that launches kernels and copies, some of them measured, and what its GPU truly
did, measured or not: lines of launch, begin, end (ns of CLOCK_REALTIME), kernel or copy. Streams are queues: work begins LAG
behind its launch, or when what is ahead of it is over.

    far        400 launches in 120 ms with 310 ms of work, one in 16 measured; then nothing, and eight more
    first      the same, of which the first four are measured and no later ones
    late       the same, the 100th measured and no other
    sparse     a launch of 1 ms every 10 ms, one in 8 measured
    streams    two streams with as much to do, half of it at the same time, one launch in 4 measured
    copies     kernels on one stream, on another copies: half of them beside the kernels
    short      what is measured takes 2 ms, what is not a fourth of that; one in 8, the last of a queue of 40 each time
    squeezed   one every 5 ms, of 1 ms; one in 40 is over sooner, for a measured one is launched right behind it
    killed     far, and the process ends when it has launched all
    waited     like short, but the first of each queue is measured, and the host waits for the last
    legacy     waited, on the legacy default stream: launched and waited for as 0 and as 1 by turns
    own        copies on the legacy default stream, as 0 and as 1 by turns, beside kernels on the thread's own one
    undefined  waited, on the second of two GPUs, and the ring does not say of which its stream is
    hung       far, and the process is killed in a last launch, which does not return
    paused     all measured, one every 10 ms, of 1 ms; from 105 to 195 ms nothing is recorded, but what was launched before
               takes up to 111 ms
    nowhere    sparse, on the second of two GPUs, and half as much again on the default stream, never measured
    unknown    sparse, and as much again of a kernel that is never measured
"""
import random
import struct
import sys

from ring import HOST_OFFSET, Ring, done, record

LAUNCH, COPY, SYNC, TIMED, GPU_CLOCK = 1, 3, 5, 21, 22
ORIGIN, LAG, MS, US = 1_000_000_000, 6_000, 1_000_000, 1_000


class Made:
    def __init__(self, device=0, defined=True):
        self.device = device
        self.ring = Ring()
        self.host, self.keeper = self.ring.lane(1, 4242, "main"), self.ring.lane(2, 4300, "vprof")
        define = self.ring.define
        for i, (family, name) in enumerate([(1, "cuLaunchKernel"), (3, "cuMemcpyHtoDAsync_v2"), (5, "cuStreamSynchronize")]):
            define(1, struct.pack("<II", i + 1, family), name)
        self.kernel = define(2, struct.pack("<QQQQ", 0x1000, 1, 0, 0), "work")
        self.other = define(2, struct.pack("<QQQQ", 0x1001, 1, 0, 0), "other")
        for gpu in range(device + 1):
            define(12, struct.pack("<QiHHIIIIIIIIIIIIIIII16s", 1 << 37, gpu, 9, 0, 132, *[0] * 15, b"u" * 16), "Made GPU")
            define(20, struct.pack("<iIQII", gpu, 2, 1, 1, 0) + struct.pack("<II", 0, 50) * 16)
        define(11, struct.pack("<QQIIiI", 0xC, 1, 1, 0, device, 2))
        for number in (1, 2) if defined else ():
            define(9, struct.pack("<QQQIIii", number << 8, 1, 0xC, number, 0, 0, device))
        self.over, self.truth, self.calls, self.times = {1: 0, 2: 0}, [], [], []

    def launch(self, at, ns, measured=False, stream=1, copy=False, known=True, handle=None, hangs=False):
        """At `at` ns after the origin; when it is over. `handle`: what the program calls the stream."""
        handle = stream << 8 if handle is None else handle
        t0 = ORIGIN + int(at)
        begin = max(t0 + LAG, self.over[stream])
        end = self.over[stream] = begin + int(ns)
        self.truth.append((t0, begin, end, "copy" if copy else "kernel"))
        if copy:
            self.calls.append(record(t0, COPY, 0x101, struct.pack("<QQQQ", 1, 2, 65536, handle), done(1000), 2))
        else:
            rest = struct.pack("<QIIIHHHHI", handle, 64, 2, 1, 256, 1, 1, 0, 512)
            self.calls.append(record(t0, LAUNCH, self.kernel if known else self.other, rest, 0 if hangs else done(1000), 1))
        if measured:
            kind, what = (COPY, 0x101) if copy else (LAUNCH, self.kernel)
            body = struct.pack("<QQIHHIHH", end + HOST_OFFSET, handle, int(ns), self.device, kind, 1, 6, 0)
            self.times.append((end, record(t0, TIMED, what, body)))
        return end - ORIGIN

    def wait(self, ns, since=1000, handle=1 << 8):
        """The host waits for a stream until so long after the origin."""
        self.calls.append(record(ORIGIN + int(ns) - int(since), SYNC, 0, struct.pack("<QQQQ", handle, 0, 0, 0), done(int(since)), 3))

    def write(self, path):
        self.times += [(at, record(at - 500, GPU_CLOCK, self.device, struct.pack("<Q", at + HOST_OFFSET), done(1000)))
                       for at in range(ORIGIN, max(self.over.values()) + MS, 10 * MS)]
        self.host += sorted(self.calls, key=lambda call: call[0])
        self.keeper += [slot for _, slot in sorted(self.times, key=lambda time: time[0])]
        self.ring.write(path)


def far(made, measured, rng):
    """Each launch 300 us behind the one before, with 775 us of work, more or less."""
    return [made.launch(i * 300 * US, rng.randrange(700, 851) * US, measured(i)) for i in range(400)][-1]


def scenario(name, made, rng):
    if name in ("far", "first", "late"):
        measured = {"far": lambda i: i % 16 == 5, "first": lambda i: i < 4, "late": lambda i: i == 99}[name]
        over = far(made, measured, rng)
        made.wait([made.launch(over + 100 * MS, 775 * US) for _ in range(8)][-1])
    elif name in ("killed", "hung"):
        far(made, lambda i: i % 16 == 5, rng)
        if name == "hung":
            made.launch(130 * MS, 0, hangs=True)
    elif name == "sparse":
        for i in range(40):
            made.launch(i * 10 * MS, MS, i % 8 == 3)
        made.wait(400 * MS)
    elif name == "paused":
        for i in (*range(10), *range(20, 30)):
            made.launch(i * 10 * MS, 21 * MS if i == 9 else MS, True)
        made.wait(300 * MS)
        made.ring.windows = [(ORIGIN - MS, ORIGIN + 105 * MS), (ORIGIN + 195 * MS, 0)]
    elif name == "streams":
        for i in range(80):
            made.launch(i * 5 * MS, 2 * MS, i % 4 == 1)
            made.launch(i * 5 * MS + MS, 2 * MS, i % 4 == 2, stream=2)
        made.wait(400 * MS)
    elif name == "copies":
        for i in range(80):
            made.launch(i * 5 * MS, 2 * MS, i % 4 == 1)
            made.launch(i * 5 * MS + MS, 2 * MS, i % 4 == 2, stream=2, copy=True)
        made.wait(400 * MS)
    elif name == "short":
        for row in range(10):
            for i in range(8):
                over = made.launch(row * 40 * MS + i * 10 * US, 2 * MS if i == 7 else MS / 2, i == 7)
        made.wait(over + 40 * MS)
    elif name in ("waited", "legacy", "undefined"):
        for row in range(10):
            for i in range(8):
                over = made.launch(row * 40 * MS + i * 10 * US, MS / 2 if i else 2 * MS, not i, handle=i % 2 if name == "legacy" else None)
            made.wait(over + 10 * US, 5 * MS, row % 2 if name == "legacy" else 1 << 8)
        made.wait(over + 40 * MS)
    elif name == "own":
        for row in range(10):
            made.launch(row * 40 * MS, 8 * MS, True, stream=2, handle=2)
            for i in range(8):
                over = made.launch(row * 40 * MS + MS + i * 10 * US, MS, i == row % 8, copy=True, handle=i % 2)
        made.wait(over + 40 * MS)
    elif name == "squeezed":
        for i in range(80):
            made.launch(i * 5 * MS, MS / 10 if i % 40 == 39 else MS)
            if i % 40 == 39:
                made.launch(i * 5 * MS + MS / 20, MS, True)
        made.wait(400 * MS)
    elif name == "nowhere":
        for i in range(40):
            made.launch(i * 10 * MS, MS, i % 8 == 3)
            if i % 2:
                made.launch(i * 10 * MS + 5 * MS, MS, handle=0, stream=2)
        made.wait(400 * MS)
    elif name == "unknown":
        for i in range(40):
            made.launch(i * 10 * MS, MS, i % 8 == 3)
            made.launch(i * 10 * MS + 5 * MS, MS, known=False)
        made.wait(400 * MS)
    else:
        sys.exit(f"queue.py: no scenario {name}")


made = Made(device=int(sys.argv[1] in ("undefined", "nowhere")), defined=sys.argv[1] != "undefined")
scenario(sys.argv[1], made, random.Random(1))
made.write(sys.argv[2])
for launch, begin, end, kind in made.truth:
    print(launch + HOST_OFFSET, begin + HOST_OFFSET, end + HOST_OFFSET, kind, sep="\t")
