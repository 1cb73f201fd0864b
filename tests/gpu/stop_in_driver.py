"""stop_in_driver.py - for gdb: stop where the driver's own function begins.

    (gdb) source tests/gpu/stop_in_driver.py
    (gdb) stop-in-driver cuLaunchKernel 5

The preload exports functions of the same names, so a plain `break` would stop in those first;
this one lets every stop pass that is not in the driver's library, and of the others all but the Nth.
The driver need not be loaded yet.
"""
import gdb


class Stop(gdb.Breakpoint):
    def __init__(self, symbol, nth):
        super().__init__(symbol)
        self.left = nth

    def stop(self):
        if "libcuda.so" not in (gdb.solib_name(gdb.selected_frame().pc()) or ""):
            return False
        self.left -= 1
        return self.left == 0


class Command(gdb.Command):
    def __init__(self):
        super().__init__("stop-in-driver", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, text, _):
        symbol, nth = text.split()
        gdb.execute("set breakpoint pending on")
        Stop(symbol, int(nth))


Command()
