"""Runs a page from the bound port to the drained end.

Being told to stop (SIGTERM, SIGINT) loses no request: nothing more is taken, what runs is finished, and the
process ends with 0.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from starlette.types import ASGIApp

from services.chassis.addresses import parse_address
from services.chassis.announcements import announce
from services.chassis.refusals import address_in_use
from services.chassis.telemetry import start_telemetry
from services.console.web.punctual import Punctual
from services.console.web.settings import PageSettings
from services.console.web.watched import Watched

HEADER_BYTES = 32 * 1024
"""Of one request; the longest session takes half of it (`session_cookies`), and other cookies an eighth."""

_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """uvicorn, which says when it serves and leaves signals to us: by itself it ends as if killed by them."""

    def __init__(self, config: uvicorn.Config, announced: Callable[[], None]) -> None:
        super().__init__(config)
        self._announced = announced

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then says so."""
        await super().startup(sockets)
        self._announced()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Has SIGTERM and SIGINT end it in an orderly way."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        _log.info("draining")
        self.should_exit = True


async def serve(name: str, settings: PageSettings, build: Callable[[str], ASGIApp]) -> None:
    """Serves until SIGTERM or SIGINT, drains, flushes traces and returns.

    `build` makes the application, given the origin by which browsers know it. Raises Refusal (precondition):
    ADDRESS_IN_USE, PUBLIC_URL_MISSING, and what `build` raises.
    """
    telemetry = start_telemetry(name, settings)
    # It reports every request that it makes, with the address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with bound(settings.listen) as listening:
            address = address_of(listening)
            app = Watched(build(settings.origin(address)))

            def announced() -> None:
                announce(settings.announce_path, address)
                _log.info("serving", address=address)

            await _Server(config(app, settings), announced).serve(sockets=[listening])
    finally:
        await asyncio.to_thread(telemetry.shutdown)


def config(app: ASGIApp, settings: PageSettings) -> uvicorn.Config:
    """uvicorn's, with our limits and logs; what proxies say of callers is not asked for."""
    return uvicorn.Config(
        app,
        http=Punctual,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        log_level="WARNING",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.drain_seconds,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )


def bound(listen: str) -> socket.socket:
    """A socket that listens at host:port; raises Refusal (precondition, ADDRESS_IN_USE)."""
    host, port = parse_address(listen)
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise address_in_use(listen) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
    except OSError as error:
        listening.close()
        raise address_in_use(listen) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """host:port, an IPv6 host in brackets."""
    host, port, *_ = listening.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
