"""The scanner: finds what withdrawals take back, and writes it with how far it has scanned (W1, W5).

Nothing can be missed: the fence stood at the withdrawal or past it, committed, before the look began, so
every release on an answer from before it had committed by then and is found. Nothing is doubled: what was
found is written together with the move of `scanned`, if that still stands where the look began.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import groupby
from typing import Protocol, TypeVar

import numpy as np
import structlog

from services.chassis.clock import Clock
from services.licensing.domain.answers import Revision
from services.licensing.domain.posts import Ids
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.recalls.entries import Counted, Found, Taking, counted, parts_of
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

WITHDRAWALS_AT_ONCE = 1_000
"""In one transaction, so that decisions do not wait long behind it."""
RELEASES_AT_ONCE = 20_000
"""That the withdrawals of one transaction lie in, each once, for it is read once. One withdrawal alone
may lie in more of them, and in more places."""
PLACES_AT_ONCE = 100_000
"""Withdrawals and releases that go together in one transaction: about as much is written."""
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
    def add_rechecks(self, rechecks: Sequence[Recheck]) -> None: ...


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
        self._at_once = WITHDRAWALS_AT_ONCE

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
        waiting = self._backlog.page(at.scanned, at.fence, self._at_once)
        if not waiting:
            return False
        numbers = await self._numbers(waiting)
        page = waiting[: _fitting([numbers[each] for each in waiting])]
        # What did not fit is looked up again: so not many more the next time.
        self._at_once = min(2 * len(page), WITHDRAWALS_AT_ONCE)
        takings = await self._taken(page, numbers)
        rechecks = await self._rechecks([each for each in page if each.needs_recheck])
        # Sorted and counted before the head is locked: decisions wait for as long as that is.
        by_licensee = {key: list(theirs) for key, theirs in groupby(sorted(takings, key=_whose), _whose)}
        found = [(key, theirs, counted(theirs)) for key, theirs in by_licensee.items()]
        await self._store.write(
            lambda rows: self._record(rows, at.scanned, page[-1].revision, found, rechecks)
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
            for withdrawal, found in taken_back(reached[number], releases[number], cargo)
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
        found: Sequence[tuple[str, Sequence[Taking], Counted]],
        rechecks: Sequence[Recheck],
    ) -> None:
        rows.lock_head()
        if not rows.move_scanned(start, to):
            return  # another process was first, and has written the same
        now_us = self._clock.now_us()
        # All of a licensee in a few statements: decisions wait for as long as this takes.
        for licensee_id, takings, theirs in found:
            recall_id = recall_for(rows, licensee_id, self._new_id, now_us)
            rows.extend(recall_id, theirs)
            rows.add_parts(takings, recall_id)
        rows.add_rechecks(rechecks)

    async def _rechecks(self, asked: Sequence[Withdrawal]) -> list[Recheck]:
        """Those that begin; the fence has moved, so that releases after this look rest on later answers."""
        if not asked:
            return []
        until, receivers = await self._store.read(lambda rows: (rows.last_number(), rows.receivers()))
        return [
            Recheck.begun(withdrawal, licensee_id, self._new_withdrawal_id(), until)
            for withdrawal in asked
            for licensee_id in receivers
            if withdrawal.licensee_id in {"", licensee_id}
        ]


def _whose(taking: Taking) -> str:
    return taking.licensee_id


def _fitting(numbers: Sequence[Set[int]]) -> int:
    """How many withdrawals, one at least, fit into a transaction; for each the releases that it lies in."""
    releases, places = set[int](), 0
    for index, theirs in enumerate(numbers):
        releases |= theirs
        places += len(theirs)
        if index and (len(releases) > RELEASES_AT_ONCE or places > PLACES_AT_ONCE):
            return index
    return len(numbers)
