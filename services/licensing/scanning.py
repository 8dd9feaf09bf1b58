"""The scanner: finds what withdrawals take back, and writes it with how far it has scanned (W1, W5).

Nothing can be missed: the fence stood at the withdrawal or past it, committed, before the look began, so
every release on an answer from before it had committed by then and is found. Nothing is doubled: what was
found is written together with the move of `scanned`, if that still stands where the look began.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Protocol, TypeVar

import numpy as np
import structlog

from services.chassis.clock import Clock
from services.licensing.domain.answers import Revision
from services.licensing.domain.posts import Ids
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.recalls.entries import Found, Taking, parts_of
from services.licensing.domain.recalls.rechecks import Recheck
from services.licensing.domain.recalls.releases import Cargo, Release, is_reached, keys_of, taken_back
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.domain.released import KeyKind
from services.licensing.recalls import (
    AFTER_FAULT_SECONDS,
    PAUSE_SECONDS,
    Collecting,
    Positions,
    log_fault,
    recall_for,
)

WITHDRAWALS_AT_ONCE = 500
"""In one transaction, so that decisions do not wait long behind it."""
DECISIONS_AT_ONCE = 5_000
"""Releases that the withdrawals of one transaction lie in, all in all; one withdrawal alone may have more."""
READ_AT_ONCE = 50
"""Releases that are in memory together; of 10,000 posts each they are some 25 MB."""

T = TypeVar("T")

_log = structlog.get_logger("scanner")


class Rows(Collecting, Protocol):
    """Recalls and positions inside one transaction."""

    def lock_head(self) -> int: ...
    def positions(self) -> Positions: ...
    def move_scanned(self, start: Revision, to: Revision) -> bool: ...
    def last_number(self) -> int: ...
    def receivers(self) -> Sequence[str]: ...
    def add_parts(self, takings: Sequence[Taking], recall_id: str | None) -> None: ...
    def add_recheck(self, recheck: Recheck) -> None: ...


class Store(Protocol):
    """Where recalls and releases are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...
    async def find(self, kind: KeyKind, keys: Ids) -> Sequence[Sequence[int]]: ...
    async def releases(self, numbers: Sequence[int]) -> Mapping[int, Release]: ...
    async def cargoes(self, numbers: Sequence[int]) -> Mapping[int, Cargo]: ...


class Scanner:
    """Scans until it is cancelled."""

    name = "scanner"

    def __init__(
        self,
        store: Store,
        backlog: Backlog,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        new_withdrawal_id: Callable[[], str],
    ) -> None:
        """`new_id` gives ids of recalls; `new_withdrawal_id` random ones, which tell no time (W2)."""
        self._store = store
        self._backlog = backlog
        self._clock = clock
        self._new_id = new_id
        self._new_withdrawal_id = new_withdrawal_id

    async def run(self) -> None:
        """Scans what comes into hand."""
        while True:
            await self._backlog.in_hand.wait()
            try:
                rest_seconds = 0 if await self.scan() else PAUSE_SECONDS
            except Exception as error:
                log_fault(_log, "withdrawals cannot be scanned", error)
                rest_seconds = AFTER_FAULT_SECONDS
            await asyncio.sleep(rest_seconds)

    async def scan(self) -> bool:
        """One page; whether there was any. Raises what the database and the release index raise."""
        at = await self._store.read(lambda rows: rows.positions())
        self._backlog.drop(at.scanned)
        waiting = self._backlog.page(at.scanned, at.fence, WITHDRAWALS_AT_ONCE)
        if not waiting:
            return False
        numbers = await self._numbers(waiting)
        page = waiting[: _fitting([len(numbers[each]) for each in waiting])]
        takings = await self._taken(page, numbers)
        asked = [each for each in page if each.needs_recheck]
        await self._store.write(
            lambda rows: self._record(rows, at.scanned, page[-1].revision, takings, asked)
        )
        return True

    async def _numbers(self, page: Sequence[Withdrawal]) -> dict[Withdrawal, set[int]]:
        """The decisions that each withdrawal may take something back of; snapshots after the fence moved."""
        keys = sorted({key for withdrawal in page for key in keys_of(withdrawal)})
        found: dict[tuple[KeyKind, int], Sequence[int]] = {}
        for kind in {kind for kind, _ in keys}:
            theirs = [key for of_kind, key in keys if of_kind is kind]
            numbers = await self._store.find(kind, np.array(theirs, np.uint64))
            found.update({(kind, key): some for key, some in zip(theirs, numbers, strict=True)})
        return {each: {number for key in keys_of(each) for number in found[key]} for each in page}

    async def _taken(
        self, page: Sequence[Withdrawal], numbers: Mapping[Withdrawal, set[int]]
    ) -> list[Taking]:
        wanted = defaultdict(list)
        for withdrawal in page:
            for number in numbers[withdrawal]:
                wanted[number].append(withdrawal)
        found: defaultdict[tuple[Withdrawal, str], list[tuple[Release, Found]]] = defaultdict(list)
        ordered = sorted(wanted)
        for first in range(0, len(ordered), READ_AT_ONCE):
            some = ordered[first : first + READ_AT_ONCE]
            for withdrawal, release, one in await self._look_into(some, wanted):
                found[withdrawal, release.licensee_id].append((release, one))
        return [self._taking(*whose, theirs) for whose, theirs in found.items()]

    async def _look_into(
        self, numbers: Sequence[int], wanted: Mapping[int, Sequence[Withdrawal]]
    ) -> list[tuple[Withdrawal, Release, Found]]:
        releases = await self._store.releases(numbers)
        reached = {
            number: [withdrawal for withdrawal in wanted[number] if is_reached(withdrawal, release)]
            for number, release in releases.items()
        }
        cargoes = await self._store.cargoes([number for number, by in reached.items() if by])
        return [
            (withdrawal, releases[number], found)
            for number, cargo in cargoes.items()
            for withdrawal in reached[number]
            if (found := taken_back(withdrawal, releases[number], cargo)) is not None
        ]

    def _taking(
        self, withdrawal: Withdrawal, licensee_id: str, found: Iterable[tuple[Release, Found]]
    ) -> Taking:
        releases, some = zip(*found, strict=True)
        licenses = frozenset((release.license_id, release.license_version) for release in releases)
        parts = list(parts_of(some))
        return Taking(withdrawal, licensee_id, self._new_withdrawal_id(), parts, licenses)

    def _record(
        self,
        rows: Rows,
        start: Revision,
        to: Revision,
        takings: Sequence[Taking],
        asked: Sequence[Withdrawal],
    ) -> None:
        rows.lock_head()
        if not rows.move_scanned(start, to):
            return  # another process was first, and has written the same
        now_us = self._clock.now_us()
        # All of a licensee in a few statements: decisions wait for as long as this takes.
        for licensee_id in sorted({taking.licensee_id for taking in takings}):
            theirs = [taking for taking in takings if taking.licensee_id == licensee_id]
            rows.add_parts(theirs, recall_for(rows, licensee_id, theirs, self._new_id, now_us))
        for withdrawal in asked:
            self._begin_rechecks(rows, withdrawal)

    def _begin_rechecks(self, rows: Rows, withdrawal: Withdrawal) -> None:
        # What is numbered from here on rests on an answer from after it: the fence has moved.
        until = rows.last_number()
        for licensee_id in rows.receivers():
            if withdrawal.licensee_id in {"", licensee_id}:
                rows.add_recheck(Recheck.begun(withdrawal, licensee_id, self._new_withdrawal_id(), until))


def _fitting(decisions: Sequence[int]) -> int:
    """How many withdrawals, one at least, lie in so many decisions together; one number each."""
    return max(1, sum(total <= DECISIONS_AT_ONCE for total in accumulate(decisions)))
