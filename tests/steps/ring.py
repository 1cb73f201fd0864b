"""ring.py - writes whole rings from calls, by the contract in vprof/ring.h alone.

    ring = Ring(pid); lane = ring.lane(tid); lane.add(begin_us, length_us, KIND, call, object, words)
    ring.write(path)

Ticks are ns. Definitions come first come first; ids are as the contract has them.
"""
import struct

LAUNCH, GRAPH_LAUNCH, COPY, SET, SYNC, EVENT, GRAPH, RANGE = 1, 2, 3, 4, 5, 6, 9, 14
HTOD, DTOH, DTOD, ASYNC = 1, 2, 3, 1 << 8
CALLS = ["", "cuLaunchKernel", "cuGraphLaunch", "cuMemcpyAsync", "cuMemsetD8Async", "cuEventSynchronize",
         "cuCtxSynchronize", "cuEventRecord", "cuGraphInstantiateWithFlags", "cuStreamSynchronize"]
FAMILIES = [0, 1, 2, 3, 4, 5, 5, 6, 2, 5]
START = 1_000_000          # ticks at which the ring was made
MONOTONIC, REALTIME = 50_000_000_000, 1_700_000_000_000_000_000
PAGE, LANE, CHUNK, SLOTS = 4096, 128, 16384, 255


class Lane:
    def __init__(self, tid):
        self.tid, self.slots = tid, []

    def add(self, begin, length, kind, call, thing=0, words=b""):
        """Times in us from the start; length None: still under way."""
        done = 0 if length is None else (round(length * 1000) | 1) << 16
        self.slots.append(struct.pack("<QQHHI32s", START + round(begin * 1000), done, kind, CALLS.index(call) if call else 0,
                                      thing, words))


class Ring:
    def __init__(self, pid=4242):
        self.pid, self.lanes, self.defs, self.ids = pid, [], bytearray(8), {}
        for i, name in enumerate(CALLS):
            if i:
                self.define(1, struct.pack("<II", i, FAMILIES[i]), name)

    def lane(self, tid):
        self.lanes.append(Lane(tid))
        return self.lanes[-1]

    def define(self, kind, fixed, name=None):
        key = (kind, fixed, name)
        if key not in self.ids:
            body = fixed + (name.encode() + b"\0" if name is not None else b"")
            size = (8 + len(body) + 7) & ~7
            self.ids[key] = len(self.defs) // 8
            self.defs += struct.pack("<IHH", size, kind, 2) + body.ljust(size - 8, b"\0")
        return self.ids[key]

    def kernel(self, number):
        return self.define(2, struct.pack("<QQQQ", 0x7000 + number, START, 0, 0), f"kernel_{number}")

    def graph(self, number, nodes):
        return self.define(3, struct.pack("<QQQQII", 0x6000 + number, 0x6100, START, 0, number, nodes))

    def text(self, text):
        return self.define(5, b"", text)

    def write(self, path):
        chunks, table = [], b""
        last = START + 1
        for index, lane in enumerate(self.lanes):
            count = len(lane.slots)
            for first in range(0, count, SLOTS):
                base = (len(chunks) + 1) << 8
                part = lane.slots[first:first + SLOTS]
                begin = struct.unpack_from("<Q", part[0])[0]
                last = max(last, struct.unpack_from("<Q", part[-1])[0] + 1)
                end = first + SLOTS >= count
                head = struct.pack("<QIIQQQII16s", base, index, lane.tid, first, begin, index + 1,
                                   1 + len(part), end, b"worker")
                slots = b"".join(struct.pack("<Q", base + i + 1) + slot for i, slot in enumerate(part))
                chunks.append((head + slots).ljust(CHUNK, b"\0"))
            table += struct.pack("<IIQ16sIIQQQQQ48x", 1, lane.tid, index + 1, b"worker", len(chunks), 0, START, 0,
                                 (count - 1) // SLOTS * SLOTS if count else 0, 0, 0)
        defs = bytes(self.defs) + bytes(8)
        defs_at = 4 * PAGE + len(table)
        chunks_at = (defs_at + len(defs) + 63) & ~63
        size = chunks_at + len(chunks) * CHUNK
        header = bytearray(PAGE)
        struct.pack_into("<QIHHQIIIIQIIQQQIIQQIIIIQ", header, 0, 0x31474e4952505656, 0x01020304, 1, 1, size, 2848, 64, CHUNK,
                         len(chunks), chunks_at, LANE, len(self.lanes), 4 * PAGE, defs_at, len(defs), 0, 128,
                         1_000_000_000, START, self.pid, 1, 1000, PAGE, 12345)
        struct.pack_into("<40s64s32s", header, 136, b"00000000-0000-0000-0000-000000000000", b"made", b"0.1.0")
        struct.pack_into("<16s", header, 1808, b"program")
        live = bytearray(PAGE)
        struct.pack_into("<IIQQQQQQ", live, 0, 1, 0, 0, len(chunks), len(self.defs), len(self.lanes), 0, last)
        struct.pack_into("<16s16s", live, 192, b"program", b"program")
        clock = struct.pack("<QQQQ", START, MONOTONIC, REALTIME, 20).ljust(PAGE, b"\0")
        with open(path, "wb") as file:
            file.write(bytes(header) + bytes(PAGE) + bytes(live) + clock + table)
            file.write(defs.ljust(chunks_at - defs_at, b"\0") + b"".join(chunks))
