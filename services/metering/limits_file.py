"""The file of limits on calls: read at the start and whenever it changes, and never half.

At the start a wrong file is refused. While calls are served it may be edited and wrong for a while: then the
limits from before hold on, and log and figures say so; health does not change, for every process has the same
file and none of them would be a better one.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import structlog
import yaml

from services.chassis.file_versions import FileVersion, version_of
from services.chassis.refusals import Refusal, precondition
from services.metering.domain.rates.documents import fault, limits_of
from services.metering.domain.rates.limits import RateLimits
from services.metering.metrics import LIMITS_FILE_GOOD

LARGEST_BYTES = 4 * 2**20
"""Some tens of thousands of lines: they are read while calls wait."""

_log = structlog.get_logger(__name__)


class LimitsFile:
    """The limits of one file, and the background task that follows it."""

    name = "limits file"

    def __init__(self, path: Path, *, interval_seconds: float) -> None:
        """Raises Refusal: LIMITS_FILE_UNREADABLE, LIMITS_FILE_INVALID (naming the part at fault)."""
        self._path = path
        self._interval_seconds = interval_seconds
        self._version: FileVersion | None = _version(path)
        self._limits = read_limits(path)
        LIMITS_FILE_GOOD.set(1)

    def limits(self) -> RateLimits:
        """Those that hold now."""
        return self._limits

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self.refresh()

    async def refresh(self) -> None:
        """Takes the limits of the file if it is another one than last time, and good."""
        version = _version(self._path)
        if version == self._version:
            return
        # Before it is read: what is written meanwhile is another version, and read again.
        self._version = version
        try:
            self._limits = await asyncio.to_thread(read_limits, self._path)
        except Refusal as refusal:
            LIMITS_FILE_GOOD.set(0)
            _log.error("the file of limits is wrong; those from before hold on", fault=refusal.message)
            return
        LIMITS_FILE_GOOD.set(1)
        _log.info("the limits of the file hold from now on", domain=self._limits.domain)


def read_limits(path: Path) -> RateLimits:
    """The limits that a file says; raises Refusal LIMITS_FILE_UNREADABLE, LIMITS_FILE_INVALID."""
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"the file of limits {path} cannot be read: {error.strerror}"
        raise precondition("LIMITS_FILE_UNREADABLE", message) from error
    if len(content) > LARGEST_BYTES:
        raise fault("the file", f"is larger than {LARGEST_BYTES >> 20} MiB")
    try:
        document = yaml.load(content, _EachOnce)  # noqa: S506 - a SafeLoader
    except Refusal:
        raise
    except Exception as error:
        # YAML's reader raises what Python's own types do (a month 13, a number of 5,000 digits, a key that is
        # a list): nothing that a person writes into the file may end the task that follows it.
        raise fault("the file", f"is no YAML: {' '.join(str(error).split())}") from error
    return limits_of(document)


class _EachOnce(yaml.SafeLoader):
    """Of two members of one name YAML's reader takes the last, where a person may read the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = Counter(str(key.value) for key, _ in node.value)
        if twice := sorted(name for name, count in names.items() if count > 1):
            where = f"line {node.start_mark.line + 1}"
            raise fault(where, f"says {', '.join(twice)} twice")
        return super().construct_mapping(node, deep)


def _version(path: Path) -> FileVersion | None:
    """None where there is no such file, or none that can be looked at."""
    try:
        return version_of(path)
    except OSError:
        return None
