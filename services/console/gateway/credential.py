"""The token by which a gateway without a certificate says who it is, in a file that Envoy watches.

It is renewed long before it ends; between two tokens the one before is still good.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from services.chassis.refusals import Refusal
from services.chassis.whole_files import sync_folder, write_file

NAME = "gateway"
"""The service that it says it is."""
RENEW_EVERY_SECONDS = 60.0
"""A minter's token is good for half of its lifetime at least, which is minutes."""


class CredentialFile:
    """One file of secrets (SDS), 0600."""

    def __init__(self, path: Path, token: Callable[[], str], report: Callable[[str], None]) -> None:
        """`token` gives one that is valid now; `report` is told where none could be written."""
        self._path = path
        self._token = token
        self._report = report
        self._written = ""

    def write(self) -> None:
        """Writes the token of now, unless it is there; whole or not at all, by a move, which Envoy sees.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE) and OSError.
        """
        token = self._token()
        if token == self._written:
            return
        content = json.dumps({"resources": [secret(token)]}).encode()
        write_file(self._path, content, 0o600, self._path.with_name(f".{self._path.name}.draft"))
        sync_folder(self._path.parent)
        self._written = token

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[Path]:
        """The file, renewed while the context is open. Raises as `write`."""
        self.write()
        renewing = asyncio.create_task(self.keep(), name="gateway-token")
        try:
            yield self._path
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def keep(self) -> None:
        """Renews it until it is cancelled; a failure is reported, and tried again."""
        while True:
            await asyncio.sleep(RENEW_EVERY_SECONDS)
            try:
                self.write()
            except (OSError, Refusal) as error:
                self._report(f"The gateway's token could not be renewed ({error}); trying again.")


def secret(token: str) -> dict[str, object]:
    """The secret "credential" as Envoy reads it."""
    return {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": "credential",
        "generic_secret": {"secret": {"inline_string": f"Bearer {token}"}},
    }
