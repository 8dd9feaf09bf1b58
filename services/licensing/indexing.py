"""Keeps the release index in step with the ledger, beside the calls.

A decision never waits for this. Lookups are exact however far behind it is, but a lookup that would have to
read too much is refused: whoever must not miss anything asks again until it is answered.
"""

import asyncio
from typing import Protocol

import structlog

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey

EVERY_SECONDS = 1.0
"""Between looks when there is nothing to do: a few decisions then, which a lookup looks through by itself."""
BETWEEN_SECONDS = 0.01
"""Between steps while there is more to do: changes of others wait for the same writer, and come first."""
LOOKS_A_ROUND = 10
"""Looks for new decisions alone after one that found nothing to do; then for all sorts of work again, which
another process may have left when it died."""
AFTER_FAULT_SECONDS = 10.0

_log = structlog.get_logger("release index")


class Index(Protocol):
    """The index, as it is stored. Any process may make any step."""

    async def add_next(self, *, also_few: bool) -> bool:
        """Adds the next decisions, if there are many or `also_few`; whether it has."""
        ...

    async def merge_some(self) -> bool:
        """Brings merges forward; whether there was any."""
        ...

    async def remove_some(self) -> bool:
        """Removes some of what was merged; whether there was any."""
        ...

    async def drop(self, key: ReplayKey, now_us: int) -> int:
        """Has it made anew, once for each key; the receipt number up to which it will be made."""
        ...


class Indexing:
    """Adds what is new, for as long as the service runs."""

    name = "release index"

    def __init__(self, index: Index) -> None:
        self._index = index
        # Few decisions are added after a rest only: while a long merge goes on, each that comes would become
        # a segment of its own, which are all to be merged again.
        self._has_rested = True
        self._idle_looks = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            rest_seconds = await self._look()
            await asyncio.sleep(rest_seconds)

    async def advance(self, *, also_few: bool = True) -> bool:
        """Takes a step of each sort; whether there may be more to do. Raises what the index raises."""
        # Each time all of them: a backlog must not keep what is there from being merged and removed.
        steps = [
            await self._index.add_next(also_few=also_few),
            await self._index.merge_some(),
            await self._index.remove_some(),
        ]
        return any(steps)

    async def _look(self) -> float:
        """Does some; how many seconds to rest before the next look."""
        also_few, self._has_rested = self._has_rested, False
        try:
            if self._idle_looks % LOOKS_A_ROUND:
                more = await self._index.add_next(also_few=also_few)
            else:
                more = await self.advance(also_few=also_few)
            self._idle_looks = 0 if more else self._idle_looks + 1
            return self._rest_after(more)
        except Refusal as refusal:
            _log.warning("releases cannot be indexed", reason=refusal.reason)
            return EVERY_SECONDS
        except Exception:
            # Decisions do without the index, and who needs it is refused: no reason to end the process.
            _log.exception("releases cannot be indexed")
            return AFTER_FAULT_SECONDS

    def _rest_after(self, more: bool) -> float:
        self._has_rested = not more
        return BETWEEN_SECONDS if more else EVERY_SECONDS
