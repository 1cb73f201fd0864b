"""Marks that a Python program puts into its own vprof trace.

    import vprof

    with vprof.range("load weights"):
        ...

    @vprof.range("step")
    def step(): ...

    vprof.mark("first token")
    vprof.counter("queue", 3)
    vprof.name_thread("loader")

Under LD_PRELOAD=libvprof.so the calls reach the library; without it they do nothing. One
file, nothing to install: copy it, or put its folder on PYTHONPATH.
"""

import contextlib
import ctypes

__all__ = ["active", "counter", "mark", "name_stream", "name_thread", "range", "range_begin", "range_end"]


def _find():
    """The library's functions, by name; none of them where it was not preloaded."""
    text, number, pointer = ctypes.c_char_p, ctypes.c_double, ctypes.c_void_p
    wanted = {
        "range_begin": [text],
        "range_end": [],
        "mark": [text],
        "counter": [text, number],
        "name_thread": [text],
        "name_stream": [pointer, text],
    }
    found = {}
    try:
        program = ctypes.PyDLL(None)  # calls so short are not worth giving up the interpreter's lock
        for name, arguments in wanted.items():
            function = getattr(program, "vprof_hook_" + name)
            function.argtypes, function.restype = arguments, None
            found[name] = function
    except (AttributeError, OSError, TypeError):
        return {}
    return found


_functions = _find()

#: Is there a library that listens?
active = bool(_functions)


def _utf8(name):
    return name if isinstance(name, bytes) else str(name).encode("utf-8", "replace")


def range_begin(name):
    """Begins a range of the calling thread. Ranges nest."""
    if active:
        _functions["range_begin"](_utf8(name))


def range_end():
    """Ends the innermost range."""
    if active:
        _functions["range_end"]()


class range(contextlib.ContextDecorator):  # noqa: A001 - vprof.range("x") reads best
    """A range: `with vprof.range("x"):`, or `@vprof.range("x")` before a function."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = _utf8(name)

    def __enter__(self):
        range_begin(self.name)
        return self

    def __exit__(self, *exception):
        range_end()
        return False


def mark(name):
    """A moment."""
    if active:
        _functions["mark"](_utf8(name))


def counter(name, value):
    """A value that changes over time, drawn as a track of its own."""
    if active:
        _functions["counter"](_utf8(name), value)


def name_thread(name):
    """The calling thread's name in the trace."""
    if active:
        _functions["name_thread"](_utf8(name))


def name_stream(stream, name):
    """A stream's name: its handle as a number, torch's Stream or CuPy's."""
    for attribute in ("cuda_stream", "ptr", "handle"):
        stream = getattr(stream, attribute, stream)
    if active:
        _functions["name_stream"](int(stream), _utf8(name))
