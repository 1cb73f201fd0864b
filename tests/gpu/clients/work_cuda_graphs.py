"""CUDA graphs, captured and replayed by torch, with copies and sets among their nodes."""
TORCH = True


def make():
    import torch
    x, w = torch.randn(32, 512, device="cuda"), torch.randn(512, 512, device="cuda")
    out, zero = torch.empty_like(x), torch.empty(4096, device="cuda")

    def step():
        z = x
        for _ in range(5):
            z = torch.tanh(z @ w) + x
        zero.zero_()
        out.copy_(z)

    def small():
        out.mul_(2.0)
    graphs = []
    for function in (step, small):
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            function()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            function()
        graphs.append(graph)

    def work():
        for _ in range(11):
            graphs[0].replay()
            x.add_(0.01)
        for _ in range(4):
            graphs[1].replay()
    return work, torch.cuda.synchronize
