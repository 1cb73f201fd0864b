#!/usr/bin/env python3
"""launch_counts.py: does vprof see exactly the launches that torch.profiler (CUPTI) sees?

    BUILD=build OUT=/tmp/out tests/gpu/launch_counts.py

Runs one deterministic region, split into parts (eager, backward on its own thread, torch.compile,
CUDA graph replay, a Triton kernel, cuBLAS, cuDNN, attention), in three processes:

  both      torch.profiler and the preload at work on the same launches
  profiler  torch.profiler alone
  vprof     the preload alone

and compares, part by part and kernel name by kernel name, both with itself and profiler with
vprof. In the ring a part is what lies between a cuProfilerStart and the next cuProfilerStop; in
the profiler's trace it is a time window with the device idle at both ends. Kernels that a graph
replay runs are one launch, cuGraphLaunch, and are compared as such.

Prints the totals and every difference, then results as "ok NAME" and "not ok NAME" lines
in OUT/launch_counts.results; all rows are in OUT/launch_counts.tsv.
"""
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = Path(os.environ.get("OUT", "/tmp/vprof-launch-counts"))
LIMIT = int(os.environ.get("CHILD_LIMIT", "170"))


# ---- the region: runs in a child process -----------------------------------------------

def make_triton():
    import triton
    import triton.language as tl

    @triton.jit
    def scale_kernel(x, y, n, factor, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(y + at, tl.load(x + at, mask=at < n) * factor, mask=at < n)

    def run(x, y):
        for i in range(7):
            scale_kernel[(triton.cdiv(x.numel(), 256),)](x, y, x.numel(), 1.5 + i, BLOCK=256)
    return run


def make_parts(torch):
    """Name -> function, each run once to warm up and once to be counted."""
    F = torch.nn.functional
    torch.backends.cudnn.benchmark = False
    g = dict(device="cuda")
    x, w = torch.randn(64, 512, **g), torch.randn(512, 512, **g)
    half = torch.randn(8, 128, 512, dtype=torch.bfloat16, **g)
    weight = torch.randn(512, 512, dtype=torch.bfloat16, **g)
    image = torch.randn(4, 16, 32, 32, dtype=torch.bfloat16, **g).to(memory_format=torch.channels_last)
    filters = torch.randn(32, 16, 3, 3, dtype=torch.bfloat16, **g).to(memory_format=torch.channels_last)
    heads = torch.randn(2, 8, 64, 64, dtype=torch.bfloat16, **g)
    index = torch.randint(0, 64, (200,), **g)
    model = torch.nn.Sequential(torch.nn.Linear(512, 256), torch.nn.GELU(), torch.nn.Linear(256, 64)).cuda()
    out = torch.empty_like(x)

    def eager():
        y = x
        for _ in range(10):
            y = torch.tanh(y * 1.01 + 0.5)
        y.sum(), y.mean(0), y.softmax(-1), y.topk(5), y.sort(-1), y.cumsum(0)
        x.index_select(0, index), torch.cat([x, y]), F.layer_norm(y, (512,)), F.dropout(y, 0.1)
        y.zero_(), y.copy_(x), y.cpu(), torch.ones(64, 512).cuda()
        torch.where(y > 0, y, -y).argmax(-1)

    def backward():
        model.zero_grad()
        model(x).square().mean().backward()

    def some_math(a, b):
        c = F.gelu(a @ b) * torch.sigmoid(a)
        return (c - c.mean(-1, keepdim=True)).relu().sum(-1)
    compiled = torch.compile(some_math)

    graph, still = torch.cuda.CUDAGraph(), torch.randn(32, 512, **g)

    def captured():
        z = still
        for _ in range(5):
            z = torch.tanh(z @ w) + still
        return z
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        captured()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        captured()

    triton_part = make_triton()

    def cublas():
        for n in (1, 8, 64, 512):
            x[:min(n, 64)] @ w
            half.view(-1, 512)[:n] @ weight
        torch.bmm(half, half.transpose(1, 2)), F.linear(half, weight, weight[0])
        torch.addmm(w[0], x, w)

    def cudnn():
        y = F.conv2d(image, filters, padding=1)
        F.conv_transpose2d(y, filters, padding=1), F.batch_norm(y.float(), None, None, training=True)

    parts = {
        "eager": eager,
        "backward": backward,
        "compile": lambda: [compiled(x, w) for _ in range(3)],
        "graph": lambda: [graph.replay() for _ in range(11)],
        "triton": lambda: triton_part(x, out),
        "cublas": cublas,
        "cudnn": cudnn,
        "attention": lambda: F.scaled_dot_product_attention(heads, heads, heads, is_causal=True),
    }
    parts["mixed"] = lambda: [parts[p]() for p in ("triton", "graph", "cublas", "graph", "eager")]
    return parts


def run_parts(torch, parts, annotate, mark):
    for name, part in parts.items():
        torch.cuda.synchronize()
        time.sleep(0.005)
        with annotate("part:" + name):
            if mark:
                torch.cuda.profiler.start()
            part()
            torch.cuda.synchronize()
            if mark:
                torch.cuda.profiler.stop()
        time.sleep(0.005)


def child(mode, trace):
    import contextlib
    import torch
    parts, broken = {}, {}
    for name, part in make_parts(torch).items():
        try:  # a part that this machine cannot run is left out of every process alike, and said
            part(), part()
            torch.cuda.synchronize()
            parts[name] = part
        except Exception as e:
            broken[name] = f"{type(e).__name__}: {e}".splitlines()[0]
    print(json.dumps({"parts": list(parts), "broken": broken, "pid": os.getpid()}), flush=True)
    if mode == "vprof":
        run_parts(torch, parts, lambda name: contextlib.nullcontext(), mark=True)
        return
    from torch.profiler import ProfilerActivity, profile, record_function
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as prof:
        run_parts(torch, parts, record_function, mark=mode == "both")
    prof.export_chrome_trace(trace)


# ---- what each side counted ---------------------------------------------------------------

def from_profiler(trace, parts, demangle):
    import kineto
    events = kineto.load(trace)
    windows = kineto.annotations(events, "part:")
    missing = [p for p in parts if p not in windows]
    if missing:
        raise SystemExit(f"{trace}: no window for {missing}")

    def part_of(ts):
        return next((p for p, (a, b) in windows.items() if a - 2000 <= ts <= b + 2000), None)
    return kineto.count(events, part_of, demangle)


def from_ring(folder, pid, parts, demangle):
    import numpy as np
    import kineto
    import ringfile
    rings = [r for r in map(ringfile.Ring, ringfile.find([str(folder)])) if r.pid == pid]
    if len(rings) != 1:
        raise SystemExit(f"{folder}: {len(rings)} rings of process {pid}")
    ring = rings[0]
    if ring.losses or ring.reserved != len(ring.records):
        print(f"# ring: {ring.reserved} reserved, {len(ring.records)} there, losses {ring.losses}")
    marks = {name: np.sort(np.array([r["t0"] for r in ring.of_kind(ringfile.PROFILER)
                                     if ring.call(r) == name], dtype=np.uint64))
             for name in ("cuProfilerStart", "cuProfilerStop")}
    starts, stops = marks["cuProfilerStart"], marks["cuProfilerStop"]
    if len(starts) != len(parts) or len(stops) != len(parts):
        raise SystemExit(f"{folder}: {len(starts)} starts and {len(stops)} stops for {len(parts)} parts")
    counted = {part: ring.count(a, b, demangle, kineto.GRAPH) for part, a, b in zip(parts, starts, stops)}
    return {p: c[0] for p, c in counted.items()}, {p: c[1] for p, c in counted.items()}


# ---- running and comparing ---------------------------------------------------------------------

def start(mode):
    folder = OUT / f"launch_counts.{mode}"
    folder.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, TORCHINDUCTOR_CACHE_DIR=str(OUT / "inductor"), TRITON_CACHE_DIR=str(OUT / "triton"))
    env.pop("LD_PRELOAD", None)
    if mode != "profiler":
        # The launches by which vprof times a GPU are the profiler's to see, and no program's.
        env.update(LD_PRELOAD=os.environ["LIBVPROF"], VPROF_OUT=str(folder), VPROF_GPU="off")
    with open(folder / "log", "w") as log:
        return folder, subprocess.Popen(
            ["timeout", "-k", "10", str(LIMIT), sys.executable, __file__, "child", mode, str(folder / "trace.json")],
            env=env, stdout=subprocess.PIPE, stderr=log, text=True)


def finish(mode, started, demangle, results):
    folder, process = started
    first = process.stdout.read().strip().splitlines()
    rc = process.wait()
    if rc or not first:
        results.append((False, f"{mode}: the program ran (exit {rc}, {folder}/log)"))
        print("\n".join("# " + line for line in open(folder / "log").read().splitlines()[-8:]))
        return None
    told = json.loads(first[-1])
    for name, why in told["broken"].items():
        results.append((False, f"{mode}: part {name} runs here: {why}"))
    got = {"parts": told["parts"]}
    try:
        if mode != "vprof":
            got["profiler"] = from_profiler(folder / "trace.json", told["parts"], demangle)
        if mode != "profiler":
            got["vprof"] = from_ring(folder, told["pid"], told["parts"], demangle)
    except SystemExit as e:
        results.append((False, f"{mode}: {e}"))
        return None
    return got


def compare(label, parts, profiler, vprof, rows, results):
    for part in parts:
        a, b = profiler[0].get(part, Counter()), vprof[0][part]
        wrong = 0
        for name in sorted(set(a) | set(b)):
            rows.append((label, part, name, a[name], b[name]))
            if a[name] != b[name]:
                wrong += 1
                print(f"# {label} {part}: profiler {a[name]}, vprof {b[name]}: {name[:150]}")
        total, names = sum(a.values()), len(a)
        results.append((not wrong and total > 0, f"{label}: {part}: {total} launches of {names} names are the same"))
        moved = dict(profiler[1].get(part, {})), dict(vprof[1][part])
        if moved[0] != moved[1]:  # no failure: a call may be several copies on the GPU, or none
            print(f"# {label} {part}: profiler {moved[0]}, vprof {moved[1]}")


def main():
    sys.path.insert(0, str(HERE))
    OUT.mkdir(parents=True, exist_ok=True)
    import kineto
    demangle, rows, results = kineto.demangler(), [], []
    both = finish("both", start("both"), demangle, results)  # fills the compilers' caches for the others
    others = {mode: start(mode) for mode in ("profiler", "vprof")}
    alone = {mode: finish(mode, started, demangle, results) for mode, started in others.items()}
    if both:
        compare("same process", both["parts"], both["profiler"], both["vprof"], rows, results)
    if alone["profiler"] and alone["vprof"]:
        compare("process each", alone["profiler"]["parts"], alone["profiler"]["profiler"],
                alone["vprof"]["vprof"], rows, results)
    with open(OUT / "launch_counts.tsv", "w") as f:
        f.write("comparison\tpart\tkernel\tprofiler\tvprof\n")
        f.writelines("\t".join(map(str, row)) + "\n" for row in rows)
    with open(OUT / "launch_counts.results", "w") as f:
        f.writelines(("ok " if good else "not ok ") + text + "\n" for good, text in results)
    print("comparison\tlaunches\tnames\tnames that differ")
    for label in ("same process", "process each"):
        mine = [r for r in rows if r[0] == label]
        print(f"{label}\t{sum(r[3] for r in mine)}\t{len({r[2] for r in mine})}\t{sum(r[3] != r[4] for r in mine)}")
    return 0 if results and all(good for good, _ in results) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main())
