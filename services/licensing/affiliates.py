"""The affiliates desk: who is counted together with a licensee, written through to metering (M6).

A change is taken down, carried out in metering under request ids that follow from the caller's, then marked
as finished; only then is it answered. Wherever that breaks off, whoever repeats the request or finishes what
is unfinished makes the same calls again, which metering does once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import check_request_id, derived_uuid7
from services.chassis.refusals import Refusal, not_found, request_id_reused
from services.chassis.replays import ReplayKey
from services.licensing.domain.affiliates import Asked, Change, Membership, Stretch, check_groups, since_of
from services.licensing.domain.licenses import Licensee
from services.licensing.domain.standings import Affiliates, affiliates_of

T = TypeVar("T")
NO_GROUP = ""


class Rows(Protocol):
    """Changes of affiliates inside one transaction."""

    def lock_head(self) -> None: ...
    def licensee(self, licensee_id: str) -> Licensee | None: ...
    def asked_before(self, key: ReplayKey) -> Change | None: ...
    def with_part_of(self, *party_ids: str) -> Sequence[Change]: ...
    def of_licensee(self, licensee_id: str) -> Sequence[Change]: ...
    def unfinished(self) -> Sequence[Change]: ...
    def take_down(self, asked: Asked, since_us: int, key: ReplayKey, now_us: int) -> Change: ...
    def finish(self, number: int, now_us: int) -> None: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class Roster(Protocol):
    """Metering's parties and groups. A write is done once for each request id."""

    async def memberships(self, party_id: str) -> Sequence[Membership]: ...
    async def members(self, group_id: str) -> Mapping[str, Sequence[Stretch]]: ...
    async def introduce(self, request_id: str, party_id: str, display_name: str) -> None: ...
    async def move(self, request_id: str, party_id: str, group_id: str, since_us: int) -> None: ...


class AffiliateDesk:
    """Changes and lists affiliates. What asks metering raises what `peers.answered` raises."""

    def __init__(self, store: Store, roster: Roster, clock: Clock) -> None:
        self._store = store
        self._roster = roster
        self._clock = clock

    async def change(self, asked: Asked, key: ReplayKey) -> Change:
        """Does what is asked, once for each request id; returns when metering has it.

        Raises Refusal REQUEST_ID_MALFORMED, REQUEST_ID_TOO_OLD, REQUEST_ID_IN_FUTURE, REQUEST_ID_REUSED;
        LICENSEE_UNKNOWN, PARTY_GROUPED_ELSEWHERE, and what `since_of` raises.
        """
        check_request_id(key.request_id, self._clock.now_us())
        change = await self._store.read(lambda rows: _same(rows, key))
        if change is None:
            # Asked before anything is taken down: while metering is out of reach nothing begins.
            memberships = {
                party_id: await self._roster.memberships(party_id)
                for party_id in (asked.licensee_id, asked.affiliate_id)
            }
            change = await self._store.write(lambda rows: self._take_down(rows, asked, key, memberships))
        if not change.finished:
            await self.finish(change)
        return change

    async def finish(self, change: Change) -> None:
        """Carries a change out in metering and marks it; whoever else does so meanwhile does the same."""
        if change.adds:
            await self._add_in_metering(change)
        else:
            await self._move(change, change.affiliate_id, NO_GROUP)
        now_us = self._clock.now_us()
        await self._store.write(lambda rows: rows.finish(change.number, now_us))

    async def unfinished(self) -> Sequence[Change]:
        """The changes that metering may not have yet, in order."""
        return await self._store.read(lambda rows: rows.unfinished())

    async def of_licensee(self, licensee_id: str) -> Affiliates:
        """All affiliates there are, were and will be. Raises Refusal LICENSEE_UNKNOWN."""
        before = await self._store.read(lambda rows: _of_known_licensee(rows, licensee_id))
        members = await self._roster.members(licensee_id)
        after = await self._store.read(lambda rows: rows.of_licensee(licensee_id))
        finished_before = {change.number for change in before if change.finished}
        return affiliates_of(licensee_id, after, finished_before, members, self._clock.now_us())

    def _take_down(
        self, rows: Rows, asked: Asked, key: ReplayKey, memberships: Mapping[str, Sequence[Membership]]
    ) -> Change:
        rows.lock_head()
        # Read after the lock: of two changes of a party one sees the other.
        if (change := _same(rows, key)) is not None:
            return change
        if rows.licensee(asked.licensee_id) is None:
            raise unknown_licensee()
        now_us = self._clock.now_us()
        since_us = since_of(asked, rows.with_part_of(asked.licensee_id, asked.affiliate_id), now_us)
        check_groups(asked, since_us, memberships)
        return rows.take_down(asked, since_us, key, now_us)

    async def _add_in_metering(self, change: Change) -> None:
        licensee = await self._store.read(lambda rows: rows.licensee(change.licensee_id))
        if licensee is None:
            raise unknown_licensee()
        await self._introduce(change, change.licensee_id, licensee.display_name)
        await self._introduce(change, change.affiliate_id, change.display_name)
        # A group of the licensee alone changes no count: the affiliate comes last.
        await self._move(change, change.licensee_id, change.licensee_id)
        await self._move(change, change.affiliate_id, change.licensee_id)

    async def _introduce(self, change: Change, party_id: str, display_name: str) -> None:
        request_id = _inner_id(change, "introduce", party_id, display_name)
        await self._roster.introduce(request_id, party_id, display_name)

    async def _move(self, change: Change, party_id: str, group_id: str) -> None:
        request_id = _inner_id(change, "move", party_id, group_id)
        await self._roster.move(request_id, party_id, group_id, change.since_us)


def unknown_licensee() -> Refusal:
    """There is no such licensee, or not for this caller; it does not say which."""
    return not_found("LICENSEE_UNKNOWN", "there is no such licensee")


def _inner_id(change: Change, *words: str) -> str:
    # Another principal's request id is another request, and so is an addition from a removal.
    return derived_uuid7(change.request_id, change.principal, str(change.adds), *words)


def _same(rows: Rows, key: ReplayKey) -> Change | None:
    change = rows.asked_before(key)
    if change is not None and change.digest != key.digest:
        raise request_id_reused()
    return change


def _of_known_licensee(rows: Rows, licensee_id: str) -> Sequence[Change]:
    if rows.licensee(licensee_id) is None:
        raise unknown_licensee()
    return rows.of_licensee(licensee_id)
