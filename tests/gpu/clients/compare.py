#!/usr/bin/env python3
"""compare.py [CLIENT...]: does vprof see of each client what CUPTI sees?

    BUILD=build OUT=/tmp/out tests/gpu/clients/compare.py cupy jax

Each client does its known work (work_NAME.py, static_cudart.cu) in two processes: one under the
preload, one with CUPTI (torch.profiler where it is torch, else cupti_counts.so). Compared are,
name by name: launches of each kernel, graph launches, kernels, copies and sets of the graphs'
replays, copies and sets by their bytes. What differs is run a third time with both at
work on the same launches, to tell whether the runs differ or the two that watch them.

JOBS clients (4) at a time, each process with CHILD_LIMIT seconds (150). A client whose package or
second GPU is missing is skipped; one that fails does not stop the others. Writes OUT/clients.tsv (a row a
client), OUT/clients/NAME/names.tsv (all that was compared), OUT/clients/NAME/MODE.log, and
OUT/clients.results: "ok NAME", "not ok NAME" and "# text" lines.
"""
import ctypes
import glob
import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
OUT = Path(os.environ.get("OUT", "/tmp/vprof-clients"))
LIMIT = os.environ.get("CHILD_LIMIT", "150")
JOBS = int(os.environ.get("JOBS", "4"))
DIFFERENCES_SHOWN = 12

Client = namedtuple("Client", "name modules packages torch gpus env", defaults=((), (), False, 1, {}))
NCCL_ENV = {"NCCL_NVLS_ENABLE": "0", "TORCH_SYMM_MEM_DISABLE_MULTICAST": "1", "MASTER_ADDR": "127.0.0.1",
            "TORCH_NCCL_ENABLE_MONITORING": "0"}
JAX_ENV = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "XLA_FLAGS": "--xla_gpu_autotune_level=0",
           "JAX_PLATFORMS": "cuda"}
CLIENTS = [
    Client("torch_eager", ("torch",), ("torch",), True),
    Client("torch_compile", ("torch", "triton"), ("torch", "triton"), True),
    Client("cuda_graphs", ("torch",), ("torch",), True),
    Client("cublas", ("torch",), ("torch", "nvidia-cublas"), True),
    Client("cudnn", ("torch",), ("torch", "nvidia-cudnn-cu13"), True),
    Client("cufft", ("torch",), ("torch", "nvidia-cufft"), True),
    Client("nccl", ("torch",), ("torch", "nvidia-nccl-cu13"), True, 2, NCCL_ENV),
    Client("jax", ("jax",), ("jax", "jax-cuda13-plugin"), env=JAX_ENV),
    Client("cupy", ("cupy",), ("cupy-cuda13x",)),
    Client("numba", ("numba", "numba_cuda"), ("numba", "numba-cuda"), env={"NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS": "0"}),
    Client("cuda_bindings", ("cuda.bindings", "numpy"), ("cuda-bindings",)),
    Client("cuda_core", ("cuda.core", "numpy"), ("cuda-core",)),
    Client("static_cudart"),
]

# Differences that are no fault of vprof: work that vprof has under names that begin with `vprof`
# and CUPTI under the name `cupti`. Shown and not counted, where what the one side has less the
# other has more, to the last one.
Explained = namedtuple("Explained", "vprof cupti why")
EXPLAINED = [
    Explained("in graphs: copy of ", "in graphs: launch of memcpy32_post",
              "the driver carries out a small copy node by a kernel of its own"),
]

RUNNING = set()  # processes of ours, for a run that is stopped


class Skip(Exception):
    pass


class Fail(Exception):
    pass


# ---- what is on this machine ---------------------------------------------------------------

def gpus():
    """How many GPUs the driver has; asked in a process of its own."""
    code = ("import ctypes as c; d = c.CDLL('libcuda.so.1'); n = c.c_int();"
            "d.cuInit(0); d.cuDeviceGetCount(c.byref(n)); print(n.value)")
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return int(asked.stdout.strip() or 0)


def find_cupti():
    folders = [p for base in sys.path for p in glob.glob(f"{base}/nvidia/*/lib")]
    folders += glob.glob("/usr/local/cuda*/extras/CUPTI/lib64") + glob.glob("/usr/local/cuda*/lib64")
    for folder in folders:
        for path in sorted(glob.glob(f"{folder}/libcupti.so.1*"), reverse=True):
            return path
    for name in ("libcupti.so.13", "libcupti.so.12"):
        try:
            ctypes.CDLL(name)
            return name
        except OSError:
            pass
    raise Skip("no libcupti here")


def find_nvcc():
    paths = [shutil.which("nvcc"), *glob.glob("/usr/local/cuda*/bin/nvcc")]
    paths += [p for base in sys.path for p in glob.glob(f"{base}/nvidia/*/bin/nvcc")]
    for path in filter(None, paths):
        return path
    raise Skip("no nvcc here")


def has_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def versions(client):
    found = []
    for package in client.packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    return ", ".join(found)


# ---- running -----------------------------------------------------------------------------------

def build_static(folder):
    program = folder / "static_cudart"
    command = [find_nvcc(), "-cudart", "static", "-O1", str(HERE / "static_cudart.cu"), "-o", str(program), "-ldl"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if built.returncode:
        raise Fail("nvcc: " + " ".join((built.stderr or built.stdout).split())[-300:])
    return str(program)


def commands(client, mode, folder, program):
    if program:
        return [program, mode, str(folder)]
    return [sys.executable, str(HERE / "client.py"), mode, str(HERE / f"work_{client.name}.py"), str(folder)]


def environment(client, mode, folder, caches, rank, port):
    env = dict(os.environ, **client.env)
    for name in ("LD_PRELOAD", "VPROF_TRACE", "VPROF_OUT"):
        env.pop(name, None)
    env.update(RANK=str(rank), WORLD_SIZE=str(client.gpus), MASTER_PORT=str(port), PYTHONDONTWRITEBYTECODE="1",
               TORCHINDUCTOR_CACHE_DIR=str(caches / "inductor"), TRITON_CACHE_DIR=str(caches / "triton"),
               CUPY_CACHE_DIR=str(caches / "cupy"))
    preload = []
    if mode in ("vprof", "both"):
        preload.append(os.environ["LIBVPROF"])
        # The launches by which vprof times a GPU are CUPTI's to see, and no program's.
        env.update(VPROF_OUT=str(folder), VPROF_GPU="off")
    if mode in ("cupti", "both") and not client.torch:
        preload.append(os.path.join(os.environ["BUILD"], "gpu", "cupti_counts.so"))
        env.update(CUPTI_LIB=find_cupti(), CUPTI_COUNTS=str(folder / "counts.0.tsv"))
    if preload:
        env["LD_PRELOAD"] = ":".join(preload)
    return env


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(client, mode, base, program):
    """One run of the client's processes; returns the folder with what they left."""
    folder = base / mode
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = free_port()
    processes = []
    with open(base / f"{mode}.log", "w") as log:
        for rank in range(client.gpus):
            processes.append(subprocess.Popen(
                ["timeout", "-k", "10", LIMIT, *commands(client, mode, folder, program)],
                env=environment(client, mode, folder, base / "caches", rank, port),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        RUNNING.update(processes)
        codes = [p.wait() for p in processes]
        RUNNING.difference_update(processes)
    told = [folder / f"told.{rank}.json" for rank in range(client.gpus)]
    if any(codes) or not all(path.exists() for path in told):
        tail = (base / f"{mode}.log").read_text(errors="replace").strip().splitlines()[-3:]
        limit = f", stopped after {LIMIT} s" if 124 in codes else ""
        raise Fail(f"{mode}: exit codes {codes}{limit}: {' | '.join(tail)[-400:]}")
    return folder, [json.loads(path.read_text()) for path in told]


# ---- what each side counted: Counters of names as in compare() -------------------------------

def from_ring(folder, told, demangle):
    import numpy as np
    import ringfile as rf
    rings = [r for r in map(rf.Ring, rf.find([str(folder)])) if r.pid == told["pid"]]
    if len(rings) != 1:
        raise Fail(f"{len(rings)} rings of process {told['pid']}")
    ring, counts, notes, unknown = rings[0], Counter(), [], 0
    if ring.losses or ring.reserved != len(ring.records):
        notes.append(f"ring: {ring.reserved} reserved, {len(ring.records)} there, losses {ring.losses}")
    marks = {name: [int(r["t0"]) for r in ring.of_kind(rf.PROFILER) if ring.call(r) == name]
             for name in ("cuProfilerStart", "cuProfilerStop")}
    if [len(m) for m in marks.values()] != [1, 1]:
        raise Fail(f"the ring has marks {marks}")
    r = ring.records
    r = r[(r["t0"] > np.uint64(marks["cuProfilerStart"][0])) & (r["t0"] < np.uint64(marks["cuProfilerStop"][0]))]
    failed = Counter(ring.call(x) for x in r[(r["done"] & 0xFFFF) != 0])
    if failed:
        notes.append(f"calls that failed: {dict(failed)}")
    r = r[(r["done"] & 0xFFFF) == 0]
    for x in r[r["kind"] == rf.LAUNCH]:
        counts["launch of " + (demangle(ring.kernel(x)) or "(no name)")] += 1
    for x in r[r["kind"] == rf.COPY]:
        counts[f"copy of {int(x['words'][2])} bytes"] += 1
    for x in r[r["kind"] == rf.SET]:
        counts[f"set of {int(x['words'][1])} bytes"] += 1
    for x in r[r["kind"] == rf.GRAPH_LAUNCH]:
        counts["graph launches"] += 1
        nodes = ring.nodes(x["object"])
        unknown += nodes is None
        for node in nodes or ():
            if node["type"] == rf.NODE_KERNEL:
                name = demangle(ring.kernels.get(int(node["object"]), "")) or "(no name)"
                counts["in graphs: launch of " + name] += 1
            elif node["type"] in (rf.NODE_COPY, rf.NODE_SET):
                kind = "copy" if node["type"] == rf.NODE_COPY else "set"
                counts[f"in graphs: {kind} of {int(node['bytes'])} bytes"] += 1
    calls = Counter(ring.call(x) for x in r)
    return counts, calls, notes, unknown


def from_torch(folder, told, demangle):
    import kineto
    events = kineto.load(folder / f"trace.{told['rank']}.json")
    begin, end = kineto.annotations(events, "part:").get("work", (None, None))
    if begin is None:
        raise Fail("the profiler's trace has no annotation of the work")
    kinds = ("cuda_runtime", "cuda_driver")
    api = {e["args"].get("correlation"): e["name"] for e in events if e.get("cat") in kinds}
    counts, calls, replays = Counter(), Counter(), set()
    for e in events:
        cat, args = e.get("cat", ""), e.get("args", {})
        if not (cat in kinds or cat in ("kernel", "gpu_memcpy", "gpu_memset")):
            continue
        if not begin - 5000 <= float(e["ts"]) <= end + 5000:
            continue
        if cat in kinds:
            calls[e["name"]] += 1
            if "GraphLaunch" in e["name"]:
                replays.add(args.get("correlation"))
            continue
        prefix = "in graphs: " if "GraphLaunch" in api.get(args.get("correlation"), "") else ""
        if cat == "kernel":
            counts[prefix + "launch of " + demangle(e["name"])] += 1
        else:
            counts[f"{prefix}{'copy' if cat == 'gpu_memcpy' else 'set'} of {int(args.get('bytes', 0))} bytes"] += 1
    if replays:
        counts["graph launches"] = len(replays)
    return counts, calls, []


def from_cupti(folder, told, demangle):
    counts, calls, notes = Counter(), Counter(), []
    for line in (folder / f"counts.{told['rank']}.tsv").read_text().splitlines():
        kind, where, name, count = line.split("\t")
        prefix, count = "in graphs: " if where == "graph" else "", int(count)
        if kind == "kernel":
            counts[prefix + "launch of " + demangle(name)] += count
        elif kind in ("copy", "set"):
            counts[f"{prefix}{kind} of {name} bytes"] += count
        elif kind == "replays":
            counts["graph launches"] += count
        elif kind == "call":
            calls[name] += count
        elif kind == "dropped" and count:
            notes.append(f"CUPTI dropped {count} records")
    return counts, calls, notes


# ---- comparing -------------------------------------------------------------------------------------

def explanations(cupti, vprof, differ):
    """Name -> why, of the names in `differ` that EXPLAINED accounts for in full."""
    told = {}
    for case in EXPLAINED:
        names = [n for n in differ if n.startswith(case.vprof)]
        missing = [vprof[n] - cupti[n] for n in names]
        more = cupti[case.cupti] - vprof[case.cupti]
        if min(missing, default=0) > 0 and sum(missing) == more:
            told.update(dict.fromkeys([*names, case.cupti], case.why))
    return told


def differences(cupti, vprof, unknown):
    """Names whose counts differ. Copies of no bytes are calls, but nothing that the GPU does."""
    names = [n for n in sorted(set(cupti) | set(vprof)) if not n.endswith(" of 0 bytes")]
    if unknown:
        names = [n for n in names if not n.startswith("in graphs: ")]
    return [n for n in names if cupti[n] != vprof[n]]


def moves(calls):
    return {n: c for n, c in sorted(calls.items()) if any(w in n for w in ("Memcpy", "Memset", "GraphLaunch"))}


Result = namedtuple("Result", "cupti vprof differ explained unknown notes")


def read(client, vprof_run, cupti_run, demangle):
    """Both sides' counts, summed over the client's processes."""
    cupti, vprof, cupti_calls, vprof_calls = Counter(), Counter(), Counter(), Counter()
    notes, unknown = [], 0
    for told in cupti_run[1]:
        counts, calls, more = (from_torch if client.torch else from_cupti)(cupti_run[0], told, demangle)
        cupti, cupti_calls, notes = cupti + counts, cupti_calls + calls, notes + more
    for told in vprof_run[1]:
        counts, calls, more, graphs = from_ring(vprof_run[0], told, demangle)
        vprof, vprof_calls, notes, unknown = vprof + counts, vprof_calls + calls, notes + more, unknown + graphs
    differ = differences(cupti, vprof, unknown)
    explained = explanations(cupti, vprof, differ)
    if differ:
        notes += [f"calls that CUPTI has: {moves(cupti_calls)}", f"calls that vprof has: {moves(vprof_calls)}"]
    return Result(cupti, vprof, [n for n in differ if n not in explained], explained, unknown, notes)


def total(counts, *starts):
    return sum(c for n, c in counts.items() if n.startswith(starts))


def tell(client, result, lines):
    """Results of one client, as lines."""
    def group(label, *starts):
        wrong = [n for n in result.differ if n.startswith(starts)]
        count = total(result.cupti, *starts)
        if count or wrong or total(result.vprof, *starts):
            names = len([n for n in result.cupti if n.startswith(starts)])
            lines.append(f"{'not ok' if wrong else 'ok'} {client.name}: {count} {label} of {names} names are the same")
    if not total(result.cupti, "launch", "graph launches"):
        lines.append(f"not ok {client.name}: CUPTI saw launches")
    group("launches", "launch")
    group("copies and sets", "copy", "set")
    group("graph launches", "graph launches")
    if result.unknown:
        lines.append(f"# {client.name}: the ring does not have the nodes of {result.unknown} graph launches")
    else:
        group("kernels, copies and sets in graphs", "in graphs")
    for name, why in result.explained.items():
        lines.append(f"# {client.name}: CUPTI {result.cupti[name]}, vprof {result.vprof[name]}: {name[:150]}: {why}")
    for name in result.differ[:DIFFERENCES_SHOWN]:
        lines.append(f"# {client.name}: CUPTI {result.cupti[name]}, vprof {result.vprof[name]}: {name[:200]}")
    if len(result.differ) > DIFFERENCES_SHOWN:
        lines.append(f"# {client.name}: and {len(result.differ) - DIFFERENCES_SHOWN} more")
    lines += [f"# {client.name}: {note}" for note in result.notes]


def write_names(path, result):
    with open(path, "w") as f:
        f.write("name\tCUPTI\tvprof\n")
        for name in sorted(set(result.cupti) | set(result.vprof)):
            f.write(f"{name}\t{result.cupti[name]}\t{result.vprof[name]}\n")


def drop_rings(folder):
    """Rings lie in memory; those that have told what they know make room."""
    for link in glob.glob(f"{folder}/**/*.ring", recursive=True):
        for path in {os.path.realpath(link), link}:
            if os.path.lexists(path):
                os.unlink(path)


def check(client, demangle, present):
    missing = [m for m in client.modules if not has_module(m)]
    if missing:
        raise Skip(f"no {', '.join(missing)} here")
    if client.gpus > present:
        raise Skip(f"needs {client.gpus} GPUs, here are {present}")
    base = OUT / "clients" / client.name
    base.mkdir(parents=True, exist_ok=True)
    program = build_static(base) if client.name == "static_cudart" else None
    other = "torch" if client.torch else "cupti"
    if not client.torch:
        find_cupti()
    # One after the other: the first fills the caches of compilers, so that both run the same kernels.
    cupti_run = run(client, other, base, program)
    result = read(client, run(client, "vprof", base, program), cupti_run, demangle)
    write_names(base / "names.tsv", result)
    if result.differ:
        try:
            both = run(client, "both", base, program)
            again = read(client, both, both, demangle)
            write_names(base / "names.both.tsv", again)
            result.notes.append(f"with both at work on the same launches {len(again.differ)} names differ"
                                f"{': ' if again.differ else ''}{'; '.join(n[:100] for n in again.differ[:5])}")
        except Fail as e:
            result.notes.append(f"both: {e}")
    drop_rings(base)
    return result


def attempt(client, demangle, present):
    """Never raises: lines of results, and the client's row."""
    start, lines = time.monotonic(), []
    row = dict.fromkeys(("launches", "names", "differ", "explained", "copies", "sets", "graph launches"), "-")
    try:
        result = check(client, demangle, present)
        tell(client, result, lines)
        row = {
            "launches": total(result.cupti, "launch"), "names": len([n for n in result.cupti if n.startswith("launch")]),
            "differ": len(result.differ), "explained": len(result.explained),
            "copies": total(result.cupti, "copy"), "sets": total(result.cupti, "set"),
            "graph launches": result.cupti["graph launches"],
        }
        end = "differs" if result.differ else "same"
    except Skip as e:
        end = f"skipped: {e}"
        lines.append(f"# {client.name}: {end}")
    except Exception as e:  # one client that fails is one result
        end = "failed"
        lines.append(f"not ok {client.name}: ran and was compared")
        lines.append(f"# {client.name}: {type(e).__name__}: {' '.join(str(e).split())[:600]}")
    return lines, {"client": client.name, **row, "seconds": round(time.monotonic() - start), "end": end,
                   "versions": versions(client)}


def write_results(done):
    with open(OUT / "clients.results", "w") as f:
        f.writelines(line + "\n" for lines, _ in done for line in lines)
    with open(OUT / "clients.tsv", "w") as f:
        f.write("\t".join(done[0][1]) + "\n")
        f.writelines("\t".join(map(str, row.values())) + "\n" for _, row in done)


def stop(*_):
    for process in list(RUNNING):
        process.terminate()
    os._exit(1)


def main(names):
    import kineto
    unknown = set(names) - {c.name for c in CLIENTS}
    if unknown:
        sys.exit(f"no client {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in CLIENTS)}")
    (OUT / "clients").mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, stop)
    demangle, present = kineto.demangler(), gpus()
    chosen = [c for c in CLIENTS if not names or c.name in names]
    done, lock = {}, threading.Lock()

    def work(client):
        result = attempt(client, demangle, present)
        with lock:  # what is done is told, should the rest be stopped
            done[client.name] = result
            write_results([done[c.name] for c in chosen if c.name in done])
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(work, chosen))
    print((OUT / "clients.tsv").read_text(), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
