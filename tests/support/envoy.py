"""The real Envoy in front of servers of a test's own, with the configuration that operators run."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from services.console.gateway.binary import envoy_binary
from services.console.gateway.rendering import render
from services.console.gateway.values import Values
from tests.support.keys import some_keys
from tests.support.ports import HOST, a_free_port
from tests.support.waiting import PATIENCE_SECONDS

NOBODY = f"{HOST}:1"
"""An address at which nothing listens."""


PLENTY = {"calls_a_second": 100_000, "caller_calls_a_second": 100_000, "exports_an_hour": 3_600}
"""More than a test sends."""


def some_values(
    folder: Path, upstreams: Mapping[str, str | Sequence[str]] | None = None, **values: Any
) -> Values:
    """Values of a gateway on a free port, with the keys of the folder; nobody serves what is not named."""
    given = {"consent": NOBODY, "metering": NOBODY, "licensing": NOBODY, **(upstreams or {})}
    usual = {
        "listen": f"{HOST}:{a_free_port()}",
        "jwks": some_keys(folder).token_jwks,
        "access_log": str(folder / "access.jsonl"),
        "limits": PLENTY,
    }
    return Values.model_validate({"upstreams": given, **usual, **values})


class Envoy:
    """One running Envoy."""

    def __init__(self, values: Values, folder: Path) -> None:
        self.address = values.listen
        self.url = f"http://{values.listen}"
        self._tls = values.listen_tls is not None
        self.access_log = Path(values.access_log)
        self.log = folder / "envoy.log"
        config = folder / "envoy.yaml"
        config.write_text(self.config(values), encoding="utf-8")
        options = ["--concurrency", "1", "--use-dynamic-base-id", "--disable-hot-restart", "-l", "warning"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(envoy_binary()), "-c", str(config), *options],
                stdout=log, stderr=subprocess.STDOUT, env={"PATH": os.defpath},
            )  # fmt: skip

    def config(self, values: Values) -> str:
        """What it is started with."""
        return render(values)

    async def ready(self) -> None:
        """Returns when it answers for itself."""
        scheme = "https" if self._tls else "http"
        # Who it is, is not what is asked here.
        async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(verify=False) as client:
            while self._process.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{scheme}://{self.address}/healthz")).is_success:
                        return
                await asyncio.sleep(0.02)
        raise AssertionError(f"Envoy ended:\n{self.log.read_text(encoding='utf-8')}")

    def end(self) -> None:
        """Ends it in order; safe to call again."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE_SECONDS)


@contextlib.asynccontextmanager
async def an_envoy(values: Values, folder: Path) -> AsyncIterator[Envoy]:
    """An Envoy that answers; it ends with the context."""
    envoy = Envoy(values, folder)
    try:
        await envoy.ready()
        yield envoy
    finally:
        envoy.end()
