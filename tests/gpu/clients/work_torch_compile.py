"""torch.compile: kernels that Triton makes and launches by itself, forward and backward."""
TORCH = True


def make():
    import torch
    x = torch.randn(64, 512, device="cuda", requires_grad=True)
    w = torch.randn(512, 512, device="cuda", requires_grad=True)

    @torch.compile
    def mix(a, b):
        c = torch.nn.functional.gelu(a @ b) * torch.sigmoid(a)
        return (c - c.mean(-1, keepdim=True)).relu().sum(-1)

    @torch.compile
    def scan(a):
        return torch.softmax(a.cumsum(-1), -1).amax(0)

    def work():
        for _ in range(5):
            mix(x, w).sum().backward()
            scan(x.detach())
    return work, torch.cuda.synchronize
