"""made.py FORGE MADE FOLDER [SHIFT] - a made-up program of two ranks, as traces in the torch profiler's layout.

Each rank makes steps of one plan, in which every time is a whole microsecond: kernels on the default
stream, a graph of three of them and as a whole, one of which only the whole was measured, a collective on a second stream that overlaps them in part, a copy
of the results to the host and the wait for it. The second rank's collective takes a tenth longer.
Work of the GPU begins SHIFT ns later than planned and takes that much longer.
"""
import os
import subprocess
import sys

STEPS = 5
PERIOD = 1000     # microseconds from step to step

CALLS = {1: (1, "cuLaunchKernel"), 2: (2, "cuGraphLaunch"), 3: (3, "cuMemcpyDtoHAsync_v2"),
         4: (5, "cuStreamSynchronize"), 5: (1, "cuLaunchKernelEx"), 6: (4, "cuMemsetD8Async")}
KERNELS = ["_ZN4demo4gemmEPfi", "_ZN4demo3addEPfi", "ncclDevKernel_AllReduce_Sum_f32_RING_LL", "_ZN4demo4normEPfi"]

# A step: what the host called (call, kind, begin, duration), and what the GPU did for it
# (what, begin, duration, number of the stream, kernel or bytes, node of the graph).
STEP = [
    ((1, 1, 20, 5), [("kernel", 40, 200, 0, 1, None)]),
    ((5, 1, 30, 5), [("kernel", 100, 240, 1, 3, None)]),
    ((6, 4, 37, 2), [("set", 242, 6, 0, 4096, None)]),
    ((1, 1, 40, 5), [("kernel", 250, 50, 0, 2, None)]),
    ((2, 2, 50, 10), [("graph", 398, 204, 0, 1, None), ("kernel", 400, 100, 0, 1, 0), ("kernel", 510, 30, 0, 4, 1), ("kernel", 545, 55, 0, 2, 2)]),
    ((2, 2, 61, 2), [("graph", 603, 4, 0, 1, None)]),
    ((3, 3, 65, 5), [("copy", 610, 20, 0, 8192, None)]),
    ((4, 5, 75, 565), []),
]

EPOCH = 10**15


def definitions(rank):
    yield "ring pid=%d lanes=1 chunks=4 real=%d role=VLLM::Worker_TP%d" % (100 + rank, EPOCH, rank)
    for call, (family, name) in CALLS.items():
        yield "call id=%d family=%d name=%s" % (call, family, name)
    for name in KERNELS:
        yield "kernel name=%s" % name
    yield "graph number=7 nodes=3 exec=9"
    yield "device ordinal=0 name=H200"
    for kernel in range(len(KERNELS)):
        yield "facts kernel=%d registers=%d shared=%d" % (kernel + 1, 32 + kernel, 256 * kernel)
    yield "chunk lane=0 thread=1 tid=%d comm=main" % (100 + rank)


def host_line(call, kind, begin, length, kernel):
    words = {1: "kernel=%d grid=66 block=256" % kernel, 2: "graph=1 w1=9", 3: "object=0x102 w2=8192", 4: "w1=4096", 5: ""}
    return "rec kind=%d call=%d t=%d dur=%d %s" % (kind, call, begin * 1000, length * 1000, words[kind])


def gpu_line(what, begin, length, number, object_, node, correlation):
    line = "%s begin=%d dur=%d number=%d stream=%d corr=%d raw=%d off=1000" % (
        what, EPOCH + begin, length, number, 0x7f00 * number, correlation, length + 1000)
    if what == "graph":
        return line + " object=%d" % object_
    if what != "kernel":
        return line + " bytes=%d direction=2" % object_
    line += " kernel=%d grid=66 block=256 shared=1024" % object_
    return line if node is None else line + " graph=1 node=%d" % node


def script(rank, shift):
    """The ring's script, and what its GPU did."""
    host, gpu, correlation = list(definitions(rank)), [], 256
    for step in range(STEPS):
        start = 1000 + step * PERIOD
        for (call, kind, begin, length), works in STEP:
            correlation += 1
            host.append(host_line(call, kind, start + begin, length, works[0][4] if kind == 1 else 0))
            for what, at, took, number, object_, node in works:
                took = took * (10 + rank) // 10 if number else took
                begin_ns = (start + at) * 1000 + shift
                gpu.append((begin_ns, gpu_line(what, begin_ns, took * 1000 + shift, number, object_, node, correlation)))
    return host, [line for _, line in sorted(gpu)]


def main(forge, made, folder, shift=0):
    rings = []
    for rank in range(2):
        host, gpu = script(rank, int(shift))
        rings.append("%s.rank%d.ring" % (folder, rank))
        subprocess.run([forge, rings[rank]], input="\n".join(host) + "\n", text=True, check=True)
        with open(rings[rank] + ".gpu", "w") as file:
            file.write("\n".join(gpu) + "\n")
    os.makedirs(folder, exist_ok=True)
    subprocess.run([made, folder] + rings, check=True)


main(*sys.argv[1:])
