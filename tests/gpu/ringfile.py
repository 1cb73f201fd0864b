#!/usr/bin/env python3
"""ringfile.py RING...: what is in vprof's rings, one JSON object a ring.

A reader of its own, written from include/vprof/ring.h alone, so that the GPU tests
compare other profilers with what the file holds and not with what vprof's tools make of
it. Reads rings of processes that have ended (or stand still). Needs numpy.
"""
import glob
import json
import os
import sys
from collections import Counter

import numpy as np

MAGIC = 0x31474E4952505656
PAGE = 4096
LAUNCH, GRAPH_LAUNCH, COPY, SET, PROFILER, CALL, THREAD, QUERIES = 1, 2, 3, 4, 10, 11, 12, 13
RANGE, MARK, TEXT, COUNTER, RANGE_END = 14, 15, 16, 17, 18
RANGE_PROCESS, RANGE_AGAIN = 1, 2  # flags of a range
LOSSES = ["no_chunk", "no_lane", "reentrant", "late", "defs_full", "start", "handles", "holdings", "text", "nodes"]

HEADER = np.dtype({
    "names": ["magic", "byte_order", "major", "file_size", "slot_size", "chunk_size", "chunk_count",
              "chunks_offset", "lane_size", "lane_count", "lanes_offset", "defs_offset", "defs_size",
              "clock", "tick_hz", "start_ticks", "pid", "ppid", "host", "link", "exe", "command"],
    "formats": ["u8", "u4", "u2", "u8", "u4", "u4", "u4", "u8", "u4", "u4", "u8", "u8", "u8",
                "u4", "u8", "u8", "u4", "u4", "S64", "S1024", "S512", "S1024"],
    "offsets": [0, 8, 12, 16, 28, 32, 36, 40, 48, 52, 56, 64, 72,
                80, 88, 96, 104, 108, 176, 272, 1296, 1808],
    "itemsize": 2832})
SLOT = np.dtype([("seq", "u8"), ("t0", "u8"), ("done", "u8"), ("kind", "u2"), ("call", "u2"),
                 ("object", "u4"), ("words", "u8", 4)])
CHUNK_HEAD = np.dtype([("base", "u8"), ("lane", "u4"), ("tid", "u4"), ("first", "u8"),
                       ("open_ticks", "u8"), ("thread", "u8"), ("used", "u4"), ("pad", "u4"), ("rest", "u8", 2)])
LANE = np.dtype({"names": ["state", "tid", "comm", "chunk", "sealed"],
                 "formats": ["u4", "u4", "S16", "u4", "u8"],
                 "offsets": [0, 4, 16, 32, 56], "itemsize": 128})
ANCHOR = np.dtype([("ticks", "u8"), ("monotonic", "u8"), ("realtime", "u8"), ("error", "u8")])
NODE = np.dtype([("type", "u4"), ("object", "u4"), ("bytes", "u8"), ("rest", "u4", 8)])
NODE_KERNEL, NODE_COPY, NODE_SET = 0, 1, 2
assert NODE.itemsize == 48
assert SLOT.itemsize == 64 and CHUNK_HEAD.itemsize == 64


class Ring:
    """All records of one ring, ordered by time, with their names."""

    def __init__(self, path):
        self.path = path
        data = np.fromfile(path, dtype=np.uint8)
        if len(data) < 4 * PAGE:
            raise ValueError(f"{path}: too short for a ring")
        self.header = data[:HEADER.itemsize].view(HEADER)[0]
        h = self.header
        if h["magic"] != MAGIC or h["byte_order"] != 0x01020304 or h["major"] != 1 or h["slot_size"] != 64:
            raise ValueError(f"{path}: not a ring that this reader knows")
        self.pid = int(h["pid"])
        live = data[2 * PAGE:3 * PAGE]
        self.closed = int(live[:4].view("u4")[0]) == 2
        counts = live[64:64 + 8 * len(LOSSES)].view("u8")
        self.losses = {name: int(n) for name, n in zip(LOSSES, counts) if n}
        self.comm = live[192:208].tobytes().split(b"\0")[0].decode(errors="replace")
        self.title = live[208:448].tobytes().split(b"\0")[0].decode(errors="replace")
        anchors = data[3 * PAGE:4 * PAGE].view(ANCHOR)
        self.anchors = np.sort(anchors[anchors["ticks"] > 0], order="ticks")
        self._read_names(data[h["defs_offset"]:h["defs_offset"] + h["defs_size"]])
        self._read_records(data)

    def _read_names(self, defs):
        self.calls, self.kernels, self.graphs = {}, {}, {}
        at = 8
        while at + 8 <= len(defs):
            size = int(defs[at:at + 4].view("u4")[0])
            kind, state = (int(x) for x in defs[at + 4:at + 8].view("u2"))
            if not size:
                break
            if size % 8 or at + size > len(defs):
                raise ValueError(f"{self.path}: bad definition at {at}")
            text = defs[at:at + size].tobytes()
            if state == 2 and kind == 1:
                self.calls[int.from_bytes(text[8:12], "little")] = text[16:].split(b"\0")[0].decode()
            elif state == 2 and kind == 2:
                self.kernels[at // 8] = text[40:].split(b"\0")[0].decode(errors="replace")
            elif state == 2 and kind == 14:
                graph, first, count, total = np.frombuffer(text, "u4", 4, 8).tolist()
                if count:
                    self.graphs.setdefault(graph, [total]).extend(np.frombuffer(text, NODE, count, 24))
                elif first in self.graphs:  # the same nodes as an earlier graph
                    self.graphs[graph] = self.graphs[first]
            at += size

    def _read_records(self, data):
        h = self.header
        size, count, start = int(h["chunk_size"]), int(h["chunk_count"]), int(h["chunks_offset"])
        slots = size // SLOT.itemsize
        chunks = data[start:start + size * count].view(SLOT).reshape(count, slots)
        heads = chunks[:, 0].copy().view(CHUNK_HEAD)
        seq = heads["base"][:, None] + np.arange(slots, dtype=np.uint64)
        whole = (chunks["seq"] == seq) & (heads["base"] != 0)[:, None]
        whole[:, 0] = False
        where = np.nonzero(whole)
        order = np.argsort(chunks["t0"][where], kind="stable")
        self.records = chunks[where][order]
        self.tids = heads["tid"][where[0]][order]
        lanes = data[int(h["lanes_offset"]):][:int(h["lane_count"]) * LANE.itemsize].view(LANE)
        used = lanes[lanes["chunk"] > 0]
        current = np.minimum(heads["used"][used["chunk"] - 1], slots).astype(np.int64) - 1
        self.reserved = int(used["sealed"].sum()) + int(current.sum())

    def realtime(self, ticks):
        """Nanoseconds since 1970 at `ticks`, by the anchors, with their slope beyond them."""
        a = self.anchors
        t = np.asarray(ticks, dtype=np.int64) - np.int64(a["ticks"][0])
        x = (a["ticks"] - a["ticks"][0]).astype(np.float64)
        y = (a["realtime"] - a["realtime"][0]).astype(np.float64)
        slope = (y[-1] / x[-1]) if len(a) > 1 and x[-1] > 1e6 else 1e9 / float(self.header["tick_hz"])
        ns = np.where(t > x[-1], y[-1] + (t - x[-1]) * slope, np.interp(t, x, y))
        return ns.astype(np.int64) + np.int64(a["realtime"][0])

    def call(self, record):
        return self.calls.get(int(record["call"]), f"call#{int(record['call'])}")

    def kernel(self, record):
        """Mangled name of a launch's kernel; "" when the ring does not know it."""
        return self.kernels.get(int(record["object"]), "")

    def of_kind(self, kind):
        return self.records[self.records["kind"] == kind]

    def count(self, first_ticks, last_ticks, demangle, graph):
        """Launches that succeeded, by kernel name, replays under `graph`; and copies and sets."""
        r = self.records[(self.records["t0"] > first_ticks) & (self.records["t0"] < last_ticks)]
        r = r[(r["done"] & 0xFFFF) == 0]
        launches = Counter(demangle(self.kernel(x)) or "(no name)" for x in r[r["kind"] == LAUNCH])
        replays = int((r["kind"] == GRAPH_LAUNCH).sum())
        moved = {"copies": int((r["kind"] == COPY).sum()), "sets": int((r["kind"] == SET).sum())}
        return launches + Counter({graph: replays}), Counter({k: v for k, v in moved.items() if v})

    def nodes(self, graph):
        """The nodes of a graph, children's included; None when the ring does not have all of them."""
        total, *nodes = self.graphs.get(int(graph), [None])
        return nodes if len(nodes) == total else None

    def events(self):
        """How many events of each sort a trace of all records has: (phase, category) -> number."""
        r = self.records
        kind, flags = r["kind"], r["words"][:, 2] >> np.uint64(32) & np.uint64(0xffff)
        process = (flags & np.uint64(RANGE_PROCESS)) != 0
        ranges, ends = kind == RANGE, (kind == RANGE_END) & process
        again = (flags & np.uint64(RANGE_AGAIN)) != 0
        # A range of a thread is told again in each chunk that it is still open in.
        began = np.where(again, r["words"][:, 3], r["t0"])[ranges & ~process]
        starts = ranges & process
        counts = {
            ("X", "call"): (kind >= LAUNCH) & (kind <= CALL), ("i", "query"): kind == QUERIES,
            ("i", "user_annotation"): kind == MARK, ("C", "user_annotation"): kind == COUNTER,
            ("b", "user_annotation"): starts,
        }
        counts = {sort: int(those.sum()) for sort, those in counts.items()}
        counts["X", "user_annotation"] = len(set(zip(self.tids[ranges & ~process].tolist(), began.tolist())))
        counts["e", "user_annotation"] = int((starts & (r["done"] != 0)).sum() + ends.sum())
        return Counter({sort: n for sort, n in counts.items() if n})

    def queries(self):
        """Calls that were counted and not recorded."""
        return int(self.of_kind(QUERIES)["words"][:, 0].sum())

    def in_flight(self):
        return self.records[self.records["done"] == 0]

    def summary(self):
        r = self.records
        made = r[(r["kind"] <= CALL) | (r["kind"] == QUERIES)]
        times = self.realtime(made["t0"]) if len(made) else []
        return {
            "path": self.path, "pid": self.pid, "comm": self.comm, "title": self.title, "closed": self.closed,
            "records": len(r), "reserved": self.reserved, "losses": self.losses,
            "launches": int((r["kind"] == LAUNCH).sum()), "graph_launches": int((r["kind"] == GRAPH_LAUNCH).sum()),
            "copies": int((r["kind"] == COPY).sum()), "sets": int((r["kind"] == SET).sum()),
            "unnamed_launches": sum(not self.kernel(x) for x in self.of_kind(LAUNCH)),
            "threads": int(len(np.unique(self.tids))),
            "first_ns": int(times[0]) if len(times) else 0, "last_ns": int(times[-1]) if len(times) else 0,
            "in_flight": [[self.call(x), self.kernel(x)] for x in self.in_flight()],
            "calls": {self.calls.get(int(c), f"call#{int(c)}"): n
                      for c, n in Counter(made["call"].tolist()).most_common()},
        }


def find(paths):
    """Ring files in folders or patterns."""
    out = []
    for p in paths:
        out += sorted(glob.glob(os.path.join(p, "*.ring"))) if os.path.isdir(p) else sorted(glob.glob(p))
    return out


def main(args):
    paths = find(args)
    for path in paths:
        print(json.dumps(Ring(path).summary()))
    return 0 if paths else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
