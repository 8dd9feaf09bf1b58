"""Watches how windows fill: one poll for each window of an account, whoever and however many watch it.

A poll begins with the first watcher and ends with the last. Each is told what has happened since they were
last told, however slowly they take it: nothing is kept for them but the latest look and the fullest window.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Protocol

from services.chassis.refusals import Refusal
from services.metering.domain.allowances import Account
from services.metering.domain.gauges import Gauge, Look, news

_Key = tuple[Account, int]
_GoOn = Callable[[Look | None], Awaitable[Look]]
"""Looks once more, after the look before."""


class Windows(Protocol):
    """Where windows are looked at."""

    async def look(self, account: Account, window_us: int, at_us: int, before: Look | None) -> Look:
        """The window at a time, and what has been counted since the look before; None: the first one."""
        ...


class Watches:
    """Tells watchers how the window of an account stands against their limits."""

    def __init__(self, windows: Windows, now_us: Callable[[], int], *, interval_seconds: float) -> None:
        """`interval_seconds`: how often a watched window is looked at."""
        self._windows = windows
        self._now_us = now_us
        self._interval_seconds = interval_seconds
        self._polls: dict[_Key, _Poll] = {}

    async def watch(self, account: Account, window_us: int, limit: int) -> AsyncGenerator[Gauge]:
        """The window as it stands, and again whenever that has changed; until nobody asks for more.

        Raises Refusal DATABASE_UNAVAILABLE, DATABASE_CLOSED where it cannot be looked at: it is not watched
        on then, whoever asks again begins anew.
        """
        last: Gauge | None = None
        with self._watching((account, window_us)) as watcher:
            while True:
                for gauge in news(last, await watcher.next(), limit):
                    yield gauge
                    last = gauge

    @contextlib.contextmanager
    def _watching(self, key: _Key) -> Iterator["_Watcher"]:
        poll = self._polls.get(key)
        if poll is None or poll.has_ended:
            poll = self._polls[key] = _Poll(self._look_at(key), self._interval_seconds)
        watcher = poll.join()
        try:
            yield watcher
        finally:
            if not poll.leave(watcher) and self._polls.get(key) is poll:
                del self._polls[key]

    def _look_at(self, key: _Key) -> _GoOn:
        async def look(before: Look | None) -> Look:
            return await self._windows.look(*key, self._now_us(), before)

        return look


class _Watcher:
    """What one watcher has still to be told."""

    def __init__(self) -> None:
        self._look: Look | None = None
        self._error: BaseException | None = None
        self._news = asyncio.Event()

    def tell(self, look: Look) -> None:
        self._look = look.after(self._look)
        self._news.set()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._news.set()

    async def next(self) -> Look:
        """The latest look, once there is one that was not taken; raises Refusal, RuntimeError."""
        await self._news.wait()
        if self._error is not None:
            raise _own(self._error) from self._error
        self._news.clear()
        look, self._look = self._look, None
        assert look is not None, "news are a look or an error"
        return look


class _Poll:
    """Looks at one window for as long as somebody watches it."""

    def __init__(self, look: _GoOn, interval_seconds: float) -> None:
        self._look = look
        self._interval_seconds = interval_seconds
        self._watchers: set[_Watcher] = set()
        self._somebody_came = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="watch")
        self._task.add_done_callback(self._tell_end)

    @property
    def has_ended(self) -> bool:
        """Whether it looks no more: whoever comes now needs another one."""
        return self._task.done()

    def join(self) -> _Watcher:
        """Somebody who is told of each look that begins from now on; one does at once."""
        watcher = _Watcher()
        self._watchers.add(watcher)
        self._somebody_came.set()
        return watcher

    def leave(self, watcher: _Watcher) -> bool:
        """Whether others are left; it ends with the last."""
        self._watchers.discard(watcher)
        if not self._watchers:
            self._task.cancel()
        return bool(self._watchers)

    async def _run(self) -> None:
        look: Look | None = None
        while True:
            # Not whoever comes meanwhile: what they know of may be later than what this look sees.
            watchers = list(self._watchers)
            self._somebody_came.clear()
            look = await self._look(look)
            for watcher in watchers:
                watcher.tell(look)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_seconds):
                    await self._somebody_came.wait()

    def _tell_end(self, task: asyncio.Task[None]) -> None:
        """Has whatever ended it raised to everyone who watches; nobody does where it was cancelled."""
        if not task.cancelled() and (error := task.exception()) is not None:
            for watcher in self._watchers:
                watcher.fail(error)


def _own(error: BaseException) -> Exception:
    """The error for one of many that it is raised to: an exception gathers the tracebacks of them all."""
    if isinstance(error, Refusal):
        return Refusal(error.kind, error.reason, error.message, retry_after_us=error.retry_after_us)
    return RuntimeError("the window cannot be looked at")
