"""Enough of the CUDA driver for an example, by ctypes: an empty kernel, launched. No GPU library needed."""
import ctypes

PTX = b""".version 7.0
.target sm_75
.address_size 64
.visible .entry %s()
{
	ret;
}
\0"""


class Kernel:
    """kernel = Kernel("step"); kernel.launch(); kernel.wait()"""

    def __init__(self, name, device=0):
        self.driver = ctypes.CDLL("libcuda.so.1")
        context, module, self.function = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)
        self.call("cuModuleLoadData", ctypes.byref(module), PTX % name.encode())
        self.call("cuModuleGetFunction", ctypes.byref(self.function), module, name.encode())

    def call(self, name, *words):
        error = getattr(self.driver, name)(*words)
        if error:
            raise RuntimeError(f"{name}: error {error}")

    def launch(self, times=1):
        for _ in range(times):
            self.call("cuLaunchKernel", self.function, 1, 1, 1, 32, 1, 1, 0, None, None, None)

    def wait(self):
        self.call("cuCtxSynchronize")
