"""The audit of metering's own database, all of it read from one snapshot.

Each side of a check comes from other tables; nothing is shared with the code that keeps the sums but the
names of columns. The database compares, however many rows there are, and gives what differs; what it cannot
read is read row by row.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.metering.domain.allowances import Scope
from services.metering.domain.audits import LISTED, Difference, Finding, compared, joined
from services.metering.domain.projections import projected
from services.metering.domain.reservations import Revision
from services.metering.storage.head import read_head
from services.metering.storage.projecting import read_position
from services.metering.storage.rows import counts_of

ROWS_AT_ONCE = 10_000

_NAMES = {int(scope): scope.name.lower() for scope in Scope}
_OWNERS = {Scope.LICENSE: "license_id", Scope.LICENSEE: "party_id", Scope.GROUP: "group_id"}

_RESERVATIONS = """
    SELECT 'reservation ' || reservation_id AS subject, posts_reserved AS expected,
           CASE WHEN state = 1 THEN posts_reserved ELSE 0 END + posts_settled + posts_freed AS found
    FROM reservations
"""
_TALLIES = """
    SELECT a.scope, a.key, t.window_us, t.used, t.held,
           COALESCE(SUM(e.used), 0) AS entered_used, COALESCE(SUM(e.held), 0) AS entered_held
    FROM tallies t JOIN accounts a ON a.id = t.account_id
    LEFT JOIN entries e ON e.account_id = t.account_id AND e.counted_at_us > t.tail_us
    GROUP BY a.scope, a.key, t.account_id, t.window_us, t.used, t.held
"""
_ENTERED = """
    SELECT a.key, e.counted_at_us, CAST(SUM(e.used) AS BIGINT) AS used, CAST(SUM(e.held) AS BIGINT) AS held
    FROM entries e JOIN accounts a ON a.id = e.account_id WHERE a.scope = {scope}
    GROUP BY a.key, e.counted_at_us
"""
_RESERVED = """
    SELECT {owner} AS key, counted_at_us, CAST(SUM(posts_settled) AS BIGINT) AS used,
           CAST(SUM(CASE WHEN state = 1 THEN posts_reserved ELSE 0 END) AS BIGINT) AS held
    FROM reservations WHERE counted_at_us IS NOT NULL AND {owner} <> ''
    GROUP BY {owner}, counted_at_us
"""
_SEEN = """
    SELECT party_id AS key, accessed_us AS counted_at_us, CAST(SUM(posts - absorbed) AS BIGINT) AS used,
           CAST(0 AS BIGINT) AS held
    FROM sightings GROUP BY party_id, accessed_us
"""
_ABSORBED = """
    SELECT 'reservation ' || s.reservation_id AS subject,
           CASE WHEN MAX(r.posts_settled) < SUM(s.posts) THEN MAX(r.posts_settled) ELSE SUM(s.posts) END
               AS expected,
           SUM(s.absorbed) AS found
    FROM sightings s JOIN reservations r
        ON r.reservation_id = s.reservation_id AND r.party_id = s.party_id AND r.access = s.access
    WHERE s.reservation_id <> '' GROUP BY s.reservation_id
"""
_BOTH = """
    WITH expected AS ({expected}), found AS ({found}),
    missing AS (SELECT * FROM expected EXCEPT SELECT * FROM found),
    surplus AS (SELECT * FROM found EXCEPT SELECT * FROM expected),
    differing AS (SELECT key, counted_at_us FROM missing UNION SELECT key, counted_at_us FROM surplus)
    SELECT d.key, d.counted_at_us, m.used, m.held, s.used, s.held
    FROM differing d
    LEFT JOIN missing m ON m.key = d.key AND m.counted_at_us = d.counted_at_us
    LEFT JOIN surplus s ON s.key = d.key AND s.counted_at_us = d.counted_at_us
    ORDER BY d.key, d.counted_at_us
"""


class SqlAudit:
    """Satisfies `audit.Auditor`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def findings(self) -> tuple[list[Finding], Revision]:
        """All checks."""
        return await self._database.read(
            lambda connection: ([check(connection) for check in CHECKS], read_head(connection))
        )


def _reserved(connection: Connection) -> Finding:
    return _unequal(
        connection,
        "each reservation: reserved = still held + settled + freed",
        _RESERVATIONS,
    )


def _absorbed(connection: Connection) -> Finding:
    return _unequal(
        connection, "each receipt absorbs what was settled under it, as far as it is shown", _ABSORBED
    )


def _unequal(connection: Connection, check: str, rows: str) -> Finding:
    """Compares rows of (subject, expected, found)."""
    count = _count(connection, rows)
    query = f"SELECT * FROM ({rows}) AS compared WHERE expected <> found ORDER BY 1"  # noqa: S608 - no value
    wrong = connection.execute(text(query))
    return _finding(check, count, (Difference(*map(str, row)) for row in wrong))


def _used(connection: Connection) -> Finding:
    """As many as there are windows."""
    rows = connection.execute(text(_TALLIES)).all()

    def names(row: Any) -> str:
        return f"{_NAMES[row.scope]} {row.key}, window of {row.window_us} us"

    return compared(
        "each window: used and held = the sums of its entries",
        {names(row): _said(row.entered_used, row.entered_held) for row in rows},
        {names(row): _said(row.used, row.held) for row in rows},
    )


def _owned(scope: Scope, check: str) -> Callable[[Connection], Finding]:
    return _entered(scope, check, _RESERVED.format(owner=_OWNERS[scope]))


def _entered(scope: Scope, check: str, expected: str) -> Callable[[Connection], Finding]:
    """Compares what is expected of each account at each time with the entries."""
    # What comes to nothing need not be there: a hold that was freed whole, an access that was absorbed.
    given = f"SELECT * FROM ({expected}) AS given WHERE used <> 0 OR held <> 0"  # noqa: S608 - no value
    found = f"SELECT * FROM ({_ENTERED.format(scope=int(scope))}) AS given WHERE used <> 0 OR held <> 0"  # noqa: S608
    name = scope.name.lower()

    def run(connection: Connection) -> Finding:
        rows = connection.execute(text(_BOTH.format(expected=given, found=found)))
        differences = (
            Difference(f"{name} {key} at {at_us}", _said(*sums[:2]), _said(*sums[2:]))
            for key, at_us, *sums in rows
        )
        return _finding(check, _count(connection, expected), differences)

    return run


def _contents(connection: Connection) -> Finding:
    query = text("SELECT number, used + held, counts FROM entries").execution_options(
        stream_results=True, max_row_buffer=ROWS_AT_ONCE
    )
    count, wrong = 0, list[Difference]()
    for number, posts, counts in connection.execute(query):
        count += 1
        if (by_content := sum(each.posts for each in counts_of(counts))) != posts:
            wrong.append(Difference(f"entry {number}", str(posts), str(by_content)))
    return _finding("each entry: its kinds of content add up to its posts", count, iter(wrong))


def _projections(connection: Connection) -> Finding:
    """Account by account, for all of them at once may be more than fits into memory."""
    position = read_position(connection)
    accounts = connection.execute(text("SELECT id FROM accounts ORDER BY id")).scalars().all()
    return joined(
        [_projections_of(connection, account_id, position) for account_id in accounts],
        "each second, minute and hour = the sum of its entries",
    )


def _projections_of(connection: Connection, account_id: int, position: int) -> Finding:
    entries = connection.execute(
        text(
            "SELECT counted_at_us, access, counts FROM entries"
            " WHERE account_id = :account AND number <= :position"
        ).execution_options(stream_results=True, max_row_buffer=ROWS_AT_ONCE),
        {"account": account_id, "position": position},
    )
    sums = projected((account_id, at_us, access, counts_of(counts)) for at_us, access, counts in entries)
    stored = connection.execute(
        text(
            "SELECT span_us, since_us, access, kind, media_flags, posts FROM projections"
            " WHERE account_id = :account AND posts <> 0"
        ),
        {"account": account_id},
    )
    return compared(
        "",
        {(place.span_us, place.since_us, *_columns(place.content)): posts for place, posts in sums.items()},
        {tuple(key): posts for *key, posts in stored},
    )


def _columns(content: Any) -> Iterator[int]:
    yield from (content.access, content.kind, content.media_flags)


def _count(connection: Connection, rows: str) -> int:
    return int(connection.execute(text(f"SELECT COUNT(*) FROM ({rows}) AS compared")).scalar_one())  # noqa: S608


def _finding(check: str, count: int, differences: Iterator[Difference]) -> Finding:
    listed = tuple(itertools.islice(differences, LISTED))
    return Finding(check, count, listed, len(listed) + sum(1 for _ in differences))


def _said(used: Any, held: Any) -> str:
    return "nothing" if used is None else f"{int(used)} used, {int(held)} held"


CHECKS: tuple[Callable[[Connection], Finding], ...] = (
    _reserved,
    _used,
    _owned(Scope.LICENSEE, "each party's entries = its reservations"),
    _owned(Scope.GROUP, "each group's entries = the reservations of its parties"),
    _owned(Scope.LICENSE, "each license's entries = its reservations"),
    _contents,
    _entered(Scope.SEEN, "accesses seen elsewhere, without what receipts absorbed = their entries", _SEEN),
    _absorbed,
    _projections,
)
