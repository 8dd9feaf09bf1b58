"""Connections that ask nothing, or read nothing, at a clock that is turned by hand."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from services.console.web.punctual import HEADER_SECONDS, LEAST_READ, READ_SECONDS, Punctual

REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


class Loop:
    """An event loop's clock and its timers."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._number = itertools.count()
        self.tasks: list[Any] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, callback: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        real = asyncio.get_running_loop()
        handle = asyncio.TimerHandle(self.now + seconds, callback, args, real)
        heapq.heappush(self._due, (self.now + seconds, next(self._number), handle))
        return handle

    def create_task(self, running: Any) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(running)
        self.tasks.append(task)
        return task

    def turn(self, seconds: float) -> None:
        """Lets time pass."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, handle = heapq.heappop(self._due)
            if not handle.cancelled():
                handle._run()
        self.now = until


class Transport:
    """The other end takes nothing but what a test says."""

    def __init__(self) -> None:
        self.left = 0
        self.is_ended = False
        self.protocol: Punctual

    def get_extra_info(self, _name: str) -> None:
        """Nothing is known."""

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def get_write_buffer_size(self) -> int:
        return self.left

    def write(self, _data: bytes) -> None:
        """Nobody reads it."""

    def pause_reading(self) -> None:
        """Nothing comes anyway."""

    def resume_reading(self) -> None:
        """Nothing comes anyway."""

    def is_closing(self) -> bool:
        return self.is_ended

    def abort(self) -> None:
        if not self.is_ended:
            self.is_ended = True
            self.protocol.connection_lost(None)

    close = abort


class Connections:
    """Connections of one server, which answers when a test lets it."""

    def __init__(self, most: int | None = None) -> None:
        self.loop, self.state, self.let = Loop(), ServerState(), asyncio.Event()
        self._config = uvicorn.Config(
            self._answer, limit_concurrency=most, lifespan="off", log_config=None, interface="asgi3"
        )
        self._config.load()

    async def _answer(self, _scope: Any, _receive: Any, send: Any) -> None:
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    def connect(self) -> tuple[Punctual, Transport]:
        """Another one."""
        loop, transport = cast(asyncio.AbstractEventLoop, self.loop), Transport()
        protocol = Punctual(self._config, self.state, {}, loop)
        transport.protocol = protocol
        protocol.connection_made(cast(asyncio.Transport, transport))
        return protocol, transport

    async def answered(self) -> None:
        """Everything that was asked is answered."""
        self.let.set()
        await asyncio.gather(*self.loop.tasks)


@pytest.mark.parametrize("begun", [b"", REQUEST[:20]])
async def test_a_header_that_does_not_come_to_its_end_is_not_waited_for(begun: bytes) -> None:
    connections = Connections()
    protocol, transport = connections.connect()
    if begun:
        connections.loop.turn(HEADER_SECONDS / 2)
        protocol.data_received(begun)

    connections.loop.turn(HEADER_SECONDS / 2 - 1 if begun else HEADER_SECONDS - 1)
    before = transport.is_ended
    connections.loop.turn(1)

    assert (before, transport.is_ended) == (False, True)


async def test_a_request_that_is_being_answered_takes_what_time_it_takes() -> None:
    connections = Connections()
    protocol, transport = connections.connect()

    protocol.data_received(REQUEST)
    connections.loop.turn(10 * HEADER_SECONDS)

    assert not transport.is_ended
    await connections.answered()


async def test_a_later_request_that_has_begun_comes_to_its_end_as_well() -> None:
    connections = Connections()
    protocol, transport = connections.connect()
    protocol.data_received(REQUEST)
    await connections.answered()

    for letter in (b"G", b"E", b"T"):
        connections.loop.turn(HEADER_SECONDS / 4)
        protocol.data_received(letter)
    connections.loop.turn(HEADER_SECONDS / 2)

    assert transport.is_ended


async def test_an_answer_that_is_not_read_is_not_kept() -> None:
    connections = Connections()
    protocol, transport = connections.connect()
    protocol.data_received(REQUEST)
    transport.left = 10 * LEAST_READ
    protocol.pause_writing()

    connections.loop.turn(READ_SECONDS - 1)
    transport.left -= LEAST_READ - 1
    before = transport.is_ended
    connections.loop.turn(1)

    assert (before, transport.is_ended) == (False, True)
    await connections.answered()


async def test_who_reads_slowly_gets_all_of_it() -> None:
    connections = Connections()
    protocol, transport = connections.connect()
    protocol.data_received(REQUEST)
    transport.left = 10 * LEAST_READ
    protocol.pause_writing()

    for _ in range(9):
        transport.left -= LEAST_READ
        connections.loop.turn(READ_SECONDS)
    protocol.resume_writing()
    connections.loop.turn(2 * READ_SECONDS)

    assert not transport.is_ended
    await connections.answered()


async def test_the_connection_that_has_waited_longest_makes_room_for_another() -> None:
    connections = Connections(most=3)
    busy, _ = connections.connect()
    busy.data_received(REQUEST)
    connections.loop.turn(1)
    _, longest = connections.connect()
    connections.loop.turn(1)
    _, shorter = connections.connect()

    connections.loop.turn(1)
    _, latest = connections.connect()

    assert [each.is_ended for each in (longest, shorter, latest)] == [True, False, False]
    assert len(connections.state.connections) == 3
    await connections.answered()


async def test_where_all_are_being_answered_one_more_finds_no_room() -> None:
    connections = Connections(most=1)
    busy, answering = connections.connect()
    busy.data_received(REQUEST)

    _, latest = connections.connect()

    assert (answering.is_ended, latest.is_ended) == (False, True)
    await connections.answered()
