"""numba-cuda: kernels compiled from Python, copies with and without a stream."""

import numpy as np

# numba-cuda 0.30 looks this name up when it is imported, and NumPy 2.5 no longer has it.
if not hasattr(np, "row_stack"):
    np.row_stack = np.vstack
from numba import cuda, float32  # noqa: E402


def make():
    @cuda.jit
    def vprof_scale(x, y, factor):
        i = cuda.grid(1)
        if i < x.size:
            y[i] = x[i] * factor

    @cuda.jit
    def vprof_blocks(x, y):
        part = cuda.shared.array(128, float32)
        i = cuda.grid(1)
        part[cuda.threadIdx.x] = x[i] if i < x.size else 0
        cuda.syncthreads()
        if cuda.threadIdx.x == 0:
            total = float32(0)
            for k in range(128):
                total += part[k]
            y[cuda.blockIdx.x] = total
    host = np.ones(10000, dtype=np.float32)
    x, y = cuda.to_device(host), cuda.device_array_like(host)
    stream = cuda.stream()

    def work():
        for i in range(9):
            vprof_scale[79, 128](x, y, i)
        for _ in range(4):
            vprof_blocks[79, 128, stream](x, y)
        z = cuda.to_device(host[:3000])
        z.copy_to_host()
        y[:3000].copy_to_device(z)
        cuda.to_device(host, stream=stream)
    return work, cuda.synchronize
