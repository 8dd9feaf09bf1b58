"""Pages of an import, brought over in their order and each for certain, whatever becomes of the connection.

A page whose answer did not come is sent again with the same request id, so that it counts once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.chassis.refusals import Kind, Refusal
from services.chassis.terms import has_run_out

IN_FLIGHT = 2
"""Pages under way: while one is being recorded the next is read and sent."""
BUSY_TRIES = 100
LOST_TRIES = 8
"""In a row, of a service that is busy, and of one that does not answer: a restart takes a few seconds."""
FIRST_BACKOFF_US = 100_000
LONGEST_BACKOFF_US = 2_000_000

Request = TypeVar("Request")
Request_contra = TypeVar("Request_contra", contravariant=True)
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)
Sleep = Callable[[float], Awaitable[None]]


class Line(Protocol[Request_contra, Answer_co]):
    """Where pages go: each is answered, in order. Every step raises Refusal."""

    async def send(self, request: Request_contra) -> None:
        """Sends a page."""
        ...

    async def receive(self) -> Answer_co:
        """The answer to the oldest page that has none."""
        ...

    async def finish(self) -> None:
        """No page comes any more."""
        ...


@dataclass(frozen=True)
class Page(Generic[Request]):
    """A request, and how far the file was read for it."""

    request: Request
    bytes_read: int


class Courier(Generic[Request, Answer]):
    """Brings pages over."""

    def __init__(
        self,
        open_line: Callable[[], AbstractAsyncContextManager[Line[Request, Answer]]],
        on_answer: Callable[[Page[Request], Answer], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._open_line = open_line
        self._on_answer = on_answer
        self._sleep = sleep
        self._unanswered: deque[Page[Request]] = deque()
        self._failures = 0

    async def deliver(self, pages: Iterator[Page[Request]]) -> None:
        """Returns when every page is answered; raises the Refusal that no patience helps against."""
        while True:
            try:
                async with self._open_line() as line:
                    return await self._deliver_on(line, pages)
            except Refusal as refusal:
                self._failures += not has_run_out(refusal)
                await self._sleep(pause_us(refusal, self._failures) / 1_000_000)

    async def _deliver_on(self, line: Line[Request, Answer], pages: Iterator[Page[Request]]) -> None:
        for page in self._unanswered:
            await line.send(page.request)
        while await self._is_waiting(line, pages):
            answer = await line.receive()
            self._failures = 0
            self._on_answer(self._unanswered.popleft(), answer)
        await line.finish()

    async def _is_waiting(self, line: Line[Request, Answer], pages: Iterator[Page[Request]]) -> bool:
        """Sends as many as may be under way; False when there is nothing left to wait for."""
        while len(self._unanswered) < IN_FLIGHT and (page := next(pages, None)) is not None:
            self._unanswered.append(page)
            await line.send(page.request)
        return bool(self._unanswered)


def pause_us(refusal: Refusal, failures: int) -> int:
    """How long to wait, in microseconds, before the same is sent again after so many failures in a row.

    Raises the refusal itself where that is no use, or has been none for too long.
    """
    if has_run_out(refusal):
        # The next one shows a token that is asked for anew.
        return refusal.retry_after_us or 0
    if refusal.kind is Kind.EXHAUSTED and refusal.retry_after_us is not None and failures < BUSY_TRIES:
        return refusal.retry_after_us
    if refusal.kind is Kind.UNAVAILABLE and failures < LOST_TRIES:
        return refusal.retry_after_us or min(FIRST_BACKOFF_US << failures - 1, LONGEST_BACKOFF_US)
    raise refusal


class Calls(Generic[Request, Answer]):
    """A line over an RPC that takes one page a call."""

    def __init__(self, call: Callable[[Request], Awaitable[Answer]]) -> None:
        self._call = call
        self._sent: deque[Request] = deque()

    async def send(self, request: Request) -> None:
        """Keeps it for `receive`."""
        self._sent.append(request)

    async def receive(self) -> Answer:
        """Calls."""
        return await self._call(self._sent.popleft())

    async def finish(self) -> None:
        """Nothing is open."""
