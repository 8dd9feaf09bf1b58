"""Links that sign somebody in once: how people get into the pages of a local installation.

A link holds a random code. The token lies in a file of the installation, named by the digest of the code, and
is gone when somebody has come in by it; whoever can write there could mint the token as well.
"""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.chassis.clock import Clock
from services.chassis.refusals import not_found

GOOD_FOR_US = 3_600_000_000
"""An hour, in microseconds; then the link leads nowhere."""


@dataclass(frozen=True)
class Links:
    """The links that wait in a folder."""

    folder: Path
    clock: Clock

    def make(self, token: str) -> str:
        """A code that gives the token once."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._drop_ended()
        code = secrets.token_urlsafe(24)
        file = self._file(code)
        file.touch(mode=0o600)
        file.write_text(json.dumps({"token": token, "until_us": self.clock.now_us() + GOOD_FOR_US}))
        return code

    @contextlib.contextmanager
    def taking(self, code: str) -> Iterator[str]:
        """The token, for the first who asks; raises Refusal (not found, LINK_USED).

        The link is used up when the block ends, and as it was when that raises: nobody has come in by it.
        """
        file, taken = self._file(code), self.folder / f"{secrets.token_hex(8)}.taken"
        try:
            # Of two who ask at once one moves it.
            file.rename(taken)
        except FileNotFoundError:
            raise _used() from None
        token = self._token(taken)
        try:
            yield token
        except BaseException:
            taken.rename(file)
            raise
        taken.unlink()

    def _token(self, taken: Path) -> str:
        content = json.loads(taken.read_text())
        if content["until_us"] <= self.clock.now_us():
            taken.unlink()
            raise _used()
        token: str = content["token"]
        return token

    def _drop_ended(self) -> None:
        """Removes links that nobody followed, and what a process that died has left of one."""
        for file in self.folder.iterdir():
            # Another may follow or remove it at the same time.
            with contextlib.suppress(FileNotFoundError, ValueError):
                if json.loads(file.read_text())["until_us"] <= self.clock.now_us():
                    file.unlink()

    def _file(self, code: str) -> Path:
        return self.folder / f"{hashlib.sha256(code.encode()).hexdigest()}.json"


def _used() -> Exception:
    return not_found("LINK_USED", "the link was used before, or has ended")
