"""Writes rings byte by byte after docs/ring-format.md, without the project's headers."""
import struct

PAGE, CHUNK, SLOTS = 4096, 16384, 256
DEFS_SIZE = 8192  # two pages: small rings are good to fuzz
HOST_OFFSET = 1_700_000_000_000_000_000  # CLOCK_REALTIME - CLOCK_MONOTONIC; ticks are nanoseconds


class Ring:
    def __init__(self, pid=4242, housekeeping=4300, title="app"):
        self.pid, self.housekeeping, self.title = pid, housekeeping, title
        self.state = 1  # 2: it has come to its end
        self.windows = []  # [begin, end (0: still open)] in which something was recorded
        self.defs = bytearray(8)
        self.lanes = []  # [thread, tid, name, slots]

    def define(self, type_, body, name=None):
        """An entry of the definitions; its id."""
        at = len(self.defs)
        if name is not None:
            body += name.encode() + b"\0"
        size = (8 + len(body) + 7) // 8 * 8
        self.defs += struct.pack("<IHH", size, type_, 2) + body.ljust(size - 8, b"\0")
        return at // 8

    def lane(self, thread, tid, name):
        self.lanes.append((thread, tid, name, []))
        return self.lanes[-1][3]

    def write(self, path, torn=()):
        """`torn`: (lane, position) of slots that were never published."""
        lanes_end = 4 * PAGE + (len(self.lanes) * 128 + PAGE - 1) // PAGE * PAGE
        chunks_at = lanes_end + DEFS_SIZE
        chunks, table = bytearray(), bytearray()
        for index, (thread, tid, name, slots) in enumerate(self.lanes):
            comm = name.encode().ljust(16, b"\0")
            first = len(chunks) // CHUNK
            for at in range(0, len(slots), SLOTS - 1):
                part = slots[at : at + SLOTS - 1]
                base = (len(chunks) // CHUNK + 1) << 8
                chunk = bytearray(struct.pack("<QIIQQQII16s", base, index, tid, at, part[0][0] or 1, thread,
                                              len(part) + 1, 1, comm))
                for i, (t0, done, kind, call, object_, rest) in enumerate(part):
                    seq = 0 if (index, at + i) in torn else base + i + 1
                    chunk += struct.pack("<QQQHHI", seq, t0, done, kind, call, object_) + rest.ljust(32, b"\0")
                chunks += chunk.ljust(CHUNK, b"\0")
            last = len(chunks) // CHUNK
            sealed = (last - first - 1) * (SLOTS - 1) if last > first else 0
            table += struct.pack("<IIQ16sIIQQQQ", 1, tid, thread, comm, last, 0, 1, 0, sealed, 0).ljust(128, b"\0")
        count = len(chunks) // CHUNK
        header = struct.pack(
            "<QIHHQIIIIQIIQQQIIQQIIIIQQ40s64s32s1024s512s1024sQIIQQ", 0x31474E4952505656, 0x01020304, 1, 3,
            chunks_at + len(chunks), 2864, 64, CHUNK, count, chunks_at, 128, len(self.lanes), 4 * PAGE, lanes_end,
            DEFS_SIZE, 0, 128, 1_000_000_000, 1, self.pid, 1, 0, PAGE, 1, 0, b"boot", b"host", b"made", b"", b"app",
            self.title.encode(), 0, 0, 0, 0, 0)
        live = struct.pack("<IIQQQQQ", self.state, self.housekeeping, 0, count, len(self.defs), len(self.lanes), 0)
        live = live.ljust(192, b"\0") + b"app".ljust(16, b"\0") + self.title.encode().ljust(240, b"\0")
        live = live.ljust(1240, b"\0") + struct.pack("<QQQQ", 0, 0, len(self.windows), 0)
        live += b"".join(struct.pack("<QQHHIQQQ", begin, end, 2, 2 if end else 0, 1, 0, 0, 0) for begin, end in self.windows)
        clock = struct.pack("<QQQQ", 1, 1, 1 + HOST_OFFSET, 0)
        with open(path, "wb") as out:
            out.write(header.ljust(PAGE, b"\0") + b"\0" * PAGE + live.ljust(PAGE, b"\0") + clock.ljust(PAGE, b"\0"))
            out.write(table.ljust(lanes_end - 4 * PAGE, b"\0") + self.defs.ljust(DEFS_SIZE, b"\0") + chunks)


def record(t0, kind, object_=0, rest=b"", done=1 << 16, call=0):
    return (t0, done, kind, call, object_, rest)


def done(ticks):
    return ticks << 16
