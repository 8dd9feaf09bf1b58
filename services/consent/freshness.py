"""Keeps answers as fresh as the database: a check learns how far that has come and waits until the index has.

The read of the head starts after the check has arrived; checks that arrive together share one (C9). What
cannot be read cannot be decided: no head, no answer (C10). An index that may have missed a commit gives no
answers until it was read anew, for one wrong answer would be a release.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from services.consent.domain.changes import Change, Contents, Revision
from services.consent.index import Index, View

LONGEST_WAIT_SECONDS = 2.0
"""The index follows a commit within milliseconds; one that has not by then has missed it."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class SharedRead(Generic[T]):
    """One read for all who ask before it starts; whoever asks later gets the next one."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What a read finds that starts after this call; raises what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
            self._next.add_done_callback(_look_at)
        # A caller who goes away takes nothing from the others.
        return await asyncio.shield(self._next)

    async def _run(self) -> T:
        async with self._running:
            self._next = None
            return await self._read()


class Freshness:
    """The index together with what is known about how far behind the database it is."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def trusted(self) -> bool:
        """Whether the index may answer; any thread."""
        return self._index.revision is not None

    async def reach(self, head: Revision) -> View:
        """The index as of `head` or later, as soon as it is.

        Raises Refusal INDEX_STALE when it does not get there; the index is then read anew.
        """
        if not self._has_reached(head):
            try:
                async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                    await self._until(head)
            except TimeoutError:
                _log.error("the index did not reach the head of the database", head=head.number)
                self.distrust()
        return self._index.view()

    def apply(self, change: Change) -> None:
        """Takes a committed change into the index. The database writer's, in the order of commits."""
        try:
            self._index.apply(change)
        except Exception:
            # The choice is durable, so its caller is right to be told so; the index alone is at fault.
            _log.exception("a committed change could not be applied to the index")
            self._index.distrust()
        self._wake()

    def replace(self, contents: Contents) -> None:
        """Starts the index over. The database writer's, in the order of commits."""
        self._index.replace(contents)
        self._wake()

    def distrust(self) -> None:
        """The index may have missed something: no answers until it is replaced. Any thread."""
        self._index.distrust()
        self._wake()

    def _has_reached(self, head: Revision) -> bool:
        """True as well when the index is not to be trusted, for then waiting does not help."""
        revision = self._index.revision
        return revision is None or (revision.epoch == head.epoch and revision.number >= head.number)

    async def _until(self, head: Revision) -> None:
        moved = asyncio.Event()
        waiter = (asyncio.get_running_loop(), moved)
        self._waiting.append(waiter)
        try:
            # Looked at after joining the list: what came before that is seen, what comes later wakes us.
            while not self._has_reached(head):
                await moved.wait()
                moved.clear()
        finally:
            self._waiting.remove(waiter)

    def _wake(self) -> None:
        for loop, moved in tuple(self._waiting):
            loop.call_soon_threadsafe(moved.set)


def _look_at(task: "asyncio.Task[T]") -> None:
    """Marks a failure as seen, for everyone who asked may have gone away."""
    if not task.cancelled():
        task.exception()
