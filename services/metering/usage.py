"""Looks up what was counted."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from services.chassis.refusals import invalid
from services.metering.domain.allowances import Account
from services.metering.domain.peaks import Ints, Peak, equal_parts, peaks
from services.metering.domain.reservations import Access, Revision
from services.metering.domain.usage import Usage

GAVE_CONTENT = (int(Access.VIEW), int(Access.ACCESS))
BEGINNING_US = -1
"""Before every time that counts."""


class Records(Protocol):
    """Where it is looked up; each answer is of one moment."""

    async def usage(self, whose: Account, since_us: int, until_us: int) -> tuple[Usage, Revision]:
        """What was counted in (since, until]."""
        ...

    async def moments(
        self, whose: Account, accesses: Sequence[int], since_us: int, until_us: int
    ) -> tuple[tuple[Ints, Ints], Revision]:
        """Times in (since, until], in order, with the posts that count at each."""
        ...

    async def first_us(self, whose: Account, until_us: int) -> int | None:
        """When the first entry counts that does so up to a time; None where there is none."""
        ...


class UsageDesk:
    """Answers what was counted."""

    def __init__(self, records: Records, now_us: Callable[[], int]) -> None:
        self._records = records
        self._now_us = now_us

    async def usage(
        self, whose: Account, since_us: int | None, until_us: int | None
    ) -> tuple[Usage, int, Revision]:
        """What was counted in (since, until], and up to when. Raises Refusal STRETCH_EMPTY."""
        since_us, until_us = self._stretch(since_us, until_us)
        usage, revision = await self._records.usage(whose, since_us, until_us)
        return usage, until_us, revision

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

        None where there is no beginning. Raises Refusal STRETCH_EMPTY.
        """
        begin_us, until_us = self._stretch(since_us, until_us)
        if since_us is None:
            first_us = await self._records.first_us(whose, until_us)
            if first_us is None:
                return [], (await self._records.usage(whose, BEGINNING_US, BEGINNING_US))[1]
            begin_us = first_us - 1
        found, revision = await self._records.moments(whose, accesses, begin_us - window_us, until_us)
        # For somebody's numbers of milliseconds that would be a while.
        bounds = equal_parts(begin_us, until_us, parts)
        return await asyncio.to_thread(peaks, *found, window_us, bounds), revision

    def _stretch(self, since_us: int | None, until_us: int | None) -> tuple[int, int]:
        since_us = BEGINNING_US if since_us is None else since_us
        until_us = self._now_us() if until_us is None else until_us
        if since_us >= until_us:
            raise invalid("STRETCH_EMPTY", "since lies before until", field="since")
        return since_us, until_us
