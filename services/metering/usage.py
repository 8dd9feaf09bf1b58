"""Looks up what was counted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.refusals import exhausted, invalid
from services.metering.domain.allowances import Account
from services.metering.domain.peaks import Ints, Peak, equal_parts
from services.metering.domain.reservations import Access, Revision, Wanted
from services.metering.domain.rooms import RoomsNow
from services.metering.domain.usage import Absence, Usage

GAVE_CONTENT = (int(Access.VIEW), int(Access.ACCESS))
BEGINNING_US = -1
"""Before every time that counts."""
PEAKS_AT_ONCE = 1
"""Looks for peaks that read at the same time: they may take long, and other readers are for what does not."""
PEAKS_WAITING = 16
"""Looks for peaks that read or wait: who comes when it is so many would not get an answer in time."""
RETRY_PEAKS_AFTER_US = 1_000_000


class Records(Protocol):
    """Where it is looked up; each answer is of one moment."""

    async def usage(self, whose: Account, since_us: int, until_us: int) -> tuple[Usage, Revision]:
        """What was counted in (since, until]."""
        ...

    async def absence(self, whose: Account, until_us: int) -> Absence:
        """What is on record up to a time, though nothing was counted after it."""
        ...

    async def fullest(
        self, whose: Account, accesses: Sequence[int], window_us: int, bounds_us: Ints
    ) -> tuple[list[Peak], Revision]:
        """The fullest windows that end in each part (bounds[i], bounds[i + 1]]."""
        ...

    async def rooms(self, asked: Sequence[Wanted], now_us: int) -> tuple[list[RoomsNow], Revision]:
        """How the allowances of each stand, in their order."""
        ...

    async def first_us(self, whose: Account, until_us: int) -> int | None:
        """When the first entry counts that does so up to a time; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What was counted in a stretch of time."""

    usage: Usage
    until_us: int
    revision: Revision
    absence: Absence | None
    """Where nothing was counted."""


class UsageDesk:
    """Answers what was counted."""

    def __init__(self, records: Records, now_us: Callable[[], int]) -> None:
        self._records = records
        self._now_us = now_us
        self._turns = asyncio.Semaphore(PEAKS_AT_ONCE)
        self._taken = 0

    async def usage(self, whose: Account, since_us: int | None, until_us: int | None) -> Found:
        """What was counted in (since, until]. Raises Refusal STRETCH_EMPTY."""
        since_us, until_us = self._stretch(since_us, until_us)
        usage, revision = await self._records.usage(whose, since_us, until_us)
        absence = None if usage else await self._records.absence(whose, since_us)
        return Found(usage, until_us, revision, absence)

    async def rooms(self, asked: Sequence[Wanted]) -> tuple[list[RoomsNow], Revision]:
        """How the allowances of each stand now, in their order."""
        return await self._records.rooms(asked, self._now_us())

    async def peaks(
        self,
        whose: Account,
        window_us: int,
        since_us: int | None,
        until_us: int | None,
        *,
        parts: int = 1,
        accesses: Sequence[int] = GAVE_CONTENT,
    ) -> tuple[list[Peak], Revision]:
        """The fullest windows that end in each of so many parts of (since, until].

        None where there is no beginning. Raises Refusal STRETCH_EMPTY, OVERLOADED.
        """
        begin_us, until_us = self._stretch(since_us, until_us)
        if since_us is None:
            first_us = await self._records.first_us(whose, until_us)
            if first_us is None:
                return [], (await self._records.usage(whose, BEGINNING_US, BEGINNING_US))[1]
            begin_us = first_us - 1
        bounds = equal_parts(begin_us, until_us, parts)
        async with self._turn():
            return await self._records.fullest(whose, accesses, window_us, bounds)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Waits for a turn to look for peaks; raises Refusal OVERLOADED where too many wait."""
        if self._taken >= PEAKS_WAITING:
            message = "too many look for the fullest window at once"
            raise exhausted("OVERLOADED", message, retry_after_us=RETRY_PEAKS_AFTER_US)
        self._taken += 1
        try:
            async with self._turns:
                yield
        finally:
            self._taken -= 1

    def _stretch(self, since_us: int | None, until_us: int | None) -> tuple[int, int]:
        since_us = BEGINNING_US if since_us is None else since_us
        until_us = self._now_us() if until_us is None else until_us
        if since_us >= until_us:
            raise invalid("STRETCH_EMPTY", "since lies before until", field="since")
        return since_us, until_us
