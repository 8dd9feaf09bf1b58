"""Builders of changes of affiliates, their rows in memory, and a metering in memory that knows groups."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey
from services.licensing.affiliates import Rows
from services.licensing.domain.affiliates import FOREVER_US, Asked, Change, Membership, Stretch
from services.licensing.domain.licenses import Licensee
from services.metering.domain.parties import Membership as Put
from services.metering.domain.parties import Timeline
from tests.support.clock import NOON_US

T = TypeVar("T")


def asked(affiliate_id: str = "lab", licensee_id: str = "acme", **changes: Any) -> Asked:
    """lab is to be an affiliate of acme from now on, unless said."""
    plain = Asked(licensee_id, affiliate_id, adds=True, since_us=None, display_name=affiliate_id.title())
    return replace(plain, **changes)


def a_change(number: int = 1, affiliate_id: str = "lab", licensee_id: str = "acme", **changes: Any) -> Change:
    """lab is an affiliate of acme from noon on, and metering has it, unless said."""
    plain = Change(
        number=number,
        licensee_id=licensee_id,
        affiliate_id=affiliate_id,
        adds=True,
        since_us=NOON_US,
        display_name=affiliate_id.title(),
        reason="",
        principal="operator:ann",
        request_id="019a0000-0000-7000-8000-000000000001",
        digest=b"d" * 32,
        begun_at_us=NOON_US,
        finished=True,
    )
    return replace(plain, **changes)


class MemoryRoster:
    """Parties and groups as metering keeps them: a write is done once for each request id."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.puts: dict[str, list[Put]] = {}
        self.done: set[str] = set()
        self.refusing: Refusal | None = None
        """With what every call is answered."""

    async def memberships(self, party_id: str) -> Sequence[Membership]:
        self._answer()
        return [Membership(group_id, stretch) for group_id, stretch in self._spans(party_id)]

    async def members(self, group_id: str) -> Mapping[str, Sequence[Stretch]]:
        self._answer()
        found = {
            party_id: [stretch for group, stretch in self._spans(party_id) if group == group_id]
            for party_id in self.puts
        }
        return {party_id: stretches for party_id, stretches in found.items() if stretches}

    async def introduce(self, request_id: str, party_id: str, display_name: str) -> None:
        if self._is_new(request_id):
            self.names.setdefault(party_id, display_name)

    async def move(self, request_id: str, party_id: str, group_id: str, since_us: int) -> None:
        if self._is_new(request_id):
            self.put(party_id, group_id, since_us)

    def put(self, party_id: str, group_id: str, since_us: int) -> None:
        """As somebody does who asks metering itself."""
        number = sum(map(len, self.puts.values())) + 1
        self.puts.setdefault(party_id, []).append(Put(since_us, number, group_id))

    def group_at(self, party_id: str, at_us: int) -> str:
        """The group of a party at a time, "" for none."""
        return Timeline.of(self.puts.get(party_id, ())).group_at(at_us)

    def _spans(self, party_id: str) -> list[tuple[str, Stretch]]:
        spans = Timeline.of(self.puts.get(party_id, ())).spans()
        return [(each.group_id, Stretch(each.since_us, min(each.until_us, FOREVER_US))) for each in spans]

    def _is_new(self, request_id: str) -> bool:
        self._answer()
        is_new = request_id not in self.done
        self.done.add(request_id)
        return is_new

    def _answer(self) -> None:
        if self.refusing:
            raise self.refusing


class MemoryRows:
    """One state of the desk's books."""

    def __init__(self, *licensee_ids: str) -> None:
        self.licensees = {id: Licensee(id, id.title(), NOON_US) for id in licensee_ids}
        self.changes: list[Change] = []

    def lock_head(self) -> None:
        """There is one writer anyway."""

    def licensee(self, licensee_id: str) -> Licensee | None:
        return self.licensees.get(licensee_id)

    def asked_before(self, key: ReplayKey) -> Change | None:
        adds = key.operation == "AddAffiliate"
        named = key.principal, adds, key.request_id
        return next(
            (each for each in self.changes if (each.principal, each.adds, each.request_id) == named), None
        )

    def with_part_of(self, *party_ids: str) -> Sequence[Change]:
        return [each for each in self.changes if {each.licensee_id, each.affiliate_id} & set(party_ids)]

    def of_licensee(self, licensee_id: str) -> Sequence[Change]:
        return [each for each in self.changes if each.licensee_id == licensee_id]

    def unfinished(self) -> Sequence[Change]:
        return [each for each in self.changes if not each.finished]

    def take_down(self, asked: Asked, since_us: int, key: ReplayKey, now_us: int) -> Change:
        change = Change(
            number=len(self.changes) + 1,
            licensee_id=asked.licensee_id,
            affiliate_id=asked.affiliate_id,
            adds=asked.adds,
            since_us=since_us,
            display_name=asked.display_name,
            reason=asked.reason,
            principal=key.principal,
            request_id=key.request_id,
            digest=key.digest,
            begun_at_us=now_us,
            finished=False,
        )
        self.changes.append(change)
        return change

    def finish(self, number: int, now_us: int) -> None:
        self.changes[number - 1] = replace(self.changes[number - 1], finished=True)


class MemoryAffiliates:
    """A store that lasts as long as the test; a copy is a transaction."""

    def __init__(self, *licensee_ids: str) -> None:
        self._rows = MemoryRows(*licensee_ids)

    async def write(self, unit: Callable[[Rows], T]) -> T:
        rows = copy.deepcopy(self._rows)
        result = unit(rows)
        self._rows = rows
        return result

    async def read(self, query: Callable[[Rows], T]) -> T:
        return query(self._rows)
