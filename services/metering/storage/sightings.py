"""Accesses seen elsewhere, in metering's own database (M7)."""

import json
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from services.chassis.bulk import Insertion, Question
from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey, once
from services.metering.domain.reservations import Revision
from services.metering.domain.seen import (
    AccessKey,
    Kept,
    Outcome,
    Remark,
    Report,
    Row,
    Seen,
    check_time,
    conflict,
    difference,
    remark,
)
from services.metering.domain.sheets import Entry
from services.metering.schema.tables import REPLAYS
from services.metering.storage.absorbing import COLUMNS, SELECTED, absorb, entry, from_row, to_row
from services.metering.storage.accounts import make_accounts, write_entries
from services.metering.storage.head import move_head, read_head
from services.metering.storage.reports import note_reports
from services.metering.storage.source import find

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

    async def report(self, rows: Sequence[Row], key: ReplayKey) -> Report:
        """Counts what is new, once for each key."""

        def unit(connection: Connection) -> Report:
            now_us = self._now_us()

            def produce() -> bytes:
                note_reports(connection, (row.seen.key.source for row in rows), now_us)
                return _encode(_Page(connection, now_us).take(rows))

            return _decode(once(connection, REPLAYS, key, now_us, produce))

        return await self._database.write(unit, weight=len(rows))


class _Page:
    """One page of a report, on an open transaction that has locked the head."""

    def __init__(self, connection: Connection, now_us: int) -> None:
        self._connection = connection
        self._now_us = now_us
        self._head = read_head(connection)

    def take(self, rows: Sequence[Row]) -> Report:
        """Counts what is new."""
        known = self._known(rows)
        outcomes, remarks, new = list[Outcome](), list[Remark](), dict[AccessKey, Row]()
        for row in rows:
            outcome, refusal = self._outcome(row.seen, known)
            outcomes.append(outcome)
            if refusal is not None:
                remarks.append(Remark(row.line, outcome, refusal.reason, refusal.message))
            if outcome is Outcome.ACCEPTED:
                known[row.seen.key] = row.seen
                new[row.seen.key] = row
        absorbed = self._write(list(new.values()), remarks)
        remarks.sort(key=lambda remark: remark.line)
        return Report(tuple(outcomes), tuple(remarks), absorbed, self._head)

    def _known(self, rows: Sequence[Row]) -> dict[AccessKey, Seen]:
        keys = {row.seen.key for row in rows}
        found = _BY_KEY.ask(self._connection, [(key.source, key.id) for key in sorted(keys)])
        return {kept.seen.key: kept.seen for kept in map(from_row, found)}

    def _outcome(self, seen: Seen, known: dict[AccessKey, Seen]) -> tuple[Outcome, Refusal | None]:
        try:
            check_time(seen, self._now_us)
        except Refusal as refusal:
            return Outcome.REJECTED, refusal
        before = known.get(seen.key)
        if before is None:
            return Outcome.ACCEPTED, None
        field = difference(before, seen)
        return (Outcome.DUPLICATE, None) if field is None else (Outcome.CONFLICT, conflict(field))

    def _write(self, rows: Sequence[Row], remarks: list[Remark]) -> int:
        """Writes the accesses with all that follows; how many posts of them receipts absorbed."""
        if not rows:
            return 0
        numbered = [Kept(row.seen, self._next_number(), absorbed=0) for row in rows]
        _NEW.run(self._connection, [to_row(kept) for kept in numbered])
        entries = [entry(kept.seen, kept.number, kept.seen.posts) for kept in numbered]
        shown = sorted({row.seen.reservation_id for row in rows} - {""})
        reservations = find(self._connection, shown)
        entries += absorb(self._connection, list(reservations.values()), self._next_number)
        self._enter(entries)
        absorbed = self._absorbed([row for row in rows if row.seen.reservation_id])
        for row in rows:
            said = remark(row, reservations.get(row.seen.reservation_id), absorbed.get(row.seen.key, 0))
            if said is not None:
                remarks.append(said)
        return sum(absorbed.values())

    def _absorbed(self, rows: Sequence[Row]) -> dict[AccessKey, int]:
        found = _BY_KEY.ask(self._connection, [(row.seen.key.source, row.seen.key.id) for row in rows])
        return {kept.seen.key: kept.absorbed for kept in map(from_row, found)}

    def _enter(self, entries: Sequence[Entry]) -> None:
        found = make_accounts(self._connection, {each.account for each in entries})
        write_entries(self._connection, entries, {account: id for account, (id, _) in found.items()})
        move_head(self._connection, self._head)

    def _next_number(self) -> int:
        self._head = Revision(self._head.epoch, self._head.number + 1)
        return self._head.number


def _encode(report: Report) -> bytes:
    outcomes = "".join(str(int(outcome)) for outcome in report.outcomes)
    remarks = [[each.line, int(each.outcome), each.reason, each.message] for each in report.remarks]
    revision = report.revision
    return json.dumps([outcomes, remarks, report.absorbed, revision.epoch, revision.number]).encode()


def _decode(answer: bytes) -> Report:
    outcomes, remarks, absorbed, epoch, number = json.loads(answer)
    return Report(
        tuple(Outcome(int(outcome)) for outcome in outcomes),
        tuple(Remark(line, Outcome(outcome), *rest) for line, outcome, *rest in remarks),
        absorbed,
        Revision(epoch, number),
    )
