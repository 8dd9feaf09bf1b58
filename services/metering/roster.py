"""Parties and the groups that are counted as one: what is said of them, and from when on (M6)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.replays import ReplayKey
from services.metering.domain.parties import Known, Party, Span, party_unknown
from services.metering.domain.reservations import Revision


@dataclass(frozen=True, slots=True)
class Noted:
    """A change on record."""

    revision: Revision
    since_us: int
    """From when it holds, microseconds UTC."""
    back_dated: bool
    """Whether that time had passed when it was recorded."""


@dataclass(frozen=True, slots=True)
class Found:
    """A party at a time."""

    party: Party
    group_id: str
    spans: tuple[Span, ...]
    """All its memberships."""
    revision: Revision


class Shelf(Protocol):
    """The durable store; a change is noted once for each key, with a number from the head."""

    async def describe(self, party: Party, since_us: int | None, key: ReplayKey) -> Noted:
        """Says who a party is, from a time or from now on. Raises Refusal EFFECTIVE_TIME_INVALID."""
        ...

    async def move(self, party_id: str, group_id: str, since_us: int | None, key: ReplayKey) -> Noted:
        """Puts a party into a group or none. Raises Refusal PARTY_UNKNOWN, EFFECTIVE_TIME_INVALID."""
        ...

    async def known(self, party_ids: Sequence[str]) -> tuple[dict[str, Known], Revision]:
        """What was ever said of these parties, without those that nothing was said of."""
        ...

    async def ids(self, after: str, limit: int) -> list[str]:
        """Ids of parties behind one, in order."""
        ...

    async def member_ids(self, group_id: str, after: str, limit: int) -> list[str]:
        """Ids of parties behind one that were ever put into a group, in order."""
        ...


class Roster:
    """Answers who is counted, and who is counted together."""

    def __init__(self, shelf: Shelf, now_us: Callable[[], int]) -> None:
        self._shelf = shelf
        self._now_us = now_us

    async def describe(self, party: Party, since_us: int | None, key: ReplayKey) -> Noted:
        """Says who a party is, from a time or from now on. Raises Refusal EFFECTIVE_TIME_INVALID."""
        return await self._shelf.describe(party, since_us, key)

    async def move(self, party_id: str, group_id: str, since_us: int | None, key: ReplayKey) -> Noted:
        """Puts a party into a group or none. Raises Refusal PARTY_UNKNOWN, EFFECTIVE_TIME_INVALID."""
        return await self._shelf.move(party_id, group_id, since_us, key)

    async def party(self, party_id: str, as_of_us: int | None) -> Found:
        """A party at a time, or now. Raises Refusal PARTY_UNKNOWN."""
        known, revision = await self._shelf.known([party_id])
        if party_id not in known:
            raise party_unknown()
        at_us = self._now_us() if as_of_us is None else as_of_us
        return _found(party_id, known[party_id], at_us, revision)

    async def parties(self, after: str, size: int) -> tuple[list[Found], str]:
        """Up to `size` parties behind one, as of now, and the last one's id where more follow."""
        ids = await self._shelf.ids(after, size + 1)
        known, revision = await self._shelf.known(ids[:size])
        now_us = self._now_us()
        found = [_found(id, known[id], now_us, revision) for id in ids[:size]]
        return found, ids[size - 1] if len(ids) > size else ""

    async def members(self, group_id: str, after: str, size: int) -> tuple[list[tuple[str, Span]], str]:
        """The memberships in a group of up to `size` parties behind one, and the last one's id likewise."""
        ids = await self._shelf.member_ids(group_id, after, size + 1)
        known, _ = await self._shelf.known(ids[:size])
        memberships = [
            (id, span)
            for id in ids[:size]
            for span in known[id].timeline.spans()
            if span.group_id == group_id
        ]
        return memberships, ids[size - 1] if len(ids) > size else ""


def _found(party_id: str, known: Known, at_us: int, revision: Revision) -> Found:
    timeline = known.timeline
    return Found(known.at(party_id, at_us), timeline.group_at(at_us), timeline.spans(), revision)
