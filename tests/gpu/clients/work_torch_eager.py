"""torch, one operator after the other: forward, backward on autograd's own thread, copies, sets."""
TORCH = True


def make():
    import torch
    F = torch.nn.functional
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(512, 256), torch.nn.GELU(), torch.nn.Linear(256, 64)).cuda()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x = torch.randn(64, 512, device="cuda")
    index = torch.randint(0, 64, (200,), device="cuda")
    pinned = torch.randn(64, 512).pin_memory()
    side = torch.cuda.Stream()

    def work():
        y = x
        for _ in range(20):
            y = torch.tanh(y * 1.01 + 0.5)
        y.sum(), y.mean(0), y.softmax(-1), y.topk(5), y.sort(-1), y.cumsum(0)
        x.index_select(0, index), torch.cat([x, y]), F.layer_norm(y, (512,)), F.dropout(y, 0.1)
        with torch.cuda.stream(side):
            torch.where(x > 0, x, -x).argmax(-1)
        for _ in range(3):
            adam.zero_grad()
            model(x).square().mean().backward()
            adam.step()
        a = torch.empty(3000, device="cuda")
        a.zero_(), a.copy_(torch.arange(3000.0)), a.cpu()
        pinned.to("cuda", non_blocking=True), a.clone(), a[:1000].copy_(a[2000:])
    return work, torch.cuda.synchronize
