"""control_page.py: the control page of this process's own ring, found and written as an outsider would."""
import ctypes
import mmap
import platform
import struct
import sys

MAGIC = b"VVPRING1"
PAGE = 4096
BELL, GPU = 8, 16  # offsets of `doorbell`, and of `gpu`: 0 off, 1 every launch, N one in N
FUTEX, FUTEX_WAKE = {"x86_64": 202, "aarch64": 98}[platform.machine()], 1


def ring_path():
    """The ring is the mapped file that begins with its magic."""
    with open("/proc/self/maps") as maps:
        paths = {line.split(None, 5)[5].strip() for line in maps if " rw-s " in line and "/" in line}
    found = []
    for path in paths:
        try:
            with open(path, "rb") as f:
                if f.read(8) == MAGIC:
                    found.append(path)
        except OSError:
            pass
    if len(found) != 1:
        raise SystemExit(f"{len(found)} rings are mapped here: is the preload active?")
    return found[0]


class Control:
    """Whether calls are recorded."""

    def __init__(self):
        with open(ring_path(), "r+b") as f:
            self.page = mmap.mmap(f.fileno(), PAGE, offset=PAGE)
            self.live = mmap.mmap(f.fileno(), PAGE, offset=2 * PAGE, prot=mmap.PROT_READ)

    def set(self, on):
        self.page[0:4] = self.page[4:8] if on else bytes(4)

    def chunks(self):
        """Chunks of 255 records handed out so far."""
        return int.from_bytes(self.live[16:24], sys.byteorder)


class GpuControl:
    """How many launches get stamps."""

    def __init__(self):
        with open(ring_path(), "r+b") as f:
            self.page = mmap.mmap(f.fileno(), PAGE, offset=PAGE)
        self.bell = ctypes.byref(ctypes.c_uint32.from_buffer(self.page, BELL))
        self.syscall = ctypes.CDLL(None).syscall

    def set(self, gpu):
        """Housekeeping, which may sleep for a second, is woken: what it does not see is switched on late."""
        self.page[GPU:GPU + 4] = struct.pack("=I", gpu)
        self.syscall(FUTEX, self.bell, FUTEX_WAKE, 1, None, None, 0)
