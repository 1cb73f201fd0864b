"""cuda.core: a program compiled by NVRTC and launched from Python."""

CODE = r"""
extern "C" __global__ void vprof_scale(const float *x, float *y, float factor, int n)
{
    for (int i = blockDim.x * blockIdx.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        y[i] = x[i] * factor;
}
extern "C" __global__ void vprof_nothing()
{
}
"""


def core():
    import cuda.core
    if not hasattr(cuda.core, "launch"):
        import cuda.core.experimental
        return cuda.core.experimental
    return cuda.core


def make():
    import numpy as np
    api = core()
    device = api.Device(0)
    device.set_current()
    stream = device.create_stream()
    arch = "sm_%d%d" % tuple(device.compute_capability)
    program = api.Program(CODE, code_type="c++", options=api.ProgramOptions(arch=arch))
    module = program.compile("cubin")
    scale, nothing = module.get_kernel("vprof_scale"), module.get_kernel("vprof_nothing")
    n = 6000
    x, y = device.allocate(4 * n, stream=stream), device.allocate(4 * n, stream=stream)
    config = api.LaunchConfig(grid=24, block=256)
    one = api.LaunchConfig(grid=1, block=32)

    def work():
        for i in range(8):
            api.launch(stream, config, scale, x, y, np.float32(i), np.int32(n))
        for _ in range(5):
            api.launch(stream, one, nothing)
        x.copy_to(y, stream=stream)
        y.copy_to(x, stream=stream)
        stream.sync()
    return work, device.sync
