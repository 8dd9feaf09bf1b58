"""An application of pages on a port of this machine, as `serving` serves it, for a real browser."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.types import ASGIApp

from services.console.web.serving import config
from services.console.web.settings import PageSettings


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then says so."""
        await super().startup(sockets)
        self.serves.set()


@contextlib.asynccontextmanager
async def served(build: Callable[[str], ASGIApp]) -> AsyncIterator[str]:
    """Serves what `build` makes of the origin, and gives that."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = PageSettings.model_validate({"session_keys": "unused"})
        server = _Server(config(build(origin), settings))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await server.serves.wait()
            yield origin
        finally:
            server.should_exit = True
            await serving
