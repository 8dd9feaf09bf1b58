"""The rechecker: asks consent again about what a policy or a halt may take back (W1).

A page of releases at a time and one question a release, so that decisions go on beside it. What was denied
is written together with how far it came; when all has been asked, it is put into one recall, some of it at a
time, and that recall is not issued before the rest is in it (W2). Each takes its turn, whatever becomes of
the others.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import structlog

from services.chassis.clock import Clock
from services.licensing.domain.posts import Ids
from services.licensing.domain.reasons import Reasons
from services.licensing.domain.recalls.deleted import Deleted
from services.licensing.domain.recalls.entries import (
    Counted,
    Found,
    Taking,
    distinct_posts,
    parts_of,
    share_of,
    shares_of,
)
from services.licensing.domain.recalls.rechecks import (
    FIRST_RECHECK,
    Recheck,
    RecheckKey,
    asked_about,
    denied_of,
)
from services.licensing.domain.recalls.releases import Cargo, Release
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.domain.released import Contents
from services.licensing.recalls import AFTER_FAULT_SECONDS, Collecting, log_fault, recall_for
from services.licensing.resting import Resting

RELEASES_AT_ONCE = 20
"""Of one page; of 10,000 posts each they are some 10 MB."""
PAGES_A_TURN = 100
"""Of one recheck before the next has its turn; for each turn it is looked up what was deleted."""
RECHECKS_AT_ONCE = 100
"""That are read together."""
PARTS_AT_ONCE = 10
"""That are put into a recall in one transaction: some 200,000 posts, so that decisions wait little."""
PARTS_COUNTED_AT_ONCE = 50
"""That are read together to count their posts; of 20,000 each they are 8 MB."""
PAUSE_SECONDS = 5.0
"""Between looks when there is nothing to do: nobody waits for these."""

T = TypeVar("T")

_log = structlog.get_logger("rechecker")


class Consent(Protocol):
    """Who is asked again."""

    async def reasons(self, release: Release, contents: Contents, withdrawal: Withdrawal) -> Reasons:
        """Why each of P posts may go still or not, as of a revision not below the withdrawal's."""
        ...


class Rows(Collecting, Protocol):
    """Rechecks and recalls inside one transaction."""

    def lock_head(self) -> int: ...
    def open_rechecks(self, after: RecheckKey, limit: int) -> Sequence[Recheck]: ...
    def advance(self, recheck: Recheck, to_number: int, parts: int) -> bool: ...
    def end(self, recheck: Recheck, now_us: int) -> bool: ...
    def add_parts(self, takings: Sequence[Taking], recall_id: str | None, first_part: int) -> None: ...
    def parts_outside(self, withdrawal: Withdrawal, licensee_id: str, limit: int) -> Sequence[int]: ...
    def filling(self, withdrawal: Withdrawal, licensee_id: str) -> str | None: ...
    def put_into(
        self, withdrawal: Withdrawal, licensee_id: str, parts: Sequence[int], recall_id: str
    ) -> None: ...
    def posts_found(self, withdrawal: Withdrawal, licensee_id: str) -> int: ...
    def some_posts(self, withdrawal: Withdrawal, licensee_id: str, from_part: int, limit: int) -> Ids: ...
    def some_licenses(
        self, withdrawal: Withdrawal, licensee_id: str, from_part: int, limit: int
    ) -> frozenset[tuple[str, int]]: ...


class Store(Protocol):
    """Where rechecks and releases are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...
    async def releases_to(
        self, licensee_id: str, after: int, until: int, limit: int
    ) -> Mapping[int, Release]: ...
    async def cargoes(self, numbers: Sequence[int]) -> Mapping[int, Cargo]: ...
    async def deleted(self, licensee_id: str, after: int, until: int) -> Deleted: ...


class Rechecker:
    """Asks until it is cancelled."""

    name = "rechecker"

    def __init__(self, store: Store, consent: Consent, clock: Clock, *, new_id: Callable[[], str]) -> None:
        """`new_id` gives ids of recalls."""
        self._store = store
        self._consent = consent
        self._clock = clock
        self._new_id = new_id
        self._after = FIRST_RECHECK
        self._resting = Resting[RecheckKey](clock)

    async def run(self) -> None:
        """A turn of each that is open, again and again."""
        while True:
            try:
                rest_seconds = 0 if await self.recheck() else PAUSE_SECONDS
            except Exception as error:
                log_fault(_log, "nobody can be asked again", error)
                rest_seconds = AFTER_FAULT_SECONDS
            await asyncio.sleep(rest_seconds)

    async def recheck(self) -> bool:
        """A turn of some; whether it is worth to go on at once. Raises what the database raises.

        They are taken in order, from the one after the last on, and then from the first again. One that
        consent does not answer stays where it is and holds up no other; it rests the longer, the oftener.
        """
        rechecks = await self._store.read(lambda rows: rows.open_rechecks(self._after, RECHECKS_AT_ONCE))
        is_last = len(rechecks) < RECHECKS_AT_ONCE
        self._after = FIRST_RECHECK if is_last else rechecks[-1].key
        went_on = [await self._take_turn(recheck) for recheck in rechecks if self._resting.may(recheck.key)]
        return any(went_on) or not is_last

    async def _take_turn(self, recheck: Recheck) -> bool:
        try:
            await self.step(recheck)
        except Exception as error:
            self._resting.rest(recheck.key)
            log_fault(_log, "a recheck cannot go on", error)
            return False
        self._resting.forget(recheck.key)
        return True

    async def step(self, recheck: Recheck) -> None:
        """Some pages, or some of the end. Raises what consent and the database raise."""
        deleted = await self._store.deleted(recheck.licensee_id, recheck.position, recheck.until_number)
        for page in range(PAGES_A_TURN):
            releases = await self._store.releases_to(
                recheck.licensee_id, recheck.position, deleted.until, RELEASES_AT_ONCE
            )
            if not releases and deleted.until == recheck.until_number:
                if page == 0:
                    await self._finish(recheck)
                return
            # Up to where it is known what was deleted there may be nothing more, and beyond it something.
            to_number = max(releases, default=deleted.until)
            moved = await self._ask(recheck, releases, deleted, to_number)
            if moved is None or to_number >= deleted.until:
                return
            recheck = moved

    async def _ask(
        self, recheck: Recheck, releases: Mapping[int, Release], deleted: Deleted, to_number: int
    ) -> Recheck | None:
        """The recheck behind a page; None where another process was first."""
        found = await self._denied(recheck, releases, deleted)
        parts = list(parts_of(found))
        # Under which licenses the posts were released is looked up when all is found.
        taking = Taking(recheck.withdrawal, recheck.licensee_id, recheck.withdrawal_id, parts, frozenset())
        if not await self._store.write(lambda rows: _advance(rows, recheck, to_number, taking)):
            return None
        return replace(recheck, position=to_number, parts=recheck.parts + len(parts))

    async def _denied(
        self, recheck: Recheck, releases: Mapping[int, Release], deleted: Deleted
    ) -> list[Found]:
        cargoes = await self._store.cargoes(list(releases))
        found = []
        for number, counts in asked_about(recheck, releases, cargoes, deleted).items():
            release, cargo = releases[number], cargoes[number]
            reasons = await self._consent.reasons(release, cargo.contents, recheck.withdrawal)
            if (one := denied_of(recheck, release, cargo, counts, reasons)) is not None:
                found.append(one)
        return found

    async def _finish(self, recheck: Recheck) -> None:
        """Puts some of what was found into a recall, or ends it where all of it is."""
        for _ in range(PAGES_A_TURN):
            if not (recheck.parts and await self._store.write(lambda rows: self._put_some(rows, recheck))):
                break
        else:
            return
        # Nothing is added any more by whoever finds it to end here: counted before the head is locked.
        found = await self._counted(recheck) if recheck.parts else None

        def unit(rows: Rows) -> None:
            rows.lock_head()
            if rows.end(recheck, self._clock.now_us()) and found is not None:
                recall_id = rows.filling(recheck.withdrawal, recheck.licensee_id)
                assert recall_id is not None, "all that was found is in a recall"
                rows.extend(recall_id, found)

        await self._store.write(unit)

    def _put_some(self, rows: Rows, recheck: Recheck) -> bool:
        """Puts the next parts into a recall; whether there may be more."""
        rows.lock_head()
        withdrawal, licensee_id = recheck.withdrawal, recheck.licensee_id
        parts = rows.parts_outside(withdrawal, licensee_id, PARTS_AT_ONCE)
        if not parts:
            return False
        # The one that has the first parts collects still: nobody issues it before this recheck has ended.
        recall_id = rows.filling(withdrawal, licensee_id)
        if recall_id is None:
            recall_id = recall_for(rows, licensee_id, self._new_id, self._clock.now_us())
        rows.put_into(withdrawal, licensee_id, parts, recall_id)
        return len(parts) == PARTS_AT_ONCE

    async def _counted(self, recheck: Recheck) -> Counted:
        """Each post once, in however many releases it is: a share of all at a time, read page by page."""
        whose = recheck.withdrawal, recheck.licensee_id
        shares = shares_of(await self._store.read(lambda rows: rows.posts_found(*whose)))
        posts, licenses = 0, frozenset[tuple[str, int]]()
        firsts = range(0, recheck.parts, PARTS_COUNTED_AT_ONCE)
        for share in range(shares):
            seen = [await self._store.read(_share(whose, first, share, shares)) for first in firsts]
            posts += await asyncio.to_thread(distinct_posts, seen)
        for first in firsts:
            licenses |= await self._store.read(_licenses(whose, first))
        return Counted(1, posts, licenses)


def _share(whose: tuple[Withdrawal, str], first: int, share: int, shares: int) -> Callable[[Rows], Ids]:
    return lambda rows: share_of(rows.some_posts(*whose, first, PARTS_COUNTED_AT_ONCE), share, shares)


def _licenses(whose: tuple[Withdrawal, str], first: int) -> Callable[[Rows], frozenset[tuple[str, int]]]:
    return lambda rows: rows.some_licenses(*whose, first, PARTS_COUNTED_AT_ONCE)


def _advance(rows: Rows, recheck: Recheck, to_number: int, taking: Taking) -> bool:
    rows.lock_head()
    if not rows.advance(recheck, to_number, len(taking.parts)):
        return False
    rows.add_parts([taking], None, recheck.parts)
    return True
