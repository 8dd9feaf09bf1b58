"""Releases of the tz database of a test's own: a folder with zones, each with one change of its clocks."""

import contextlib
import struct
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

US = 1_000_000


def write_zone(folder: Path, name: str, before_s: int, change_us: int, after_s: int) -> None:
    """A zone `before_s` seconds ahead of UTC up to an instant, and `after_s` from then on (RFC 9636)."""
    kinds = struct.pack(">lBB", before_s, 0, 0) + struct.pack(">lBB", after_s, 0, 0)
    content = b""
    # Readers skip the block of 32 bits, and take that of 64.
    for code in (">l", ">q"):
        counts = struct.pack(">6l", 0, 0, 0, 1, 2, 4)
        times = struct.pack(code, change_us // US) + b"\x01"
        content += b"TZif2" + bytes(15) + counts + times + kinds + b"LMT\0"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content + b"\n\n")


@contextlib.contextmanager
def rules_of(folder: Path) -> Iterator[None]:
    """Has the zones of a folder, as if its release had just been installed; the earlier ones afterwards."""
    earlier = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(folder)])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(earlier)
        zoneinfo.ZoneInfo.clear_cache()
