"""The log of operators' actions in a service's own database: rows are only ever added.

Numbers have no gaps and are in the order of commits, for whoever adds an entry is the only one who writes:
the groups of all processes wait for one head row, and a file has one writer. What a request said of a subject
is taken away when they are erased (C11), and the entry stays.
"""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    SmallInteger,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from services.chassis.action_pages import ActionPage, Wanted
from services.chassis.actions import NO_DIGEST, ActionHead, Begun, Caller, Ended, Entry, Outcome
from services.chassis.clock import Clock
from services.chassis.database import Database

MOST_CHARACTERS = 500_000
"""Of the requests and reasons on one page, but for its first: however many bytes these are, an answer stays
below the 4 MiB that clients of gRPC take by default."""


def action_table(metadata: MetaData) -> Table:
    """The table of entries, as each service has it in its own database."""
    return Table(
        "actions",
        metadata,
        # SQLite takes a primary key for its row id only if the type is spelt INTEGER.
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
        Column("at_us", BigInteger, nullable=False),
        Column("action", BigInteger, nullable=False),
        Column("operator", String(128), nullable=False),
        Column("roles", Text, nullable=False),
        Column("method", Text, nullable=False),
        Column("trace_id", String(32), nullable=False),
        Column("previous", LargeBinary(32), nullable=False),
        Column("request_id", Text, nullable=False),
        Column("request", Text, nullable=False),
        Column("nonce", LargeBinary(16), nullable=False),
        Column("request_digest", LargeBinary(32), nullable=False),
        Column("request_bytes", BigInteger, nullable=False),
        Column("reason", Text, nullable=False),
        # A name of a subject in text: ids of 64 bits without a sign fit no number of either engine.
        Column("subject", String(20), nullable=True),
        Column("outcome", SmallInteger, nullable=True),
        Column("refusal", Text, nullable=False),
        Column("requests", BigInteger, nullable=False),
        Column("answers", BigInteger, nullable=False),
        Index("actions_of_operator", "operator", "number"),
        Index("actions_of_method", "method", "number"),
        Index("actions_by_time", "at_us", "number"),
        Index("actions_of_subject", "subject"),
    )


def forget_subject(connection: Connection, table: Table, subject_id: int) -> None:
    """Takes away what requests said that name a subject; for the transaction that erases them (C11)."""
    of_them = update(table).where(table.c.subject == str(subject_id))
    connection.execute(of_them.values(request="", nonce=b"", subject=None))


def entries_wanted(table: Table, wanted: Wanted) -> Select[Any]:
    """The entries of a page and one more, by number: however long the log is, no more of it is read."""
    columns, number = table.c, table.c.number
    query = select(table).order_by(number if wanted.oldest_first else number.desc())
    if wanted.beyond is not None:
        query = query.where(number > wanted.beyond if wanted.oldest_first else number < wanted.beyond)
    if wanted.operator:
        query = query.where(columns.operator == wanted.operator)
    if wanted.method:
        query = query.where(columns.method == wanted.method)
    if wanted.since_us is not None:
        # No entry is earlier than the one before it, so that a time is a number: the first from then on. An
        # index finds it; times of entries that are passed over would be looked at one by one.
        later = (
            select(number).where(columns.at_us >= wanted.since_us).order_by(columns.at_us, number).limit(1)
        )
        query = query.where(number >= later.scalar_subquery())
    return query.limit(wanted.limit + 1)


def head_of(connection: Connection, table: Table, number: int | None = None) -> ActionHead:
    """The last entry, or the one of a number; number 0 where there is none."""
    query = select(table).order_by(table.c.number.desc()).limit(1)
    row = connection.execute(query if number is None else query.where(table.c.number == number)).first()
    return ActionHead() if row is None else ActionHead(row.number, _entry(row).digest())


class SqlActions:
    """The log of one database."""

    def __init__(
        self,
        database: Database,
        table: Table,
        clock: Clock,
        is_erased: Callable[[Connection, int], bool] | None = None,
    ) -> None:
        """`is_erased` says of whom nothing is to be kept any more; None where requests name no subjects."""
        self._database = database
        self._table = table
        self._clock = clock
        self._is_erased = is_erased

    async def begin(self, caller: Caller, begun: Begun) -> int:
        """Adds that an action begins, durable when it returns the number; raises Refusal as `write`."""
        return await self._database.write(lambda connection: self._add(connection, caller, begun, None))

    async def end(self, action: int, caller: Caller, ended: Ended) -> None:
        """Adds how an action ended; raises Refusal as `write`."""
        await self._database.write(lambda connection: self._add(connection, caller, ended, action))

    async def page(self, wanted: Wanted) -> ActionPage:
        """At most `wanted.limit` entries, fewer where their requests are long; at least one if there is."""
        return await self._database.read(lambda connection: self._page(connection, wanted))

    def _add(self, connection: Connection, caller: Caller, what: Begun | Ended, action: int | None) -> int:
        last = self._last(connection)
        number = 1 if last is None else last.number + 1
        at_us = self._clock.now_us() if last is None else max(self._clock.now_us(), last.at_us)
        previous = NO_DIGEST if last is None else last.digest()
        if isinstance(what, Begun) and self._is_gone(connection, what.subject_id):
            what = what.forgotten()
        entry = Entry(number, at_us, action or number, caller, previous, what)
        connection.execute(insert(self._table), [_row(entry)])
        return number

    def _is_gone(self, connection: Connection, subject_id: int | None) -> bool:
        if subject_id is None or self._is_erased is None:
            return False
        return self._is_erased(connection, subject_id)

    def _last(self, connection: Connection) -> Entry | None:
        row = connection.execute(select(self._table).order_by(self._table.c.number.desc()).limit(1)).first()
        return None if row is None else _entry(row)

    def _page(self, connection: Connection, wanted: Wanted) -> ActionPage:
        found = [_entry(row) for row in connection.execute(entries_wanted(self._table, wanted))]
        head = head_of(connection, self._table)
        shown = _fitting(found[: wanted.limit])
        return ActionPage(tuple(shown), len(shown) < len(found), head)


def _fitting(entries: list[Entry]) -> list[Entry]:
    left = MOST_CHARACTERS
    for index, entry in enumerate(entries):
        left -= len(entry.what.request) + len(entry.what.reason) if isinstance(entry.what, Begun) else 0
        if left < 0 and index > 0:
            return entries[:index]
    return entries


def _row(entry: Entry) -> dict[str, Any]:
    caller, what = entry.caller, entry.what
    begun = what if isinstance(what, Begun) else Begun()
    ended = what if isinstance(what, Ended) else None
    return {
        "number": entry.number,
        "at_us": entry.at_us,
        "action": entry.action,
        "operator": caller.operator,
        "roles": json.dumps(caller.roles),
        "method": caller.method,
        "trace_id": caller.trace_id,
        "previous": entry.previous,
        "request_id": begun.request_id,
        "request": begun.request,
        "nonce": begun.nonce,
        "request_digest": begun.request_digest,
        "request_bytes": begun.request_bytes,
        "reason": begun.reason,
        "subject": None if begun.subject_id is None else str(begun.subject_id),
        "outcome": None if ended is None else int(ended.outcome),
        "refusal": "" if ended is None else ended.refusal,
        "requests": 0 if ended is None else ended.requests,
        "answers": 0 if ended is None else ended.answers,
    }


def _entry(row: Any) -> Entry:
    caller = Caller(row.operator, tuple(json.loads(row.roles)), row.method, row.trace_id)
    what: Begun | Ended
    if row.outcome is None:
        what = Begun(
            row.request_id,
            row.request,
            bytes(row.nonce),
            bytes(row.request_digest),
            row.request_bytes,
            row.reason,
            None if row.subject is None else int(row.subject),
        )
    else:
        what = Ended(Outcome(row.outcome), row.refusal, row.requests, row.answers)
    return Entry(row.number, row.at_us, row.action, caller, bytes(row.previous), what)
