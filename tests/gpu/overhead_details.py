"""overhead_details.py: what the steps of one engine's turn consist of (part of overhead_processes.py)."""
import contextlib
import ctypes
import os
import resource
import statistics
import struct
import time


class Counter:
    """What the processor counts of this thread in user mode; raises OSError where that may not be asked. It has fewer
    counters than we ask for, so each counts for a part of the time, and is taken for all of it."""

    def __init__(self, kind, config):
        attributes = bytearray(struct.pack("IIQQQQ", kind, 112, config, 0, 0, 3).ljust(112, b"\0"))
        attributes[40] = 0x60  # exclude_kernel, exclude_hv
        libc = ctypes.CDLL(None, use_errno=True)
        number = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
        self.fd = libc.syscall(number, bytes(attributes), 0, -1, -1, 0)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "perf_event_open")

    def read(self):
        value, wanted, counted = struct.unpack("QQQ", os.read(self.fd, 24))
        return value * wanted / counted if counted else 0


# By name: PERF_TYPE_HARDWARE and PERF_TYPE_HW_CACHE with what they count.
COUNTED = {"instructions": (0, 1), "cycles": (0, 0), "branch misses": (0, 5), "cache misses": (0, 3),
           "L1I misses": (3, 1 | 1 << 16), "L1D misses": (3, 1 << 16), "DTLB misses": (3, 3 | 1 << 16)}


class Details:
    """Of the steps of a turn, each: processor time of the thread and of all others, page faults and switches to other
    threads, what the processor counted; `with_graphs` also time on the GPU from before to behind the graph's replay,
    which costs some 10 us a step, in all arms."""

    def __init__(self, steps, with_graphs):
        self.steps, self.pairs, self.used, self.counters = steps, [], 0, {}
        for name, what in COUNTED.items():
            with contextlib.suppress(OSError, KeyError):
                self.counters[name] = Counter(*what)
        if with_graphs:
            self.time_graphs()
        self.begin()

    def time_graphs(self):
        import torch
        replay = torch.cuda.CUDAGraph.replay
        self.pairs = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(2 * self.steps)]

        def timed(graph):
            before, behind = self.pairs[self.used % len(self.pairs)]
            self.used += 1
            before.record()
            result = replay(graph)
            behind.record()
            return result

        torch.cuda.CUDAGraph.replay = timed

    def now(self):
        used = resource.getrusage(resource.RUSAGE_THREAD)
        own = time.thread_time()
        return {"thread us": 1e6 * own, "other threads us": 1e6 * (time.process_time() - own), "faults": used.ru_minflt,
                "waits": used.ru_nvcsw, "preemptions": used.ru_nivcsw,
                **{name: counter.read() for name, counter in self.counters.items()}}

    def begin(self):
        self.used, self.start = 0, self.now()

    def take(self):
        """What was since begin(), by name, a step."""
        took = {name: (now - self.start[name]) / self.steps for name, now in self.now().items()}
        graph = []
        for before, behind in self.pairs[:self.used]:
            behind.synchronize()
            graph.append(1000 * before.elapsed_time(behind))
        return dict(took, **{"graph us": statistics.median(graph)}) if graph else took
