"""A page as it is served: announced, bounded, and ended without losing what runs."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp

from services.chassis.refusals import Refusal
from services.console.web.answered import Answered
from services.console.web.punctual import Punctual
from services.console.web.serving import HEADER_BYTES, serve
from services.console.web.settings import PageSettings
from tests.support.telemetry import recording
from tests.support.waiting import PATIENCE_SECONDS, until


@dataclass
class Slow:
    """A page that answers once it is let."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Whoever asked for what has no end has gone."""
    closed: bool = False
    origin: str = ""

    def build(self, origin: str) -> ASGIApp:
        """The application."""
        self.origin = origin

        @contextlib.asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            yield
            self.closed = True

        app = FastAPI(lifespan=lifespan)

        @app.get("/quick")
        async def quick() -> PlainTextResponse:
            return PlainTextResponse("quick")

        @app.get("/slow")
        async def slow() -> PlainTextResponse:
            self.asked.set()
            await self.let.wait()
            return PlainTextResponse("slow")

        @app.get("/endless")
        async def endless() -> StreamingResponse:
            return StreamingResponse(self._parts())

        return Answered(app)

    async def _parts(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65_536
                # As whatever gives parts of an answer waits for them: others have their turn.
                await asyncio.sleep(0)
        finally:
            self.left.set()


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path) -> Iterator[None]:
    """What serving does to the logs of this process is undone."""
    with recording(tmp_path / "spans.jsonl"):
        yield


@contextlib.asynccontextmanager
async def served(page: Slow, folder: Path, **settings: Any) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """The page at its address, and what runs it; ended by SIGTERM, unless that was sent before."""
    announced = folder / "page.addr"
    usual = {"session_keys": "unused", "announce_path": announced, "traces_path": folder / "page.jsonl"}
    serving = asyncio.create_task(
        serve("page", PageSettings.model_validate({**usual, **settings}), page.build)
    )
    await until(lambda: announced.exists() or serving.done(), "it is announced")
    try:
        yield f"http://{announced.read_text(encoding='ascii').strip()}", serving
    finally:
        page.let.set()
        if not serving.done():
            os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await serving


async def test_told_to_stop_it_takes_nothing_more_finishes_what_runs_and_closes(tmp_path: Path) -> None:
    page = Slow()

    async with served(page, tmp_path) as (address, serving), httpx.AsyncClient(timeout=30) as client:
        running = asyncio.create_task(client.get(f"{address}/slow"))
        await page.asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: is_closed(address), "it takes no more")
        ran_on = not serving.done()
        page.let.set()
        answer = await running
        await serving

    assert page.origin == address
    assert ran_on
    assert (answer.status_code, answer.text) == (200, "slow")
    assert page.closed


async def test_what_does_not_finish_in_time_is_not_waited_for(tmp_path: Path) -> None:
    page = Slow()

    async with (
        served(page, tmp_path, drain_seconds=0) as (address, serving),
        httpx.AsyncClient(timeout=30) as client,
    ):
        running = asyncio.create_task(client.get(f"{address}/slow"))
        await page.asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await serving
        [ended] = await asyncio.gather(running, return_exceptions=True)

    assert isinstance(ended, httpx.Response)
    assert ended.status_code == 500
    assert ended.text == "This did not work. It is not known whether anything was changed.\n"


async def test_connections_that_ask_nothing_keep_nobody_out(tmp_path: Path) -> None:
    async with (
        served(Slow(), tmp_path, max_connections=5) as (address, _),
        contextlib.AsyncExitStack() as idle,
    ):
        url = httpx.URL(address)
        for _ in range(20):
            connection = await asyncio.open_connection(url.host, url.port)
            idle.callback(connection[1].close)
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.get(f"{address}/quick")

    assert answer.text == "quick"


async def test_a_request_that_does_not_come_to_the_end_of_its_header_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Punctual, "header_seconds", 0.05)

    async with served(Slow(), tmp_path) as (address, _):
        url = httpx.URL(address)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"GET /quick HTTP/1.1\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            # An end, or that it was cut off.
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


async def test_an_answer_that_nobody_reads_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Punctual, "read_seconds", 0.05)
    page = Slow()

    async with served(page, tmp_path) as (address, _):
        url = httpx.URL(address)
        _, writer = await asyncio.open_connection(url.host, url.port, limit=1)
        writer.write(f"GET /endless HTTP/1.1\r\nhost: {url.netloc.decode()}\r\n\r\n".encode())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await page.left.wait()
        writer.close()


async def test_headers_have_an_end(tmp_path: Path) -> None:
    async with served(Slow(), tmp_path) as (address, _), httpx.AsyncClient(timeout=30) as client:
        most = await client.get(f"{address}/quick", headers={"cookie": "a" * (HEADER_BYTES // 2)})
        more = await client.get(f"{address}/quick", headers={"cookie": "a" * (HEADER_BYTES * 4)})

    assert (most.status_code, more.status_code) == (200, 400)


async def test_it_does_not_say_what_it_is_made_of(
    tmp_path: Path,
) -> None:
    async with served(Slow(), tmp_path) as (address, _), httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(f"{address}/quick")

    assert "server" not in answer.headers


async def test_an_address_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = PageSettings.model_validate(
            {"session_keys": "unused", "listen": listen, "traces_path": tmp_path / "page.jsonl"}
        )

        with pytest.raises(Refusal) as refused:
            await serve("page", settings, Slow().build)

    assert refused.value.reason == "ADDRESS_IN_USE"


def is_closed(address: str) -> bool:
    """Whether nobody listens there any more."""
    url = httpx.URL(address)
    try:
        socket.create_connection((url.host, url.port or 80), timeout=1).close()
    except OSError:
        return True
    return False
