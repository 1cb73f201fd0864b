"""cuDNN: convolutions forward and backward, normalisation, a recurrent layer."""
TORCH = True


def make():
    import torch
    F = torch.nn.functional
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(1)
    g = dict(device="cuda")
    image = torch.randn(4, 16, 32, 32, **g)
    half = image.to(torch.bfloat16).to(memory_format=torch.channels_last)
    filters = torch.randn(32, 16, 3, 3, requires_grad=True, **g)
    half_filters = filters.detach().to(torch.bfloat16).to(memory_format=torch.channels_last)
    norm = torch.nn.BatchNorm2d(32).cuda()
    lstm = torch.nn.LSTM(64, 64, 1).cuda()
    steps = torch.randn(5, 4, 64, **g)

    def work():
        y = F.conv2d(image, filters, padding=1)
        norm(y).square().mean().backward()
        z = F.conv2d(half, half_filters, padding=1)
        F.conv_transpose2d(z, half_filters, padding=1)
        lstm(steps)
    return work, torch.cuda.synchronize
