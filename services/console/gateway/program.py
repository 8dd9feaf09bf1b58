"""The gateway as a program for the supervisor: Envoy, configured anew at each start."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.announcements import announce
from services.chassis.file_versions import FileVersion, version_of
from services.console.answering import answers
from services.console.gateway.binary import envoy_binary
from services.console.gateway.rendering import render
from services.console.gateway.values import Values
from services.console.installation import StateFolder

NAME = "gateway"
POLL_SECONDS = 0.05
KEYS_EVERY_SECONDS = 1.0


@dataclass
class GatewayProgram:
    """One Envoy of a local installation."""

    state: StateFolder
    values: Callable[[], Values]
    """Asked at every start: where the services are is known once they run."""
    address: str
    """host:port."""
    needs: frozenset[str]
    """The services that it leads to: it is drained before them."""
    name: str = field(default=NAME, init=False)
    _keys: list[FileVersion] | None = field(default=None, init=False)
    """Which public keys it was started with, by file."""

    @property
    def log(self) -> Path:
        """In the state folder."""
        return self.state.log(NAME)

    def command(self) -> Sequence[str]:
        """Envoy on a leash, with a configuration of now; raises Refusal (precondition, ENVOY_MISSING)."""
        binary, values = envoy_binary(), self.values()
        self._keys = _keys_of(values)
        config = self.state.gateway_config().resolve()
        config.write_text(render(values), encoding="utf-8")
        launch = [sys.executable, "-P", "-m", "services.console.leash", str(os.getpid())]
        options = ["--concurrency", "1", "--use-dynamic-base-id", "--disable-hot-restart", "-l", "warning"]
        running = ["services.console.gateway.running", str(config.parent)]
        return [*launch, *running, str(binary), "-c", str(config), *options]

    def environment(self) -> Mapping[str, str]:
        """What Python needs to find its modules; Envoy reads none of it."""
        imports = os.pathsep.join(path for path in sys.path if path)
        return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": imports}

    async def ready(self) -> None:
        """Waits until it answers for itself, and says where for whoever uses this folder."""
        while True:
            if await asyncio.to_thread(answers, self.address):
                announce(self.state.announcement(NAME), self.address)
                return
            await asyncio.sleep(POLL_SECONDS)

    async def outdated(self) -> None:
        """Waits until the public keys are others than those it was started with: it reads them only once."""
        values = self.values()
        while True:
            # A file that is just being replaced is looked at the next time.
            with contextlib.suppress(FileNotFoundError):
                if self._keys is not None and _keys_of(values) != self._keys:
                    return
            await asyncio.sleep(KEYS_EVERY_SECONDS)


def _keys_of(values: Values) -> list[FileVersion]:
    """Which keys are in the files of our own and of other issuers."""
    return [version_of(file) for file in (values.jwks, *(each.jwks_file for each in values.issuers)) if file]
