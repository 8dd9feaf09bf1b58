"""The file of session keys, read again when it changes: keys that are taken out end what they have sealed.

At the start a wrong file is refused. While pages are served it may be wrong for a while: then the keys from
before hold on, and the log says so.
"""

from pathlib import Path
from typing import Any

import structlog

from services.chassis.clock import Clock
from services.chassis.file_versions import FileVersion, version_of
from services.chassis.refusals import Refusal
from services.console.web.sessions import Seal

_log = structlog.get_logger(__name__)


class FileSeal(Seal):
    """Seals with the keys that a file holds at the moment, one a line."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """Raises Refusal (precondition, SESSION_KEYS_WRONG) and OSError."""
        self._path = path
        # Before it is read: what is written meanwhile is another version, and read again.
        self._version: FileVersion | None = version_of(path)
        super().__init__(_keys_in(path), clock)

    def seal(self, purpose: str, content: Any, *, is_packed: bool = False) -> str:
        """As Seal does, with the first key of now."""
        self._follow()
        return super().seal(purpose, content, is_packed=is_packed)

    def open(self, purpose: str, sealed: str, at_most_seconds: int | None = None) -> Any:
        """As Seal does, with the keys of now."""
        self._follow()
        return super().open(purpose, sealed, at_most_seconds)

    def _follow(self) -> None:
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self.use(_keys_in(self._path))
        except (OSError, Refusal) as error:
            _log.error("the session keys are wrong; those from before hold on", fault=type(error).__name__)
            return
        _log.info("the session keys of the file hold from now on")


def _version(path: Path) -> FileVersion | None:
    """None where there is nothing."""
    try:
        return version_of(path)
    except OSError:
        return None


def _keys_in(path: Path) -> list[bytes]:
    lines = (line.strip() for line in path.read_bytes().splitlines())
    return [line for line in lines if line]
