#!/usr/bin/env python3
"""gpu_torch.py: torch work whose kernel times are compared, and whose replays are timed.

    gpu_torch.py decode REPLAYS        a captured decode step of a language model: 22 layers, batch 8
    gpu_torch.py eager STEPS           the same step, launch by launch
    gpu_torch.py bits REPLAYS          two captured graphs of a deterministic model, on two streams at once, with
                                       pauses in which what was stamped can be collected
    gpu_torch.py cost BLOCKS REPLAYS   under the preload: the decode graph with GPU times off, of every
                                       replay, and of one in 64, a block of each in turn

Prints "wall MODE COUNT NS NS-A-ROUND", and for `bits` "checksum X"; of `cost` a line a block: arm, tab,
ns a replay.
"""
import hashlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

HIDDEN, HEADS, HEAD, INNER, VOCABULARY = 2048, 16, 128, 5632, 32000
BATCH, CONTEXT, LAYERS = 8, 512, 22
ARMS = (("off", 0), ("all", 1), ("sampled", 64))
UNMEASURED = 4  # replays after a switch
AT_ONCE = 8


class Layer(nn.Module):
    """Attention over a cache, whose last place this token takes, and a gated MLP."""

    def __init__(self):
        super().__init__()
        kind = {"device": "cuda", "dtype": torch.bfloat16}
        self.before_attention, self.before_mlp = nn.RMSNorm(HIDDEN, **kind), nn.RMSNorm(HIDDEN, **kind)
        self.project = nn.Linear(HIDDEN, 3 * HIDDEN, bias=False, **kind)
        self.out = nn.Linear(HIDDEN, HIDDEN, bias=False, **kind)
        self.up = nn.Linear(HIDDEN, 2 * INNER, bias=False, **kind)
        self.down = nn.Linear(INNER, HIDDEN, bias=False, **kind)
        self.keys = torch.randn(BATCH, HEADS, CONTEXT, HEAD, **kind)
        self.values = torch.randn_like(self.keys)

    def forward(self, x):
        query, key, value = self.project(self.before_attention(x)).chunk(3, dim=-1)
        self.keys[:, :, -1] = key.view(BATCH, HEADS, HEAD)
        self.values[:, :, -1] = value.view(BATCH, HEADS, HEAD)
        seen = F.scaled_dot_product_attention(query.view(BATCH, HEADS, 1, HEAD), self.keys, self.values)
        x = x + self.out(seen.reshape(BATCH, HIDDEN))
        gate, inner = self.up(self.before_mlp(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * inner)


def decode_step():
    layers = [Layer() for _ in range(LAYERS)]
    head = nn.Linear(HIDDEN, VOCABULARY, bias=False, device="cuda", dtype=torch.bfloat16)
    x = torch.randn(BATCH, HIDDEN, device="cuda", dtype=torch.bfloat16)

    def step():
        y = x
        for layer in layers:
            y = layer(y)
        return head(y)
    return step


def captured(step, stream=None):
    """Warmed up on a stream beside, then captured."""
    side = stream or torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        step()
    torch.cuda.synchronize()
    return graph


def timed(run, count):
    """ns of `count` runs, the GPU idle before and after. Few are under way at a time: all can have stamps then."""
    torch.cuda.synchronize()
    begin = time.perf_counter_ns()
    for i in range(1, count + 1):
        run()
        if i % AT_ONCE == 0 or i == count:
            torch.cuda.synchronize()
    return time.perf_counter_ns() - begin


def settle(graph):
    """What is prepared beside the launches has time to be, before they queue up."""
    for _ in range(12):
        timed(graph.replay, 1)
        time.sleep(0.05)


def tell(mode, count, ns):
    print(f"wall {mode} {count} {ns} {ns // count}", flush=True)


def decode(replays):
    graph = captured(decode_step())
    settle(graph)
    tell("decode", replays, timed(graph.replay, replays))


def eager(steps):
    step = decode_step()
    timed(step, 3)
    tell("eager", steps, timed(step, steps))


class Small:
    """A model that gives the same bits each time: sums in a fixed order, no library chooses a way. It feeds itself."""

    def __init__(self, width=256, layers=10):
        self.weights = [torch.randn(width, width, device="cuda") / width ** 0.5 for _ in range(layers)]
        self.state = torch.randn(BATCH, width, device="cuda")

    def step(self):
        y = self.state
        for weights in self.weights:
            y = torch.tanh((y.unsqueeze(2) * weights).sum(1) * 1.5) + 0.1 * self.state
        self.state.copy_(y)


def bits(replays):
    models = [Small(), Small()]
    streams = [torch.cuda.Stream() for _ in models]
    graphs = [captured(model.step, stream) for model, stream in zip(models, streams)]
    for graph, stream in zip(graphs, streams):
        with torch.cuda.stream(stream):
            settle(graph)
    begin = time.perf_counter_ns()
    for i in range(1, replays + 1):
        for graph, stream in zip(graphs, streams):
            with torch.cuda.stream(stream):
                graph.replay()
        if i % (2 * AT_ONCE) == 0 or i == replays:
            torch.cuda.synchronize()
            time.sleep(0.012)
    tell("bits", replays, time.perf_counter_ns() - begin)
    seen = b"".join(bytes(model.state.cpu().untyped_storage()) for model in models)
    print("checksum", hashlib.sha256(seen).hexdigest()[:16])
    print("spread", f"{models[0].state.std().item():.4f}")  # 0 would be a model that has died


def cost(blocks, replays):
    from control_page import GpuControl
    graph = captured(decode_step())
    control = GpuControl()
    timed(graph.replay, replays)
    control.set(1)
    settle(graph)
    for block in range(blocks):
        for name, gpu in ARMS[::-1 if block % 2 else 1]:
            control.set(gpu)
            timed(graph.replay, UNMEASURED)
            print(f"{name}\t{timed(graph.replay, replays) / replays:.1f}", flush=True)


def main():
    modes = {"decode": decode, "eager": eager, "bits": bits, "cost": cost}
    if len(sys.argv) < 3 or sys.argv[1] not in modes:
        raise SystemExit(__doc__)
    if not torch.cuda.is_available():
        print("gpu_torch.py: no GPU that torch can use", file=sys.stderr)
        return 77
    torch.manual_seed(0)
    with torch.no_grad():
        modes[sys.argv[1]](*map(int, sys.argv[2:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
