"""Parties and memberships in metering's own database."""

import json
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, select

from services.chassis.bulk import Question
from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.metering.domain.parties import (
    Described,
    Known,
    Membership,
    Party,
    Timeline,
    effective_us,
    party_unknown,
)
from services.metering.domain.reservations import Revision
from services.metering.roster import Noted
from services.metering.schema.tables import REPLAYS, MeteringTable
from services.metering.storage.head import next_number, read_head

_tables = MeteringTable.metadata.tables
_parties, _memberships = _tables["parties"], _tables["memberships"]

_DESCRIPTIONS = Question(
    "SELECT p.party_id, p.since_us, p.number, p.display_name, p.vetted_research, p.affiliates"
    " FROM {given} CROSS JOIN parties p WHERE p.party_id = given.id",
    id="text",
)
_MEMBERSHIPS = Question(
    "SELECT m.party_id, m.since_us, m.number, m.group_id"
    " FROM {given} CROSS JOIN memberships m WHERE m.party_id = given.id",
    id="text",
)

Change = Callable[[Connection, int, int, int], None]
"""Writes a row with its number, the time from which it holds and that at which it is recorded."""


class SqlShelf:
    """Satisfies `roster.Shelf`."""

    def __init__(self, database: Database, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked under the lock of the head."""
        self._database = database
        self._now_us = now_us

    async def describe(self, party: Party, since_us: int | None, key: ReplayKey) -> Noted:
        """Says who a party is, from a time or from now on."""

        def write(connection: Connection, number: int, since_us: int, now_us: int) -> None:
            row = {
                "party_id": party.party_id,
                "display_name": party.display_name,
                "vetted_research": party.vetted_research,
                "affiliates": json.dumps(party.affiliates),
            }
            connection.execute(insert(_parties), [row | _noted(number, since_us, now_us, key)])

        return await self._note(write, since_us, key)

    async def move(self, party_id: str, group_id: str, since_us: int | None, key: ReplayKey) -> Noted:
        """Puts a party into a group or none."""

        def write(connection: Connection, number: int, since_us: int, now_us: int) -> None:
            if party_id not in read_known(connection, [party_id]):
                raise party_unknown()
            row = {"party_id": party_id, "group_id": group_id}
            connection.execute(insert(_memberships), [row | _noted(number, since_us, now_us, key)])

        return await self._note(write, since_us, key)

    async def known(self, party_ids: Sequence[str]) -> tuple[dict[str, Known], Revision]:
        """What was ever said of these parties."""
        return await self._database.read(
            lambda connection: (read_known(connection, party_ids), read_head(connection))
        )

    async def ids(self, after: str, limit: int) -> list[str]:
        """Ids of parties behind one, in order."""
        column = _parties.c.party_id
        query = select(column).where(column > after).distinct().order_by(column).limit(limit)
        return await self._database.read(lambda connection: list(connection.scalars(query)))

    async def member_ids(self, group_id: str, after: str, limit: int) -> list[str]:
        """Ids of parties behind one that were ever put into a group, in order."""
        column = _memberships.c.party_id
        query = (
            select(column)
            .where(_memberships.c.group_id == group_id, column > after)
            .distinct()
            .order_by(column)
            .limit(limit)
        )
        return await self._database.read(lambda connection: list(connection.scalars(query)))

    async def _note(self, write: Change, since_us: int | None, key: ReplayKey) -> Noted:
        def unit(connection: Connection) -> Noted:
            now_us = self._now_us()

            def produce() -> bytes:
                effective = effective_us(since_us, now_us)
                revision = next_number(connection)
                write(connection, revision.number, effective, now_us)
                return json.dumps([revision.epoch, revision.number, effective, effective < now_us]).encode()

            epoch, number, effective, back_dated = json.loads(once(connection, REPLAYS, key, now_us, produce))
            return Noted(Revision(epoch, number), effective, back_dated)

        return await self._database.write(unit)


def read_members(connection: Connection, group_id: str) -> list[str]:
    """The parties that were ever put into a group, sorted."""
    members = select(_memberships.c.party_id).where(_memberships.c.group_id == group_id).distinct()
    return sorted(connection.scalars(members))


def read_timelines(connection: Connection, party_ids: Sequence[str]) -> dict[str, Timeline]:
    """The groups of each of these parties."""
    memberships: dict[str, list[Membership]] = {id: [] for id in party_ids}
    for party_id, *rest in _MEMBERSHIPS.ask(connection, [(id,) for id in party_ids]):
        memberships[party_id].append(Membership(*rest))
    return {id: Timeline.of(theirs) for id, theirs in memberships.items()}


def read_known(connection: Connection, party_ids: Sequence[str]) -> dict[str, Known]:
    """What was ever said of each of these, without those that nothing was said of."""
    said: dict[str, list[Described]] = {}
    for id, since_us, number, name, vetted, affiliates in _DESCRIPTIONS.ask(
        connection, [(id,) for id in party_ids]
    ):
        party = Party(id, name, bool(vetted), tuple(json.loads(affiliates)))
        said.setdefault(id, []).append(Described(since_us, number, party))
    timelines = read_timelines(connection, sorted(said))
    return {id: Known(tuple(theirs), timelines[id]) for id, theirs in said.items()}


def _noted(number: int, since_us: int, now_us: int, key: ReplayKey) -> dict[str, int | str]:
    return {
        "number": number,
        "since_us": since_us,
        "recorded_us": now_us,
        "recorded_by": key.principal,
    }
