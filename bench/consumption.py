"""What processes and databases use up: seconds of processors, bytes of disks. Linux only (`/proc`)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PROCESSES = Path("/proc")
# Of /proc/PID/stat (proc(5)), counted from the field after the name in brackets, which may hold blanks.
_PARENT, _USER, _SYSTEM, _USER_OF_ENDED, _SYSTEM_OF_ENDED = 1, 11, 12, 13, 14


@dataclass(frozen=True)
class Consumption:
    """What was used from one moment to another, or until a moment."""

    seconds: dict[str, float]
    """Of processors, by who used them."""
    bytes: dict[str, int]
    """That were written or kept, by what they are."""

    def __sub__(self, earlier: "Consumption") -> "Consumption":
        return Consumption(
            {who: used - earlier.seconds[who] for who, used in self.seconds.items()},
            {what: size - earlier.bytes[what] for what, size in self.bytes.items()},
        )


def seconds_of(pid: int) -> float:
    """Of processors, by a process and those that it has waited for."""
    fields = _fields(pid)
    assert fields is not None, f"there is no process {pid}"
    return _seconds(fields)


def seconds_of_family(pid: int) -> float:
    """The same with its children that still run; PostgreSQL has one for each session."""
    return seconds_of(pid) + sum(_seconds(fields) for fields in _children(pid))


def bytes_in(folder: Path) -> int:
    """That the files in a folder and below it take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _children(pid: int) -> Iterator[list[str]]:
    for entry in PROCESSES.iterdir():
        fields = _fields(int(entry.name)) if entry.name.isdecimal() else None
        if fields is not None and int(fields[_PARENT]) == pid:
            yield fields


def _fields(pid: int) -> list[str] | None:
    try:
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _seconds(fields: list[str]) -> float:
    spent = (fields[at] for at in (_USER, _SYSTEM, _USER_OF_ENDED, _SYSTEM_OF_ENDED))
    return sum(map(int, spent)) / TICKS_A_SECOND
