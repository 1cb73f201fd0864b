"""made.py FOLDER [SHIFT] - rings of a made-up program of two ranks, whose GPUs' time is known.

Each rank makes steps of one plan, in which every time is a whole microsecond: kernels on the default
stream, a graph of three of them, one of which only the whole was measured, a collective on a second
stream that overlaps them in part, a copy of the results to the host and the wait for it. The second
rank's collective takes a tenth longer. Work of the GPU begins SHIFT ns later than planned and, but for
that of the graphs, takes that much longer.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../gputime"))
from ring import HOST_OFFSET, Ring, done, record  # noqa: E402

STEPS = 5
PERIOD = 1000     # microseconds from step to step

LAUNCH, GRAPH_LAUNCH, COPY, SET, SYNC, REPLAY, STAMPS, TIMED, GPU_CLOCK = 1, 2, 3, 4, 5, 19, 20, 21, 22
CALLS = {1: (1, "cuLaunchKernel"), 2: (2, "cuGraphLaunch"), 3: (3, "cuMemcpyDtoHAsync_v2"),
         4: (5, "cuStreamSynchronize"), 5: (1, "cuLaunchKernelEx"), 6: (4, "cuMemsetD8Async")}
KERNELS = ["_ZN4demo4gemmEPfi", "_ZN4demo3addEPfi", "ncclDevKernel_AllReduce_Sum_f32_RING_LL", "_ZN4demo4normEPfi"]
SECOND = 0x7F00   # handle of stream number 1

# What stamps cost, in ns, by class: nodes 0 and 1 of the graph, node 2, kernels of a stream, copies.
COST = {1: 10000, 2: 5000, 6: 1056, 8: 992}
# The graph: kernel, class of the stamp behind it, and when that was made, in microseconds after the first
# stamp. So the nodes take 100, 30 and 55, with 10 and 5 between them.
NODES = [(0, 1, 110), (3, 1, 150), (1, 2, 210)]

# A step: what the host called (call, kind, begin, duration), and what the GPU did for it (begin, duration,
# stream, kernel's or graph's index, or bytes).
STEP = [
    ((1, LAUNCH, 20, 5), (40, 200, 0, 0)),
    ((5, LAUNCH, 30, 5), (100, 240, SECOND, 2)),
    ((6, SET, 37, 2), (242, 6, 0, 4096)),
    ((1, LAUNCH, 40, 5), (250, 50, 0, 1)),
    ((2, GRAPH_LAUNCH, 50, 10), (390, 210, 0, 0)),
    ((2, GRAPH_LAUNCH, 61, 2), (603, 4, 0, 1)),
    ((3, COPY, 65, 5), (610, 20, 0, 8192)),
    ((4, SYNC, 75, 565), None),
]


class Rank:
    def __init__(self, rank, shift):
        self.rank, self.shift = rank, shift
        self.ring = Ring(pid=100 + rank, housekeeping=300, title="VLLM::Worker_TP%d" % rank)
        self.host, self.keeper = self.ring.lane(1, 100 + rank, "main"), self.ring.lane(2, 300, "vprof")
        self.define()

    def define(self):
        define = self.ring.define
        for call, (family, name) in CALLS.items():
            define(1, struct.pack("<II", call, family), name)
        self.kernels = [define(2, struct.pack("<QQQQ", 1 + i, 1, 0, 0), name) for i, name in enumerate(KERNELS)]
        limits = (132, 0, 32, 2048, 32, 1024, 65536, 65536, 233472, 49152, 232448, 1024, 0, 0, 0, 0)
        define(12, struct.pack("<QiHH16I16s", 1 << 37, 0, 9, 0, *limits, b"u" * 16), "H200")
        define(11, struct.pack("<QQIIiI", 0xC, 1, 1, 0, 0, 2))
        define(9, struct.pack("<QQQIIii", SECOND, 1, 0xC, 1, 0, 0, 0))
        for i, kernel in enumerate(self.kernels):
            define(13, struct.pack("<7IHHiIII", kernel, 32 + i, 256 * i, 0, 0, 0, 1024, 90, 90, 0, 1, 0xFFFFFFFF, 0))
        self.graphs = [define(3, struct.pack("<QQQQII", 9 + i, 19 + i, 1, 0, 7 + i, 3)) for i in range(2)]
        nodes = b"".join(struct.pack("<IIQIIIHHHHII4x", 0, self.kernels[kernel], 0, 66, 1, 1, 256, 1, 1, 0, 1024, 0)
                         for kernel, _, _ in NODES)
        define(14, struct.pack("<IIII", self.graphs[0], 0, 3, 3) + nodes)
        define(15, struct.pack("<IIII", self.graphs[0], 0, 2, 2) + struct.pack("<IIII", 0, 1, 1, 2))
        costs = b"".join(struct.pack("<II", COST.get(i, 0), 0 if i in COST else 0xFFFFFFFF) for i in range(16))
        define(20, struct.pack("<iIQII", 0, 2, 1, 1, 0) + costs)
        stamps = [(0xFFFFFFFF, 0)] + [(i, node[1]) for i, node in enumerate(NODES)]
        self.twin = define(19, struct.pack("<IiHHIIIII", self.graphs[0], 0, 0, 0, 1, 0, 4, 4, 0) +
                           b"".join(struct.pack("<IHH", node, class_, 0) for node, class_ in stamps))

    def call(self, call, kind, t0, length, work):
        what = work[3] if work else 0
        object_, rest = {
            LAUNCH: lambda: (self.kernels[what], struct.pack("<QIIIHHHHI", work[2], 66, 1, 1, 256, 1, 1, 0, 1024)),
            GRAPH_LAUNCH: lambda: (self.graphs[what], struct.pack("<QQQQ", 0, 9 + what, 0, 0)),
            COPY: lambda: (0x102, struct.pack("<QQQQ", 0, 0, what, 0)),
            SET: lambda: (0, struct.pack("<QQQII", 0, what, 0, 0, 1)),
            SYNC: lambda: (0, b""),
        }[kind]()
        self.host.append(record(t0, kind, object_, rest, done(length), call))
        return object_

    def replay(self, t0, begin):
        stamps = [at * 1000 for _, _, at in NODES]
        self.keeper.append(record(t0, REPLAY, self.twin, struct.pack("<QQIIQ", begin + HOST_OFFSET, 0, 1, 3, 1)))
        self.keeper.append(record(t0, STAMPS, 0, struct.pack("<8I", *stamps, *[0] * 5)))

    def timed(self, kind, t0, object_, begin, length, stream):
        class_ = {LAUNCH: 6, GRAPH_LAUNCH: 9}.get(kind, 8)
        raw = length + COST.get(class_, 0)
        self.keeper.append(record(t0, TIMED, object_, struct.pack(
            "<QQIHHIHH", begin + length + HOST_OFFSET, stream, raw, 0, kind, 1, class_, 0)))

    def tie(self, at):
        self.keeper.append(record(at - 500, GPU_CLOCK, 0, struct.pack("<Q", at + HOST_OFFSET), done(1000)))

    def step(self, start):
        for (call, kind, at, length), work in STEP:
            t0 = (start + at) * 1000
            object_ = self.call(call, kind, t0, length * 1000, work)
            if not work:
                continue
            begin, length, stream, what = (start + work[0]) * 1000 + self.shift, work[1] * 1000, work[2], work[3]
            if kind == GRAPH_LAUNCH and what == 0:
                self.replay(t0, begin)
                continue
            length = length * (10 + self.rank) // 10 if stream else length
            self.timed(kind, t0, object_, begin, length + (self.shift if kind != GRAPH_LAUNCH else 0), stream)

    def write(self, path):
        self.tie(500_000)
        for step in range(STEPS):
            self.step(1000 + step * PERIOD)
        self.tie((1000 + STEPS * PERIOD) * 1000)
        self.ring.write(path)


def main(folder, shift=0):
    os.makedirs(folder, exist_ok=True)
    for rank in range(2):
        Rank(rank, int(shift)).write(os.path.join(folder, "%d.ring" % rank))


main(*sys.argv[1:])
