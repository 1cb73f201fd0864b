#!/usr/bin/env python3
"""
A process that replays graphs, and what its GPU truly did: made.py RING [OPTION...] > TRUTH

Two streams. On the first a graph is launched, its twin one time in --every: a chain of three kernels, a copy, an
empty node without a stamp, two branches that run side by side, one of them a child graph of two kernels, and a set
that joins them. On the second stands eager work, some of it with stamps. The GPU's clock is ahead by --ahead ns
and gains --drift parts in a million. The truth is computed from how long each piece was made to take; its lines:

    kind  name  graph(number)  node  begin  end  raw  launch(t0)  overlapped

with times in ns of CLOCK_REALTIME. --skip drops records and stamps as a crash or a full ring would.
"""
import argparse
import random
import struct
import sys

from ring import HOST_OFFSET, Ring, done, record

LAUNCH, GRAPH_LAUNCH, COPY, SET = 1, 2, 3, 4
RANGE, REPLAY, STAMPS, TIMED, GPU_CLOCK = 14, 19, 20, 21, 22
COST = {1: 1056, 2: 1408, 3: 640, 4: 992, 6: 1600, 8: 1920}  # by class of stamp
STEP = 32
STREAM = {1: 0x7F10, 2: 0x7F20}

options = argparse.ArgumentParser()
options.add_argument("ring")
options.add_argument("--replays", type=int, default=64)
options.add_argument("--every", type=int, default=4)
options.add_argument("--ahead", type=int, default=123_456_789)
options.add_argument("--drift", type=float, default=0)
options.add_argument("--ties", type=int, default=50)
options.add_argument("--bend", type=float, default=0, help="a second drift from the middle on")
options.add_argument("--skip", choices=["stamp", "record", "piece", "edges", "launch", "ties", "costs"])
options.add_argument("--pid", type=int, default=4242)
options.add_argument("--draw", type=int, default=1)
options.add_argument("--gauges", type=int, help="streams read so much more than the costs say, and gauges tell so")
options.add_argument("--cold", type=int, help="stamps in graphs read so much more than the costs say, and gauges tell so")
options.add_argument("--lead", type=int, default=0, help="with it: so long before its end node 7 lets what follows begin")
options.add_argument("--joined", action="store_true", help="node 8 waits for 7 by a plain edge, and by a programmatic one for another")
options.add_argument("--overtaken", action="store_true", help="node 8, which 7 lets begin early, is over before it")
options.add_argument("--backwards", action="store_true", help="and so is node 2 before 1, which it waits for")
options.add_argument("--ended", type=int, default=0, help="so much of the GPU's work was collected by the main thread, at its end")
options.add_argument("--alone", action="store_true", help="the main thread makes the eager work as well")
options.add_argument("--all", action="store_true", help="measure all eager work")
options.add_argument("--everything", help="a file for the truth of what was not measured as well")
o = options.parse_args()
rng = random.Random(o.draw)
if o.gauges is not None:
    COST[7] = COST[8]  # copies are measured like gated kernels, of which there are no gauges

ring = Ring(pid=o.pid, housekeeping=4300 if o.draw % 2 else 0, title="VLLM::EngineCore")
host, other, keeper = ring.lane(1, o.pid, "main"), ring.lane(2, o.pid + 1, "eager"), ring.lane(3, 4300, "vprof")
if o.alone:
    other = host
EAGER = 1 if o.alone else 2
for i, (family, name) in enumerate([(1, "cuLaunchKernel"), (2, "cuGraphLaunch"), (3, "cuMemcpyHtoDAsync_v2"), (4, "cuMemsetD8Async")]):
    ring.define(1, struct.pack("<II", i + 1, family), name)
kernels = {n: ring.define(2, struct.pack("<QQQQ", 0x1000 + i, 1, 0, 0), n) for i, n in enumerate(["_Z4gemmPf", "_Z4normPf", "_Z4ropePf", "_Z3addPf"])}
kernel_names = {v: k for k, v in kernels.items()}
ring.define(12, struct.pack("<QiHHIIIIIIIIIIIIIIII16s", 1 << 37, 0, 9, 0, 132, *[0] * 15, b"u" * 16), "Made GPU")
ring.define(11, struct.pack("<QQIIiI", 0xC, 1, 1, 0, 0, 2))
for number, handle in STREAM.items():
    ring.define(9, struct.pack("<QQQIIii", handle, 1, 0xC, number, 0, 0, 0))
graph = ring.define(3, struct.pack("<QQQQII", 0x6000, 0x6100, 1, 0, 1, 11))
text = ring.define(5, b"", "decode")

# Node: type, kernel or bytes, edges in, class of its stamp (0: none), ns, parent + 1
NODES = [
    (0, "_Z4gemmPf", [], 2, 8000, 0),
    (0, "_Z4normPf", [0], 1, 1600, 0),
    (0, "_Z4gemmPf", [1], 1, 9600, 0),
    (1, 1 << 20, [2], 4, 3200, 0),
    (5, None, [3], 0, 0, 0),
    (0, "_Z4ropePf", [4], 1, 12800, 0),  # one branch
    (4, None, [4], 0, 0, 0),  # the other: a child graph
    (0, "_Z3addPf", [], 2, 4800, 7),
    (0, "_Z3addPf", [7], 3, 64, 7),
    (2, 4096, [5, 6], 4, 640, 0),
    (0, "_Z4gemmPf", [9], 1, 10240, 0),
]
if o.joined:
    NODES.append((0, "_Z3addPf", [], 2, 640, 7))
    NODES[8] = (*NODES[8][:2], [7, 11], *NODES[8][3:])
PROGRAMMATIC = {(11 if o.joined else 7, 8): 1 << 31}  # in the upper bit of where it comes from


def node_bytes(node):
    kind, what, _, _, _, parent = node
    kernel = kernels[what] if kind == 0 else 1 if kind == 1 else 0  # a copy: host to device
    return struct.pack("<IIQIIIHHHHII4x", kind, kernel, what if kind in (1, 2) else 0, 132, 1, 1, 128, 1, 1, 0, 2048, parent)


ring.define(14, struct.pack("<IIII", graph, 0, len(NODES), len(NODES)) + b"".join(map(node_bytes, NODES)))
edges = [(f, t) for t, node in enumerate(NODES) for f in node[2]]
kept = edges[:-1] if o.skip == "edges" else edges
ring.define(15, struct.pack("<IIII", graph, 0, len(kept), len(edges)) + b"".join(struct.pack("<II", f | PROGRAMMATIC.get((f, t), 0), t) for f, t in kept))
if o.skip != "costs":
    costs = b"".join(struct.pack("<II", COST.get(i, 0), 50 if i in COST else 0xFFFFFFFF) for i in range(16))
    ring.define(20, struct.pack("<iIQII", 0, 2, 1, STEP, 0) + costs)
else:
    ring.define(20, struct.pack("<iIQII", 0, 2, 1, STEP, 0) + struct.pack("<II", 0, 0xFFFFFFFF) * 16)
stamps = [(0xFFFFFFFF, 0)] + [(i, n[3]) for i, n in enumerate(NODES) if n[3]]
STARTED, GAUGE_BEGIN, GAUGE_END, GAUGE = (2**32 - n for n in (5, 2, 3, 4))
if o.cold:
    NODES[8] = (*NODES[8][:4], 1984, 7)
    COST[1] += o.cold
    COST[2] = COST[4] = COST[1]  # there are gauges of one class
    COST[3] = COST[1] - max(-96, min(o.cold // 2, 320) - (0 if o.joined else o.lead))
    stamps.insert(1 + stamps.index((7, NODES[7][3])), (STARTED, 0))
    stamps += [(GAUGE_BEGIN, 1), (GAUGE_END, 1), (GAUGE, 1)] * 2


def twin_piece(first, part):
    body = struct.pack("<IiHHIIIII", graph, 0, 0, 0, 2500, first, len(part), len(stamps), 0)
    return ring.define(19, body + b"".join(struct.pack("<IHH", node, kind, 0) for node, kind in part))


twin = twin_piece(0, stamps[:4])
if o.skip != "piece":
    twin_piece(4, stamps[4:])
bad = ring.define(3, struct.pack("<QQQQII", 0x6001, 0x6101, 1, 0, 2, 3))  # it allocates
ring.define(19, struct.pack("<IiHHIIIII", bad, 0, 1, 0, 0, 0, 0, 0, 0))

ORIGIN = 1_000_000_000
LENGTH = o.replays * 1_000_000


def gpu_clock(ns):
    """What the GPU's clock shows at a moment of the host (monotonic)."""
    shown = ns - ORIGIN + (ns - ORIGIN) * o.drift / 1e6
    if ns > ORIGIN + LENGTH / 2:
        shown += (ns - ORIGIN - LENGTH / 2) * o.bend / 1e6
    return int(ORIGIN + HOST_OFFSET + o.ahead + shown) // STEP * STEP


truth, everything, measured = [], [], True


def tell(kind, name, number, node, begin, end, raw, t0, beside):
    line = (kind, name, number, node, begin + HOST_OFFSET, end + HOST_OFFSET, raw, t0, beside)
    everything.append(line)
    if measured:
        truth.append(line)


def replay(t0, number):
    """Runs the graph with stamps: the records, and the truth."""
    start = t0 + 6000 + rng.randrange(100) * STEP
    ready, began = {}, {}

    def before(i):
        node = NODES[i]
        waits = [ready[p] for p in node[2]]
        if node[5] and not waits:
            waits = [before(node[5] - 1)]
        return max(waits, default=0)

    order = [0, 1, 2, 3, 4, 5, 7, *([11] if o.joined else []), 8, 6, 9, 10]
    for i in order:
        kind, _, _, class_, ns, _ = NODES[i]
        if i == 6:
            ready[i] = ready[8]
            continue
        begin = before(i)
        length = ns + (rng.randrange(8) * STEP if ns > 1000 else 0)
        cost = COST[class_] if class_ else 0
        ready[i] = begin + (cost + length if class_ else 0)
        began[i] = (begin + cost, ready[i], cost + length)
        if o.overtaken and i == 8:
            ready[i] = begin - 256
            began[i] = (ready[i], ready[i], 0)
    lost = 5 if o.skip == "stamp" and number == 2 else None  # the node whose stamp was not made
    at = max(ready.values())
    made = {STARTED: ready[7] - o.lead, GAUGE_BEGIN: at + 320, GAUGE_END: at + 416, GAUGE: at + 96 + COST[1]}
    whole = [0]
    for node, _ in stamps[1:]:
        if o.backwards and node == 2:
            whole.append(ready[1] - 256)
            continue
        whole.append(0 if node == lost else ready[node] if node in ready else made[node])
        if node == GAUGE:  # the next stands behind it, and is disturbed
            made = {n: ns + 96 + COST[1] + (640 if n == GAUGE else 0) for n, ns in made.items()}
    slots = [record(t0, REPLAY, twin, struct.pack("<QQIIQ", gpu_clock(start), STREAM[1], number, len(stamps) - 1, 1))]
    for at in range(1, len(stamps), 8):
        slots.append(record(t0, STAMPS, 0, struct.pack("<8I", *(whole[at : at + 8] + [0] * 8)[:8])))
    blind = {lost, 9} if lost else {2} if o.backwards else set()
    if o.skip == "record" and number == 2:  # the second record of stamps, those of the last nodes
        slots.pop()
        slots.append(record(t0, 0))
        blind = {node for node, _ in stamps[9:]}
    plain = o.skip in ("piece", "edges")
    end = max(w for i, w in enumerate(whole) if stamps[i][0] not in made and not (blind and o.skip == "record" and i > 8))
    tell("graph", "", 1, -1, start, start + end, end, t0, 0)
    for i, (kind, what, _, class_, _, _) in enumerate(NODES):
        if not class_ or i in blind or plain:
            continue
        begin, over, raw = began[i]
        if o.skip == "costs":
            begin = over - raw
        beside = any(began[j][0] < over and began[i][0] < began[j][1] for j in began if j != i and NODES[j][3] and j not in blind)
        if o.skip == "costs":
            beside = any(began[j][1] - began[j][2] < over and begin < began[j][1] for j in began if j != i and NODES[j][3] and j not in blind)
        tell({0: "kernel", 1: "copy", 2: "set"}[kind], what if kind == 0 else "", 1, i, start + begin, start + over, raw, t0, int(beside))
    return slots, start + ready[10]


def tie(at):
    """The clock is read between two moments: seldom close together."""
    before, behind = 2000 + int(rng.expovariate(1 / 4000)), 2500 + int(rng.expovariate(1 / 4000))
    return record(at - before, GPU_CLOCK, 0, struct.pack("<Q", gpu_clock(at)), done(before + behind))


def gauge(t0):
    """A kernel of ours behind the operation of that t0, by which readers see what stamps cost."""
    raw, own = COST[6] + o.gauges + 96, 96
    return record(t0, TIMED, own, struct.pack("<QQIHHIHH", gpu_clock(t0 + 30_000), STREAM[2], raw, 0, 0, EAGER, 6, 0))


def timed(t0, kind, object_, rest, class_, ns):
    raw = COST[class_] + (o.gauges or 0) + ns
    end = t0 + 9000 + raw
    body = struct.pack("<QQIHHIHH", gpu_clock(end), STREAM[2], raw, 0, kind, EAGER, class_, 0)
    tell({1: "kernel", 3: "copy", 4: "set"}[kind], kernel_names[object_] if kind == 1 else "", 0, 0,
         end - (raw if o.skip == "costs" else ns), end, raw, t0, 0)
    return record(t0, TIMED, object_, body)


now, sampled, work = ORIGIN, 0, []
for i in range(o.replays):
    now = ORIGIN + i * LENGTH // o.replays
    if i % 2 == 0:
        host.append(record(now - 500, RANGE, text, done=done(5000)))
    twin_now = (i + 1) % o.every == 0
    if not (o.skip == "launch" and twin_now):
        host.append(record(now, GRAPH_LAUNCH, graph, struct.pack("<QQQQ", STREAM[1], 0x6000, 32 if twin_now else 0, 0), done(1500), 2))
    eager = now + 300_000
    launch = struct.pack("<QIIIHHHHI", STREAM[2], 64, 2, 1, 256, 1, 1, 0, 512)
    other.append(record(eager, LAUNCH, kernels["_Z3addPf"], launch, done(2000), 1))
    other.append(record(eager + 50_000, COPY, 0x101, struct.pack("<QQQQ", 1, 2, 65536, STREAM[2]), done(1000), 3))
    measured = i % 8 == 0 or o.all
    kernel = timed(eager, LAUNCH, kernels["_Z3addPf"], launch, 6, 3200 + 32 * (i % 3))
    copy = timed(eager + 50_000, COPY, 0x101, b"", 8, 6400)
    if measured:
        work += [(eager + 40_000, [kernel]), (eager + 90_000, [copy])]
        if o.gauges is not None:
            work.append((eager + 45_000, [gauge(eager)]))
    measured = twin_now
    sampled += twin_now
    slots, end = replay(now, sampled)
    if twin_now:
        work.append((end, slots))
if o.skip != "ties":
    for i in range(o.ties):
        at = ORIGIN + LENGTH * i // max(o.ties - 1, 1)
        work.append((at, [tie(at)]))
work.sort(key=lambda w: w[0])
torn = set()
if o.ended:
    ring.state = 2
for i, (_, slots) in enumerate(work):
    lane = keeper if i < len(work) - o.ended else host
    for slot in slots:
        if slot[2] == 0:
            torn.add((2, len(lane)))
        lane.append(slot)
ring.write(o.ring, torn)
if o.everything:
    with open(o.everything, "w") as out:
        for line in everything:
            print(*line, sep="\t", file=out)
for line in sorted(truth, key=lambda t: (t[7], t[3])):
    print(*line, sep="\t")
