"""The audit of metering's own database, all of it read from one snapshot.

Each side of a check comes from other tables; nothing is shared with the code that keeps the sums but the
names of columns.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.metering.domain.allowances import Scope
from services.metering.domain.audits import Finding, compared, joined
from services.metering.domain.projections import projected
from services.metering.domain.reservations import Revision
from services.metering.storage.head import read_head
from services.metering.storage.projecting import read_position
from services.metering.storage.rows import counts_of

_NAMES = {int(scope): scope.name.lower() for scope in Scope}

_TALLIES = """
    SELECT a.scope, a.key, t.window_us, t.used, t.held,
           COALESCE(SUM(e.used), 0) AS entered_used, COALESCE(SUM(e.held), 0) AS entered_held
    FROM tallies t JOIN accounts a ON a.id = t.account_id
    LEFT JOIN entries e ON e.account_id = t.account_id AND e.counted_at_us > t.tail_us
    GROUP BY a.scope, a.key, t.account_id, t.window_us, t.used, t.held
"""
_ENTERED = """
    SELECT a.scope, a.key, e.counted_at_us, SUM(e.used) AS used, SUM(e.held) AS held
    FROM entries e JOIN accounts a ON a.id = e.account_id WHERE a.scope = :scope
    GROUP BY a.scope, a.key, e.counted_at_us
"""
_RESERVED = """
    SELECT {owner} AS key, counted_at_us, SUM(posts_settled) AS used,
           SUM(CASE WHEN state = 1 THEN posts_reserved ELSE 0 END) AS held
    FROM reservations WHERE counted_at_us IS NOT NULL AND {owner} <> ''
    GROUP BY {owner}, counted_at_us
"""
_OWNERS = {Scope.LICENSE: "license_id", Scope.LICENSEE: "party_id", Scope.GROUP: "group_id"}
_UNBALANCED = """
    SELECT reservation_id, posts_reserved,
           CASE WHEN state = 1 THEN posts_reserved ELSE 0 END + posts_settled + posts_freed AS accounted
    FROM reservations
"""
_SEEN = """
    SELECT party_id, accessed_us, SUM(posts - absorbed) AS used FROM sightings GROUP BY party_id, accessed_us
"""
_ABSORBED = """
    SELECT s.reservation_id, SUM(s.absorbed) AS absorbed, MAX(r.posts_settled) AS settled
    FROM sightings s JOIN reservations r
        ON r.reservation_id = s.reservation_id AND r.party_id = s.party_id
    WHERE s.reservation_id <> '' GROUP BY s.reservation_id
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
    rows = connection.execute(text(_UNBALANCED)).all()
    return compared(
        "each reservation: reserved = still held + settled + freed",
        {f"reservation {row.reservation_id}": row.posts_reserved for row in rows},
        {f"reservation {row.reservation_id}": row.accounted for row in rows},
    )


def _used(connection: Connection) -> Finding:
    rows = connection.execute(text(_TALLIES)).all()

    def names(row: Any) -> str:
        return f"{_NAMES[row.scope]} {row.key}, window of {row.window_us} us"

    return compared(
        "each window: used and held = the sums of its entries",
        {names(row): _said(row.entered_used, row.entered_held) for row in rows},
        {names(row): _said(row.used, row.held) for row in rows},
    )


def _owned(scope: Scope, check: str) -> Callable[[Connection], Finding]:
    def run(connection: Connection) -> Finding:
        # The name of a column, of those above.
        reserved = connection.execute(text(_RESERVED.format(owner=_OWNERS[scope])))
        name = scope.name.lower()
        return compared(
            check,
            {f"{name} {key} at {at_us}": _said(used, held) for key, at_us, used, held in reserved},
            _entered(connection, scope),
        )

    return run


def _seen(connection: Connection) -> Finding:
    rows = connection.execute(text(_SEEN))
    return compared(
        "accesses seen elsewhere, without what receipts absorbed = their entries",
        {f"seen {party} at {at_us}": _said(used, 0) for party, at_us, used in rows},
        _entered(connection, Scope.SEEN),
    )


def _absorbed(connection: Connection) -> Finding:
    rows = connection.execute(text(_ABSORBED)).all()
    return compared(
        "no receipt absorbs more than was settled under it",
        {f"reservation {row.reservation_id}": min(row.absorbed, row.settled) for row in rows},
        {f"reservation {row.reservation_id}": row.absorbed for row in rows},
    )


def _contents(connection: Connection) -> Finding:
    rows = connection.execute(text("SELECT number, used + held AS posts, counts FROM entries")).all()
    return compared(
        "each entry: its kinds of content add up to its posts",
        {f"entry {row.number}": row.posts for row in rows},
        {f"entry {row.number}": sum(count.posts for count in counts_of(row.counts)) for row in rows},
    )


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
        ),
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
        {(place.span_us, place.since_us, *_tuple(place.content)): posts for place, posts in sums.items()},
        {tuple(key): posts for *key, posts in stored},
    )


def _tuple(content: Any) -> Iterator[int]:
    yield from (content.access, content.kind, content.media_flags)


def _entered(connection: Connection, scope: Scope) -> dict[str, str]:
    """What comes to nothing need not be there."""
    rows = connection.execute(text(_ENTERED), {"scope": int(scope)})
    name = scope.name.lower()
    return {f"{name} {key} at {at_us}": _said(used, held) for _, key, at_us, used, held in rows}


def _said(used: Any, held: Any) -> str:
    return f"{int(used)} used, {int(held)} held"


CHECKS: tuple[Callable[[Connection], Finding], ...] = (
    _reserved,
    _used,
    _owned(Scope.LICENSEE, "each party's entries = its reservations"),
    _owned(Scope.GROUP, "each group's entries = the reservations of its parties"),
    _owned(Scope.LICENSE, "each license's entries = its reservations"),
    _contents,
    _seen,
    _absorbed,
    _projections,
)
