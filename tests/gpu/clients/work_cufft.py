"""cuFFT, which finds the driver's functions by dlsym and by old names: sizes with kernels of their own."""
TORCH = True


def make():
    import torch
    lines = {n: torch.randn(16, n, device="cuda") for n in (64, 1000, 1009, 4096, 1 << 17)}
    plane = torch.randn(4, 96, 128, device="cuda")
    double = torch.randn(8, 600, device="cuda", dtype=torch.complex128)

    def work():
        for line in lines.values():
            torch.fft.irfft(torch.fft.rfft(line), n=line.shape[-1])
            torch.fft.fft(line)
        torch.fft.fft2(plane), torch.fft.rfftn(plane), torch.fft.ifft(double)
    return work, torch.cuda.synchronize
