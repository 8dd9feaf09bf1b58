"""Accesses seen elsewhere, in metering's own database (M7)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from services.chassis.bulk import Insertion, Question
from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey, once
from services.metering.domain.absorption import Change
from services.metering.domain.reservations import Revision
from services.metering.domain.seen import (
    DISPLACED_LISTED,
    AccessKey,
    Displaced,
    Kept,
    Outcome,
    Remark,
    Report,
    Reporter,
    Row,
    Seen,
    check_owner,
    check_time,
    conflict,
    difference,
    displacement,
    remark,
)
from services.metering.domain.sheets import Entry
from services.metering.schema.tables import REPLAYS
from services.metering.storage.absorbing import absorb_new
from services.metering.storage.accounts import make_accounts, write_entries
from services.metering.storage.head import move_head, read_head
from services.metering.storage.reports import note_reports
from services.metering.storage.sighting_rows import COLUMNS, SELECTED, entry, from_row, to_row
from services.metering.storage.source import find
from services.metering.storage.sources import read_owners, take_sources

_BY_KEY = Question(
    SELECTED + " FROM {given} CROSS JOIN sightings s WHERE s.source = given.source AND s.id = given.id",
    source="text",
    id="text",
)
_NEW = Insertion("sightings", COLUMNS)


class SqlSightings:
    """Satisfies `imports.Sightings`."""

    def __init__(self, database: Database, now_us: Callable[[], int]) -> None:
        """`now_us` tells the present in microseconds UTC; it is asked under the lock of the head."""
        self._database = database
        self._now_us = now_us

    async def report(self, rows: Sequence[Row], reporter: Reporter, key: ReplayKey) -> Report:
        """Counts what is new, once for each key."""

        def unit(connection: Connection) -> Report:
            now_us = self._now_us()

            def produce() -> bytes:
                note_reports(connection, (row.seen.key.source for row in rows), now_us)
                return _encode(_Page(connection, reporter, now_us).take(rows))

            return _decode(once(connection, REPLAYS, key, now_us, produce))

        return await self._database.write(unit, weight=len(rows))


class _Page:
    """One page of a report, on an open transaction that has locked the head."""

    def __init__(self, connection: Connection, reporter: Reporter, now_us: int) -> None:
        self._connection = connection
        self._reporter = reporter
        self._now_us = now_us
        self._head = read_head(connection)
        self._remarks: list[Remark] = []

    def take(self, rows: Sequence[Row]) -> Report:
        """Counts what is new."""
        known = self._known(rows)
        owners = read_owners(self._connection, {row.seen.key.source for row in rows})
        outcomes, new = list[Outcome](), dict[AccessKey, Row]()
        for row in rows:
            outcome, refusal = self._outcome(row.seen, known, owners)
            outcomes.append(outcome)
            if refusal is not None:
                self._remarks.append(Remark(row.line, outcome, refusal.reason, refusal.message))
            if outcome is Outcome.ACCEPTED:
                known[row.seen.key] = row.seen
                new[row.seen.key] = row
        taken = zip(rows, outcomes, strict=True)
        reported = {row.seen.key.source for row, outcome in taken if outcome is not Outcome.REJECTED}
        take_sources(self._connection, reported - owners.keys(), self._reporter, self._now_us)
        absorbed, displaced = self._write(new)
        remarks = sorted(self._remarks, key=lambda remark: remark.line)
        return Report(tuple(outcomes), tuple(remarks), absorbed, displaced, self._head)

    def _known(self, rows: Sequence[Row]) -> dict[AccessKey, Seen]:
        keys = {row.seen.key for row in rows}
        found = _BY_KEY.ask(self._connection, [(key.source, key.id) for key in sorted(keys)])
        return {kept.seen.key: kept.seen for kept in map(from_row, found)}

    def _outcome(
        self, seen: Seen, known: Mapping[AccessKey, Seen], owners: Mapping[str, str]
    ) -> tuple[Outcome, Refusal | None]:
        try:
            check_owner(owners.get(seen.key.source), self._reporter)
            check_time(seen, self._now_us)
        except Refusal as refusal:
            return Outcome.REJECTED, refusal
        before = known.get(seen.key)
        if before is None:
            return Outcome.ACCEPTED, None
        field = difference(before, seen)
        return (Outcome.DUPLICATE, None) if field is None else (Outcome.CONFLICT, conflict(field))

    def _write(self, new: Mapping[AccessKey, Row]) -> tuple[int, int]:
        """Writes accesses with all that follows; how many posts were absorbed, and what they displaced."""
        if not new:
            return 0, 0
        numbered = [Kept(row.seen, self._next_number(), absorbed=0) for row in new.values()]
        reservations = find(self._connection, sorted({kept.seen.reservation_id for kept in numbered} - {""}))
        absorption = absorb_new(self._connection, reservations, numbered, self._next_number)
        kept = [replace(each, absorbed=absorption.new.get(each.seen.key, 0)) for each in numbered]
        _NEW.run(self._connection, [to_row(each) for each in kept])
        counted = [(each, each.seen.posts - each.absorbed) for each in kept]
        self._enter([entry(each.seen, each.number, posts) for each, posts in counted if posts])
        self._enter(absorption.entries)
        move_head(self._connection, self._head)
        for each in kept:
            receipt = reservations.get(each.seen.reservation_id)
            self._say(remark(new[each.seen.key], receipt, each.absorbed))
        for change in absorption.displaced[:DISPLACED_LISTED]:
            self._say(_displacement(change, new))
        return sum(each.absorbed for each in kept), len(absorption.displaced)

    def _say(self, said: Remark | None) -> None:
        if said is not None:
            self._remarks.append(said)

    def _enter(self, entries: Sequence[Entry]) -> None:
        found = make_accounts(self._connection, {each.account for each in entries})
        write_entries(self._connection, entries, {account: id for account, (id, _) in found.items()})

    def _next_number(self) -> int:
        self._head = Revision(self._head.epoch, self._head.number + 1)
        return self._head.number


def _displacement(change: Change, new: Mapping[AccessKey, Row]) -> Remark:
    assert change.by is not None, "an access on record gives way to what is new alone"
    displaced = Displaced(change.kept.seen.key, change.kept.absorbed - change.absorbed)
    return displacement(new[change.by.seen.key].line, displaced)


def _encode(report: Report) -> bytes:
    outcomes = "".join(str(int(outcome)) for outcome in report.outcomes)
    remarks = [_listed(remark) for remark in report.remarks]
    revision = report.revision
    numbers = [report.absorbed, revision.epoch, revision.number, report.displaced]
    return json.dumps([outcomes, remarks, *numbers]).encode()


def _decode(answer: bytes) -> Report:
    # Answers of earlier releases end before what was displaced.
    outcomes, remarks, absorbed, epoch, number, *displaced = json.loads(answer)
    return Report(
        tuple(Outcome(int(outcome)) for outcome in outcomes),
        tuple(_remark(*remark) for remark in remarks),
        absorbed,
        sum(displaced),
        Revision(epoch, number),
    )


def _listed(remark: Remark) -> list[int | str]:
    said: list[int | str] = [remark.line, int(remark.outcome), remark.reason, remark.message]
    displaced = remark.displaced
    return said if displaced is None else [*said, displaced.key.source, displaced.key.id, displaced.posts]


def _remark(line: int, outcome: int, reason: str, message: str, *of: Any) -> Remark:
    displaced = Displaced(AccessKey(of[0], of[1]), of[2]) if of else None
    return Remark(line, Outcome(outcome), reason, message, displaced)
