"""control_page.py: the control page of this process's own ring, found and written as an outsider would."""
import mmap
import struct

MAGIC = b"VVPRING1"
PAGE = 4096
GPU = 16  # offset of `gpu`: 0 off, 1 every launch, N one in N


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


class GpuControl:
    """How many launches get stamps."""

    def __init__(self):
        with open(ring_path(), "r+b") as f:
            self.page = mmap.mmap(f.fileno(), PAGE, offset=PAGE)

    def set(self, gpu):
        self.page[GPU:GPU + 4] = struct.pack("=I", gpu)
