"""CuPy: element-wise kernels, reductions, a kernel of the user's, cuBLAS, cuFFT, a captured graph, copies."""


def make():
    import cupy as cp
    import numpy as np
    x = cp.linspace(0, 1, 1 << 16, dtype=cp.float32)
    square = x.reshape(256, 256)
    host = np.ones(7000, dtype=np.float32)
    scale = cp.RawKernel(r"""
        extern "C" __global__ void vprof_scale(const float *x, float *y, float factor, int n)
        {
            __shared__ float part[64];
            int i = blockDim.x * blockIdx.x + threadIdx.x;
            part[threadIdx.x % 64] = factor;
            __syncthreads();
            if (i < n)
                y[i] = x[i] * part[threadIdx.x % 64];
        }""", "vprof_scale")
    fused = cp.ElementwiseKernel("float32 a, float32 b", "float32 c", "c = a * a + b", "vprof_square_add")
    out = cp.empty_like(x)
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        scale((256,), (256,), (x, out, np.float32(2), np.int32(x.size)))
        stream.begin_capture()
        for _ in range(3):
            scale((256,), (256,), (x, out, np.float32(2), np.int32(x.size)))
        graph = stream.end_capture()

    def work():
        for i in range(7):
            scale((256,), (256,), (x, out, np.float32(i), np.int32(x.size)))
        fused(x, out), x.sum(), cp.sort(x), square @ square, cp.fft.rfft(square, axis=-1)
        for _ in range(5):
            graph.launch(stream)
        y = cp.asarray(host)
        y.fill(0), cp.asnumpy(y), y.copy()
        y.data.memset_async(0, 4000, cp.cuda.get_current_stream())
        cp.random.seed(1)
        cp.random.rand(1000)
    return work, cp.cuda.runtime.deviceSynchronize
