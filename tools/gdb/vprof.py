"""vprof.py - which driver calls a program under libvprof.so is in, from within gdb.

    (gdb) source vprof.py
    (gdb) vprof inflight

Works on a live process and on a core, in gdb 13 and cuda-gdb 13, and calls nothing in the
program. It finds the ring that the program has mapped (by the library's symbol vprof_map; in
a stripped library by the mapping that begins with the ring's magic), reads its bytes through
gdb, and takes everything else from them. A core leaves out shared mappings of files unless bit 3
of /proc/PID/coredump_filter is set: then the ring's own file is read, which the core names.

The layout is that of include/vprof/ring.h, once, in the tables below; a test compares them.
"""
import bisect
import heapq
import os
import re
import struct
import time

import gdb

# ---- the layout: constants, and (offset, bytes) of each field that is read ----

CONSTANTS = {
    "VPROF_RING_MAGIC": 0x31474E4952505656,
    "VPROF_RING_BYTE_ORDER": 0x01020304,
    "VPROF_RING_MAJOR": 1,
    "VPROF_PAGE_SIZE": 4096,
    "VPROF_LIVE_OFFSET": 8192,
    "VPROF_CLOCK_OFFSET": 12288,
    "VPROF_SLOT_SIZE": 64,
    "VPROF_RING_CLOSED": 2,
    "VPROF_LANE_LIVE": 1,
    "VPROF_KIND_LAUNCH": 1,
    "VPROF_KIND_GRAPH_LAUNCH": 2,
    "VPROF_KIND_COPY": 3,
    "VPROF_KIND_SET": 4,
    "VPROF_KIND_SYNC": 5,
    "VPROF_KIND_EVENT": 6,
    "VPROF_KIND_MEMORY": 7,
    "VPROF_KIND_MODULE": 8,
    "VPROF_KIND_GRAPH": 9,
    "VPROF_KIND_PROFILER": 10,
    "VPROF_KIND_CALL": 11,
    "VPROF_KIND_THREAD": 12,
    "VPROF_KIND_QUERIES": 13,
    "VPROF_KIND_RANGE": 14,
    "VPROF_KIND_MARK": 15,
    "VPROF_KIND_TEXT": 16,
    "VPROF_KIND_COUNTER": 17,
    "VPROF_KIND_RANGE_END": 18,
    "VPROF_DEF_READY": 2,
    "VPROF_DEF_CALL": 1,
    "VPROF_DEF_KERNEL": 2,
    "VPROF_DEF_GRAPH": 3,
    "VPROF_DEF_TEXT": 5,
    "VPROF_COPY_DIRECTION": 0xFF,
}

FIELDS = {
    "vprof_ring_header": {
        "magic": (0, 8), "byte_order": (8, 4), "major": (12, 2), "file_size": (16, 8),
        "slot_size": (28, 4), "chunk_size": (32, 4), "chunk_count": (36, 4), "chunks_offset": (40, 8),
        "lane_size": (48, 4), "lane_count": (52, 4), "lanes_offset": (56, 8), "defs_offset": (64, 8),
        "defs_size": (72, 8), "anchor_count": (84, 4), "tick_hz": (88, 8), "start_ticks": (96, 8),
        "pid": (104, 4), "process_start": (120, 8), "boot_id": (136, 40), "host": (176, 64),
        "link": (272, 1024), "command": (1808, 1024),
    },
    "vprof_ring_live": {"state": (0, 4), "end_ticks": (8, 8), "ticket": (16, 8), "beat_ticks": (48, 8)},
    "vprof_anchor": {"ticks": (0, 8), "monotonic_ns": (8, 8)},
    "vprof_lane": {
        "state": (0, 4), "tid": (4, 4), "thread": (8, 8), "comm": (16, 16), "chunk": (32, 4),
        "sealed": (56, 8), "owner_first": (64, 8),
    },
    "vprof_chunk_header": {
        "base": (0, 8), "lane": (8, 4), "tid": (12, 4), "thread": (32, 8), "used": (40, 4), "comm": (48, 16),
    },
    "vprof_slot": {
        "seq": (0, 8), "t0": (8, 8), "done": (16, 8), "kind": (24, 2), "call": (26, 2), "object": (28, 4),
        "words": (32, 32), "launch.stream": (32, 8), "launch.grid": (40, 12), "launch.block": (52, 6),
        "launch.shared": (60, 4), "graph_launch.stream": (32, 8), "copy.bytes": (48, 8), "copy.stream": (56, 8),
        "set.bytes": (40, 8), "set.stream": (48, 8), "sync.handle": (32, 8), "event.event": (32, 8),
        "event.stream": (40, 8), "memory.address": (32, 8), "memory.bytes": (40, 8), "module.handle": (32, 8),
        "graph.graph": (32, 8), "graph.exec": (40, 8), "owner.thread": (32, 8), "owner.tid": (40, 4),
        "owner.comm": (48, 16), "range.flags": (52, 2), "range.texts": (54, 1), "text": (32, 32),
        "queries.count": (32, 8), "queries.failed": (48, 8),
    },
    "vprof_def": {"size": (0, 4), "type": (4, 2), "state": (6, 2)},
    "vprof_def_call": {"call": (8, 4), "name": (16, 0)},
    "vprof_def_kernel": {"name": (40, 0)},
    "vprof_def_text": {"name": (8, 0)},
    "vprof_def_graph": {"number": (40, 4), "nodes": (44, 4)},
}

C = CONSTANTS
# What the program said of itself, which is no call.
SAID = {C["VPROF_KIND_RANGE"]: "(range)", C["VPROF_KIND_MARK"]: "(mark)", C["VPROF_KIND_COUNTER"]: "(counter)",
        C["VPROF_KIND_RANGE_END"]: "(range-end)"}
DIRECTIONS = ["unified", "HtoD", "DtoH", "DtoD", "HtoA", "AtoH", "DtoA", "AtoD", "AtoA", "PtoP", "HtoH"]


def fail(text):
    raise gdb.GdbError("vprof: " + text)


# ---- where a ring's bytes come from ----

class Memory:
    """The ring as the program has it mapped."""

    def __init__(self, address):
        self.address = address

    def read(self, offset, size):
        try:
            return bytes(gdb.selected_inferior().read_memory(self.address + offset, size))
        except gdb.MemoryError:
            return b""


class File:
    """The ring's own file."""

    def __init__(self, path):
        self.path = path

    def read(self, offset, size):
        try:
            with open(self.path, "rb") as file:
                file.seek(offset)
                return file.read(size)
        except OSError:
            return b""


def has_magic(source):
    return source.read(0, 8) in (C["VPROF_RING_MAGIC"].to_bytes(8, order) for order in ("little", "big"))


def mappings():
    """[(start, offset, path)] of what the program has mapped, from the kernel or from the core.

    The longest first: where pages are large the first of the ring is mapped a second time, for its control word.
    """
    row = re.compile(r"^\s*(0x[0-9a-f]+)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+)(?:\s+[rwxps-]{4})?\s*(\S.*)?$")
    try:
        text = gdb.execute("info proc mappings", to_string=True)
    except gdb.error:
        return []
    found = [m for m in map(row.match, text.splitlines()) if m]
    found.sort(key=lambda m: -int(m[2], 16))
    return [(int(m[1], 16), int(m[3], 16), m[4] or "") for m in found]


def symbol_address():
    """What the library's vprof_map.header points to; None where there is no such symbol or no ring."""
    try:
        # The header's pointer comes first in the struct, so no type is needed.
        return int(gdb.parse_and_eval("*(unsigned long *)&vprof_map")) or None
    except gdb.error:
        return None


def is_core():
    connection = getattr(gdb.selected_inferior(), "connection", None)
    return connection is not None and connection.type == "core"


def sources():
    """Places that hold a ring, the likeliest first, and the paths that were looked at in vain."""
    if not gdb.selected_inferior().pid:
        fail("no process and no core here; `vprof file PATH` reads a ring's file")
    rows, found, missing = mappings(), [], []
    address = symbol_address()
    addresses = [address] if address else []
    addresses += [start for start, offset, _ in rows if not offset and start != address]
    paths = {start: path[:-10] if path.endswith(" (deleted)") else path for start, _, path in rows}
    for start in addresses:
        if has_magic(Memory(start)):
            found.append(Memory(start))
        elif paths.get(start, "").endswith(".ring"):
            if has_magic(File(paths[start])):
                found.append(File(paths[start]))
            else:
                missing.append(paths[start])
    return found, missing


chosen_file = None


def open_ring():
    """The ring of the program in front of us, or of the file that the user named."""
    if chosen_file:
        return Ring(File(chosen_file), chosen_file)
    found, missing = sources()
    if not found and missing:
        fail("the core lacks the ring, and its file %s is not here; `vprof file PATH` reads it from elsewhere"
             % missing[0])
    if not found:
        fail("no ring in this process: it has made no driver call under libvprof.so, or none could be made")
    rings = [Ring(source, "core" if is_core() else "process") for source in found]
    pid = gdb.selected_inferior().pid
    # A forked child may still have its parent's mapped.
    rings.sort(key=lambda ring: not (ring.header["pid"] == pid or process_start(pid) == ring.header["process_start"]))
    return rings[0]


# ---- decoding ----

class Ring:
    def __init__(self, source, where):
        self.source, self.where = source, where
        page = source.read(0, C["VPROF_PAGE_SIZE"])
        if len(page) < C["VPROF_PAGE_SIZE"] or not has_magic(source):
            fail("%s is not a vprof ring" % where)
        self.order = "little" if page[8:12] == C["VPROF_RING_BYTE_ORDER"].to_bytes(4, "little") else "big"
        h = self.header = self.decode("vprof_ring_header", page)
        if h["major"] != C["VPROF_RING_MAJOR"]:
            fail("%s has ring format %d, this script reads %d" % (where, h["major"], C["VPROF_RING_MAJOR"]))
        if h["slot_size"] < C["VPROF_SLOT_SIZE"] or h["chunk_size"] % h["slot_size"] or h["chunk_size"] > 1 << 24:
            fail("%s has sizes that cannot be" % where)
        self.slot = struct.Struct(("<" if self.order == "little" else ">") + "QQQHHI32s%dx" % (h["slot_size"] - 64))
        self.live = self.decode("vprof_ring_live", source.read(C["VPROF_LIVE_OFFSET"], 448))
        self.read_definitions()
        self.reread = False
        self.read_anchors()
        self.read_lanes()
        self.threads, self.started, self.newest = {}, set(), 0

    def number(self, data):
        return int.from_bytes(data, self.order)

    def decode(self, name, data):
        """The numbers and texts of a struct; a text is what is longer than 8 bytes."""
        out = {}
        for field, (offset, size) in FIELDS[name].items():
            part = data[offset:offset + size]
            out[field] = self.number(part) if size <= 8 else text_of(part)
        return out

    def field(self, name, payload):
        """A field of vprof_slot's payload, which begins at `words`."""
        offset, size = FIELDS["vprof_slot"][name]
        offset -= FIELDS["vprof_slot"]["words"][0]
        return self.number(payload[offset:offset + size])

    def read_definitions(self):
        self.calls, self.kernels, self.graphs, self.texts = {}, {}, {}, {}
        size = min(self.header["defs_size"], 1 << 28)
        log, at = self.source.read(self.header["defs_offset"], size), 8
        while at + 8 <= len(log):
            head = self.decode("vprof_def", log[at:at + 8])
            if head["size"] < 8 or head["size"] % 8 or at + head["size"] > len(log):
                break
            entry = log[at:at + head["size"]]
            if head["state"] == C["VPROF_DEF_READY"]:
                self.define(head["type"], at // 8, entry)
            at += head["size"]

    def definition(self, table, ident):
        """An entry of self.kernels, graphs or texts; the file of a running process may have got it since."""
        if ident not in getattr(self, table) and not self.reread:
            self.reread = True
            self.read_definitions()
        return getattr(self, table).get(ident)

    def define(self, kind, ident, entry):
        def name(struct_name):
            return text_of(entry[FIELDS[struct_name]["name"][0]:])
        if kind == C["VPROF_DEF_CALL"]:
            self.calls[self.decode("vprof_def_call", entry)["call"]] = name("vprof_def_call")
        elif kind == C["VPROF_DEF_KERNEL"]:
            self.kernels[ident] = name("vprof_def_kernel")
        elif kind == C["VPROF_DEF_TEXT"]:
            self.texts[ident] = name("vprof_def_text")
        elif kind == C["VPROF_DEF_GRAPH"]:
            self.graphs[ident] = self.decode("vprof_def_graph", entry)

    def read_anchors(self):
        page = self.source.read(C["VPROF_CLOCK_OFFSET"], min(self.header["anchor_count"] * 32, C["VPROF_PAGE_SIZE"]))
        anchors = [self.decode("vprof_anchor", page[i:i + 32]) for i in range(0, len(page) - 31, 32)]
        self.anchors = sorted((a["ticks"], a["monotonic_ns"]) for a in anchors if a["ticks"])

    def ns(self, ticks):
        """CLOCK_MONOTONIC of `ticks`: from the nearest earlier anchor, with the slope over all of them."""
        if not self.anchors:
            return (ticks - self.header["start_ticks"]) * 1e9 / max(self.header["tick_hz"], 1)
        (first, first_ns), (last, last_ns) = self.anchors[0], self.anchors[-1]
        slope = 1e9 / max(self.header["tick_hz"], 1)
        if last_ns - first_ns > 10_000_000:
            slope = (last_ns - first_ns) / (last - first)
        at, at_ns = self.anchors[max(bisect.bisect(self.anchors, (ticks, 1 << 64)) - 1, 0)]
        return at_ns + (ticks - at) * slope

    def read_lanes(self):
        h, self.lanes, self.lane_of = self.header, [], {}
        if h["lane_size"] < 72 or h["lane_count"] > 1 << 24:
            return
        data = self.source.read(h["lanes_offset"], h["lane_size"] * h["lane_count"])
        for i in range(0, len(data) - h["lane_size"] + 1, h["lane_size"]):
            lane = self.decode("vprof_lane", data[i:i + h["lane_size"]])
            if not lane["thread"]:
                break
            self.lanes.append(lane)
        self.lane_of = {lane["thread"]: lane for lane in self.lanes}

    def records(self):
        """Every whole record, chunk by chunk: Record. Fills self.newest and self.started."""
        h = self.header
        for i in range(min(self.live["ticket"], h["chunk_count"])):
            data = self.source.read(h["chunks_offset"] + i * h["chunk_size"], h["chunk_size"])
            if len(data) == h["chunk_size"]:
                yield from self.chunk_records(data)

    def chunk_records(self, data):
        head = self.decode("vprof_chunk_header", data)
        serial, base = head["thread"], head["base"]
        if not base:
            return
        self.threads.setdefault(serial, (head["tid"], head["comm"]))
        said = None
        for i, fields in enumerate(self.slot.iter_unpack(data)):
            if fields[0] != base + i or not i:
                continue
            _, t0, done, kind, call, ident, payload = fields
            if kind == C["VPROF_KIND_THREAD"]:
                serial = self.field("owner.thread", payload)
                offset = FIELDS["vprof_slot"]["owner.comm"][0] - FIELDS["vprof_slot"]["words"][0]
                self.threads[serial] = (self.field("owner.tid", payload), text_of(payload[offset:]))
                self.started.add(serial)
                continue
            if kind == C["VPROF_KIND_TEXT"]:
                if said and len(said.inline) < said.texts:
                    said.inline.append(payload)
                continue
            self.newest = max(self.newest, t0 + (done >> 16))
            record = Record(self, serial, t0, done, kind, call, ident, payload)
            said = record if kind in SAID else None
            yield record

    def thread_name(self, serial):
        """(tid, name): the newest name, which the lane of a living thread has."""
        lane = self.lane_of.get(serial)
        return (lane["tid"], lane["comm"]) if lane else self.threads.get(serial, (0, ""))

    def alive(self, serial):
        return self.lane_of.get(serial, {}).get("state") == C["VPROF_LANE_LIVE"]

    def now_ns(self):
        """The present, for a process that runs; else the last moment that the ring knows of."""
        if self.running():
            return time.monotonic_ns()
        ended = self.live["end_ticks"] if self.live["state"] == C["VPROF_RING_CLOSED"] else 0
        return self.ns(max(self.newest, self.live["beat_ticks"], ended))

    def running(self):
        if self.where == "core" or boot_id() != self.header["boot_id"]:
            return False
        if self.where == "process":
            return True
        return process_start(self.header["pid"]) == self.header["process_start"]

    def title(self):
        h = self.header
        when = "ages are of now" if self.running() else "ages are of the last moment that the ring knows of"
        return "process %d on %s: %s\n%s" % (h["pid"], h["host"], h["command"], when)


class Record:
    def __init__(self, ring, serial, t0, done, kind, call, ident, payload):
        self.ring, self.serial, self.t0, self.done = ring, serial, t0, done
        self.kind, self.call, self.ident, self.payload = kind, call, ident, payload
        self.inline, self.texts = [], ring.field("range.texts", payload) if kind in SAID else 0

    def name(self):
        if self.kind in SAID:
            return SAID[self.kind]
        return self.ring.calls.get(self.call, "call#%d" % self.call)

    def numbers(self, name, width):
        offset = FIELDS["vprof_slot"][name][0] - FIELDS["vprof_slot"]["words"][0]
        size = FIELDS["vprof_slot"][name][1]
        part = self.payload[offset:offset + size]
        return ",".join(str(self.ring.number(part[i:i + width])) for i in range(0, size, width))

    def said(self):
        """The name of a range, mark or counter: a definition, or in the texts behind the record."""
        if self.ident:
            return self.ring.definition("texts", self.ident) or "?"
        return text_of(b"".join(self.inline))

    def detail(self):
        if self.kind in SAID:
            return self.said()
        get = lambda name: self.ring.field(name, self.payload)
        handle = lambda name: name.split(".")[1] + " 0x%x" % get(name)
        if self.kind == C["VPROF_KIND_LAUNCH"]:
            return "%s grid (%s) block (%s) shared %d %s" % (
                demangle(self.ring.definition("kernels", self.ident) or "?"), self.numbers("launch.grid", 4),
                self.numbers("launch.block", 2), get("launch.shared"), handle("launch.stream"))
        if self.kind == C["VPROF_KIND_GRAPH_LAUNCH"]:
            graph = self.ring.definition("graphs", self.ident)
            nodes = graph and graph["nodes"]
            return "graph %s%s %s" % (graph["number"] if graph else "?", " (%d nodes)" % nodes if nodes else "",
                                      handle("graph_launch.stream"))
        if self.kind == C["VPROF_KIND_COPY"]:
            way = self.ident & C["VPROF_COPY_DIRECTION"]
            return "%s %d bytes %s" % (DIRECTIONS[way] if way < len(DIRECTIONS) else "?", get("copy.bytes"),
                                       handle("copy.stream"))
        if self.kind == C["VPROF_KIND_SET"]:
            return "%d bytes %s" % (get("set.bytes"), handle("set.stream"))
        if self.kind == C["VPROF_KIND_EVENT"]:
            return "%s %s" % (handle("event.event"), handle("event.stream"))
        if self.kind == C["VPROF_KIND_MEMORY"]:
            return "%s %d bytes" % (handle("memory.address"), get("memory.bytes"))
        if self.kind == C["VPROF_KIND_GRAPH"]:
            return "%s %s" % (handle("graph.graph"), handle("graph.exec"))
        if self.kind == C["VPROF_KIND_MODULE"]:
            return handle("module.handle")
        if self.kind == C["VPROF_KIND_SYNC"]:
            return handle("sync.handle")
        if self.kind == C["VPROF_KIND_QUERIES"]:
            return "%d calls, %d failed" % (get("queries.count"), get("queries.failed"))
        if self.kind == C["VPROF_KIND_CALL"]:
            return " ".join("0x%x" % self.ring.number(self.payload[i:i + 8]) for i in range(0, 32, 8))
        return ""

    def outcome(self):
        if not self.done and self.kind in SAID:
            return "open"
        if self.kind == C["VPROF_KIND_QUERIES"]:
            return "counted"
        if not self.done:
            return "IN FLIGHT" if self.ring.alive(self.serial) else "abandoned"
        result = self.done & 0xFFFF
        ns = self.ring.ns(self.t0 + (self.done >> 16)) - self.ring.ns(self.t0)
        return "%.1f us%s" % (ns / 1e3, " error %d" % result if result else "")


# ---- small things ----

def text_of(data):
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")


demangled = {}


def demangle(name):
    if name not in demangled and name.startswith("_Z"):
        text = gdb.execute("demangle -l c++ -- " + name, to_string=True).strip()
        demangled[name] = name if text.startswith("Can't demangle") else text
    return demangled.get(name, name)


def boot_id():
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return None


def process_start(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def inner_tid(pid, tid):
    """A thread's id in its own pid namespace, which is what the ring has."""
    try:
        with open("/proc/%d/task/%d/status" % (pid, tid)) as file:
            return int(re.search(r"^NSpid:.*\s(\d+)$", file.read(), re.M)[1])
    except (OSError, TypeError):
        return tid


def gdb_threads():
    """gdb's thread number by the ring's tid; empty where the ring is not of this program."""
    if chosen_file or not gdb.selected_inferior().pid:
        return {}
    pid, core = gdb.selected_inferior().pid, is_core()
    return {t.ptid[1] if core else inner_tid(pid, t.ptid[1]): t.num for t in gdb.selected_inferior().threads()}


def age(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return "%.1f %s" % (ns / size, unit)
    return "%d ns" % max(ns, 0)


def table(heads, rows):
    rows = [heads] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


# ---- the commands ----

class Vprof(gdb.Command):
    """Driver calls of a program under libvprof.so.
Works on a live process, on a core, and with `vprof file` on a ring's file."""

    def __init__(self):
        super().__init__("vprof", gdb.COMMAND_STATUS, prefix=True)

    def invoke(self, argument, from_tty):
        gdb.execute("help vprof")


class Threads(gdb.Command):
    """Living threads that have made driver calls: vprof threads
For each: gdb's number (for `thread N`), its id and name, how many calls it has
recorded, its last call, and for how long it has been in it if it has not returned."""

    def __init__(self):
        super().__init__("vprof threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        ring, last, numbers = open_ring(), {}, gdb_threads()
        for record in ring.records():
            if record.kind in SAID:
                continue
            if record.serial not in last or record.t0 >= last[record.serial].t0:
                last[record.serial] = record
        now, rows = ring.now_ns(), []
        for lane in ring.lanes:
            if lane["state"] != C["VPROF_LANE_LIVE"]:
                continue
            record = last.get(lane["thread"])
            waits = age(now - ring.ns(record.t0)) if record and not record.done else "-"
            rows.append([numbers.get(lane["tid"], "-"), lane["tid"], lane["comm"], self.count(ring, lane),
                         record.name() if record else "-", waits])
        print(ring.title())
        table(["thread", "tid", "name", "records", "last call", "in flight for"], rows)

    @staticmethod
    def count(ring, lane):
        h, filled = ring.header, 0
        if lane["chunk"]:
            offset = h["chunks_offset"] + (lane["chunk"] - 1) * h["chunk_size"]
            used = ring.decode("vprof_chunk_header", ring.source.read(offset, 64))["used"]
            filled = min(used, h["chunk_size"] // h["slot_size"]) - 1
        # The record that says that the thread came is none of its calls.
        return lane["sealed"] + filled - lane["owner_first"] - (lane["thread"] in ring.started)


class InFlight(gdb.Command):
    """Calls that have not returned: vprof inflight
For each: gdb's number of the thread (`thread N`, then `bt`), its id and name, for how
long it has been in the call, the call, and for a launch the kernel and its shape."""

    def __init__(self):
        super().__init__("vprof inflight", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        ring, numbers = open_ring(), gdb_threads()
        open_calls = [r for r in ring.records() if not r.done and r.kind not in SAID and ring.alive(r.serial)]
        now = ring.now_ns()
        print(ring.title())
        if not open_calls:
            print("no call is in flight")
            return
        rows = []
        for record in sorted(open_calls, key=lambda r: r.t0):
            tid, name = ring.thread_name(record.serial)
            rows.append([numbers.get(tid, "-"), tid, name, age(now - ring.ns(record.t0)), record.name(),
                         record.detail()])
        table(["thread", "tid", "name", "for", "call", "what"], rows)


class Last(gdb.Command):
    """The newest records of all threads, oldest first: vprof last [N]
N is 20 when not given. `before` is the time from the start of the call to now
(to the last moment the ring knows of, when the process has ended)."""

    def __init__(self):
        super().__init__("vprof last", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        try:
            count = int(argument or "20", 0)
        except ValueError:
            count = 0
        if count < 1:
            fail("vprof last takes a number from 1 up, not %r" % argument)
        ring = open_ring()
        newest = heapq.nlargest(count, ring.records(), key=lambda r: r.t0)
        now, rows = ring.now_ns(), []
        for record in reversed(newest):
            tid, name = ring.thread_name(record.serial)
            rows.append([age(now - ring.ns(record.t0)), tid, name, record.outcome(), record.name(), record.detail()])
        print(ring.title())
        table(["before", "tid", "name", "took", "call", "what"], rows)


class FromFile(gdb.Command):
    """Read rings from a file in place of the program: vprof file [PATH]
For a core whose ring lies elsewhere, or with no program at all. Without PATH
the commands go back to the program."""

    def __init__(self):
        super().__init__("vprof file", gdb.COMMAND_STATUS, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        global chosen_file
        words = gdb.string_to_argv(argument)
        path = os.path.expanduser(words[0]) if words else None
        if path:
            Ring(File(path), path)
        chosen_file = path


for command in (Vprof, Threads, InFlight, Last, FromFile):
    command()
