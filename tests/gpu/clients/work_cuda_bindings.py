"""cuda.bindings: the driver's functions by their own names, from Python."""

PTX = b"""
.version 6.3
.target sm_70
.address_size 64
.visible .entry vprof_add(.param .u64 x, .param .u32 n)
{
    .reg .pred %p<2>;
    .reg .b32 %r<6>;
    .reg .b64 %rd<4>;
    ld.param.u64 %rd1, [x];
    ld.param.u32 %r1, [n];
    mov.u32 %r2, %ctaid.x;
    mov.u32 %r3, %ntid.x;
    mov.u32 %r4, %tid.x;
    mad.lo.s32 %r2, %r2, %r3, %r4;
    setp.ge.u32 %p1, %r2, %r1;
    @%p1 bra done;
    mul.wide.u32 %rd2, %r2, 4;
    add.u64 %rd1, %rd1, %rd2;
    ld.global.u32 %r5, [%rd1];
    add.u32 %r5, %r5, 1;
    st.global.u32 [%rd1], %r5;
done:
    ret;
}
.visible .entry vprof_nothing()
{
    ret;
}
\0"""


def make():
    import ctypes
    import numpy as np
    from cuda.bindings import driver as cu

    def check(answer):
        if int(answer[0]):
            raise RuntimeError(str(answer[0]))
        return answer[1] if len(answer) == 2 else answer[1:]
    check(cu.cuInit(0))
    context = check(cu.cuDevicePrimaryCtxRetain(check(cu.cuDeviceGet(0))))
    check(cu.cuCtxSetCurrent(context))
    module = check(cu.cuModuleLoadData(PTX))
    add = check(cu.cuModuleGetFunction(module, b"vprof_add"))
    nothing = check(cu.cuModuleGetFunction(module, b"vprof_nothing"))
    stream = check(cu.cuStreamCreate(0))
    n = 5000
    x, y = check(cu.cuMemAlloc(4 * n)), check(cu.cuMemAlloc(4 * n))
    host = np.zeros(n, dtype=np.uint32)

    def launch(function, stream, *parameters):
        values = tuple(v for v, _ in parameters), tuple(t for _, t in parameters)
        check(cu.cuLaunchKernel(function, 40, 1, 1, 128, 1, 1, 0, stream, values if parameters else 0, 0))

    def fill(stream):
        launch(add, stream, (int(x), ctypes.c_void_p), (n, ctypes.c_uint))
        check(cu.cuMemsetD32Async(y, 7, n, stream))
        launch(nothing, stream)
    check(cu.cuStreamBeginCapture(stream, cu.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED))
    fill(stream)
    graph = check(cu.cuGraphInstantiate(check(cu.cuStreamEndCapture(stream)), 0))

    def work():
        check(cu.cuMemsetD8(x, 0, 4 * n))
        for _ in range(6):
            fill(stream)
        for _ in range(9):
            launch(nothing, 0)
        for _ in range(3):
            check(cu.cuGraphLaunch(graph, stream))
        check(cu.cuMemcpyDtoDAsync(y, x, 4 * n, stream))
        check(cu.cuMemcpyDtoHAsync(host.ctypes.data, x, 4 * n, stream))
        check(cu.cuStreamSynchronize(stream))
        check(cu.cuMemcpyHtoD(y, host.ctypes.data, 2 * n))
        if host[0] != host[n - 1] or not host[0]:
            raise RuntimeError("the kernels did not run")
    return work, lambda: check(cu.cuCtxSynchronize())
