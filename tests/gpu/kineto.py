"""kineto.py - launches counted in a trace of torch.profiler, by kernel name."""
import ctypes
import gzip
import json
from collections import Counter

GRAPH = "(graph launches)"


def demangler():
    """__cxa_demangle of the C++ library that is here; names it does not know stay as they are."""
    lib = ctypes.CDLL("libstdc++.so.6")
    lib.__cxa_demangle.restype = ctypes.c_void_p
    lib.__cxa_demangle.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int)]
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [ctypes.c_void_p]

    def demangle(name):
        if not name.startswith("_Z"):  # else "f" would become "float"
            return name
        status = ctypes.c_int()
        p = lib.__cxa_demangle(name.encode(), None, None, ctypes.byref(status))
        if not p:
            return name
        text = ctypes.string_at(p).decode(errors="replace")
        libc.free(p)
        return text
    return demangle


def load(path):
    with (gzip.open if str(path).endswith(".gz") else open)(path, "rt") as f:
        return json.load(f)["traceEvents"]


def annotations(events, prefix):
    """Name without the prefix -> (begin, end) in the trace's microseconds."""
    return {e["name"][len(prefix):]: (float(e["ts"]), float(e["ts"]) + float(e["dur"])) for e in events
            if e.get("cat") == "user_annotation" and e["name"].startswith(prefix)}


def count(events, part_of, demangle):
    """part -> (launches by kernel name, copies and sets), for the parts that part_of(ts) names.

    What a graph replay runs on the GPU is no launch; the replay itself is counted under GRAPH.
    """
    calls = ("cuda_runtime", "cuda_driver")
    api = {e["args"].get("correlation"): e["name"] for e in events if e.get("cat") in calls}
    kernels, copies = {}, {}
    for e in events:
        cat = e.get("cat", "")
        if cat not in calls and cat not in ("kernel", "gpu_memcpy", "gpu_memset"):
            continue
        part = part_of(float(e["ts"]))
        if part is None:
            continue
        mine = kernels.setdefault(part, Counter())
        moved = copies.setdefault(part, Counter())
        from_graph = "GraphLaunch" in api.get(e.get("args", {}).get("correlation"), "")
        if cat == "kernel" and not from_graph:
            mine[demangle(e["name"])] += 1
        elif cat in calls and "GraphLaunch" in e["name"]:
            mine[GRAPH] += 1
        elif cat == "gpu_memcpy" and not from_graph:
            moved["copies"] += 1
        elif cat == "gpu_memset" and not from_graph:
            moved["sets"] += 1
    return kernels, copies
