"""The rechecker: asks consent again about what a policy or a halt may take back (W1).

A page of releases at a time and one question a release, so that decisions go on beside it. What was denied
is written together with how far it came, and is put into one recall when all has been asked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import structlog

from services.chassis.clock import Clock
from services.licensing.domain.answers import Revision
from services.licensing.domain.posts import Ids, Mask
from services.licensing.domain.recalls.entries import Found, Taking, parts_of
from services.licensing.domain.recalls.rechecks import Recheck, asked_about, denied_of
from services.licensing.domain.recalls.releases import Cargo, Release
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.domain.released import Contents
from services.licensing.recalls import AFTER_FAULT_SECONDS, Collecting, log_fault, recall_for

RELEASES_AT_ONCE = 20
"""Of one page; of 10,000 posts each they are some 10 MB."""
RECHECKS_AT_ONCE = 100
"""That have a page each in turn."""
PAUSE_SECONDS = 5.0
"""Between looks when there is nothing to do: nobody waits for these."""

T = TypeVar("T")

_log = structlog.get_logger("rechecker")


class Consent(Protocol):
    """Who is asked again."""

    async def allowed(self, release: Release, contents: Contents, not_below: Revision) -> Mask:
        """P booleans: what may go still, as of a revision that is not below `not_below`."""
        ...


class Rows(Collecting, Protocol):
    """Rechecks and recalls inside one transaction."""

    def lock_head(self) -> int: ...
    def open_rechecks(self, limit: int) -> Sequence[Recheck]: ...
    def advance(self, recheck: Recheck, to_number: int, parts: int) -> bool: ...
    def end(self, recheck: Recheck, now_us: int) -> bool: ...
    def add_parts(self, takings: Sequence[Taking], recall_id: str | None, first_part: int) -> None: ...
    def put_into(self, withdrawal: Withdrawal, licensee_id: str, recall_id: str) -> None: ...
    def taken(self, withdrawal: Withdrawal, licensee_id: str, withdrawal_id: str) -> Taking: ...


class Store(Protocol):
    """Where rechecks and releases are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...
    async def releases_to(
        self, licensee_id: str, after: int, until: int, limit: int
    ) -> Mapping[int, Release]: ...
    async def cargoes(self, numbers: Sequence[int]) -> Mapping[int, Cargo]: ...
    async def deleted(self, licensee_id: str, numbers: Sequence[int]) -> Mapping[int, Ids]: ...


class Rechecker:
    """Asks until it is cancelled."""

    name = "rechecker"

    def __init__(self, store: Store, consent: Consent, clock: Clock, *, new_id: Callable[[], str]) -> None:
        """`new_id` gives ids of recalls."""
        self._store = store
        self._consent = consent
        self._clock = clock
        self._new_id = new_id

    async def run(self) -> None:
        """A page of each that is open, again and again."""
        while True:
            try:
                rest_seconds = 0 if await self.recheck() else PAUSE_SECONDS
            except Exception as error:
                log_fault(_log, "nobody can be asked again", error)
                rest_seconds = AFTER_FAULT_SECONDS
            await asyncio.sleep(rest_seconds)

    async def recheck(self) -> bool:
        """A page of each; whether it is worth to go on at once. Raises what the database raises.

        One that consent does not answer stays where it is, and holds up no other.
        """
        rechecks = await self._store.read(lambda rows: rows.open_rechecks(RECHECKS_AT_ONCE))
        faults = 0
        for recheck in rechecks:
            try:
                await self.step(recheck)
            except Exception as error:
                log_fault(_log, "a recheck cannot go on", error)
                faults += 1
        return faults < len(rechecks)

    async def step(self, recheck: Recheck) -> None:
        """One page, or the end. Raises what consent and the database raise."""
        releases = await self._store.releases_to(
            recheck.licensee_id, recheck.position, recheck.until_number, RELEASES_AT_ONCE
        )
        if not releases:
            await self._finish(recheck)
            return
        found = await self._denied(recheck, releases)
        parts = list(parts_of(found))
        # Under which licenses the posts were released is looked up when all is found.
        taking = Taking(recheck.withdrawal, recheck.licensee_id, recheck.withdrawal_id, parts, frozenset())
        await self._store.write(lambda rows: _advance(rows, recheck, max(releases), taking))

    async def _denied(self, recheck: Recheck, releases: Mapping[int, Release]) -> list[Found]:
        cargoes = await self._store.cargoes(list(releases))
        deleted = await self._store.deleted(recheck.licensee_id, list(releases))
        found = []
        for number, counts in asked_about(recheck, releases, cargoes, deleted).items():
            release, cargo = releases[number], cargoes[number]
            allowed = await self._consent.allowed(release, cargo.contents, recheck.withdrawal.revision)
            if (one := denied_of(recheck, release, cargo, counts, allowed)) is not None:
                found.append(one)
        return found

    async def _finish(self, recheck: Recheck) -> None:
        withdrawal, licensee_id = recheck.withdrawal, recheck.licensee_id
        # Nothing is added any more by whoever finds it to end here: read before the head is locked.
        taking = await self._store.read(
            lambda rows: rows.taken(withdrawal, licensee_id, recheck.withdrawal_id)
        )

        def unit(rows: Rows) -> None:
            rows.lock_head()
            now_us = self._clock.now_us()
            if rows.end(recheck, now_us) and taking.parts:
                recall_id = recall_for(rows, licensee_id, [taking], self._new_id, now_us)
                rows.put_into(withdrawal, licensee_id, recall_id)

        await self._store.write(unit)


def _advance(rows: Rows, recheck: Recheck, to_number: int, taking: Taking) -> None:
    rows.lock_head()
    if rows.advance(recheck, to_number, len(taking.parts)):
        rows.add_parts([taking], None, recheck.parts)
