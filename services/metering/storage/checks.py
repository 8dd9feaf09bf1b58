"""What the audit asks of metering's own database, in SQL that shares nothing with the code that counts.

Each side of a check comes from other tables. The database compares, however many rows there are, and gives
what differs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from services.metering.domain.allowances import Scope
from services.metering.domain.audits import LISTED, Difference, Finding
from services.metering.domain.projections import SPANS_US
from services.metering.storage.projecting import read_position

NAMES = {int(scope): scope.name.lower() for scope in Scope}
_OWNERS = {Scope.LICENSE: "license_id", Scope.LICENSEE: "party_id", Scope.GROUP: "group_id"}

_JSON = {
    "sqlite": {
        "each": "json_each({}) AS c",
        "kind": "json_extract(c.value, '$[0]')",
        "media": "json_extract(c.value, '$[1]')",
        "posts": "json_extract(c.value, '$[2]')",
    },
    "postgresql": {
        "each": "json_array_elements(CAST({} AS json)) AS c(value)",
        "kind": "CAST(c.value ->> 0 AS BIGINT)",
        "media": "CAST(c.value ->> 1 AS BIGINT)",
        "posts": "CAST(c.value ->> 2 AS BIGINT)",
    },
}
"""How each engine reads counts, [[kind, media_flags, posts], ...]."""

POSTS_HELD = "CASE WHEN state = 1 THEN COALESCE(posts_kept, posts_reserved) ELSE 0 END"
"""Of a reservation: what is still held."""

_RESERVATIONS = f"""
    SELECT reservation_id, posts_reserved AS expected, {POSTS_HELD} + posts_settled + posts_freed AS found
    FROM reservations
"""  # noqa: S608 - no value
_TALLIES = """
    SELECT a.scope, a.key, t.window_us, COALESCE(SUM(e.used), 0) AS expected_used,
           COALESCE(SUM(e.held), 0) AS expected_held, t.used, t.held
    FROM tallies t JOIN accounts a ON a.id = t.account_id
    LEFT JOIN entries e ON e.account_id = t.account_id AND e.counted_at_us > t.tail_us
    GROUP BY a.scope, a.key, t.account_id, t.window_us, t.used, t.held
"""
_MOMENTS = """
    SELECT key, counted_at_us, SUM(expected_used) AS expected_used, SUM(expected_held) AS expected_held,
           SUM(used) AS used, SUM(held) AS held
    FROM ({expected} UNION ALL
          SELECT a.key, e.counted_at_us, 0, 0, e.used, e.held
          FROM entries e JOIN accounts a ON a.id = e.account_id WHERE a.scope = {scope}) AS sides
    GROUP BY key, counted_at_us
"""
_RESERVED = f"""
    SELECT {{owner}} AS key, counted_at_us, posts_settled AS expected_used, {POSTS_HELD} AS expected_held,
           0 AS used, 0 AS held
    FROM reservations WHERE counted_at_us IS NOT NULL AND {{owner}} <> ''
"""  # noqa: S608 - no value
_SEEN = """
    SELECT party_id AS key, accessed_us AS counted_at_us, posts - absorbed AS expected_used,
           0 AS expected_held, 0 AS used, 0 AS held
    FROM sightings
"""
# What shows no receipt of its own party and kind of access is absorbed by none.
_ABSORBED = """
    SELECT s.reservation_id, s.party_id, s.access, SUM(s.absorbed) AS found,
           CASE WHEN COALESCE(MAX(r.posts_settled), 0) < SUM(s.posts) THEN COALESCE(MAX(r.posts_settled), 0)
                ELSE SUM(s.posts) END AS expected
    FROM sightings s LEFT JOIN reservations r
        ON r.reservation_id = s.reservation_id AND r.party_id = s.party_id AND r.access = s.access
    WHERE s.reservation_id <> '' OR s.absorbed <> 0
    GROUP BY s.reservation_id, s.party_id, s.access
"""
_ABSORPTIONS = """
    SELECT reservation_id, SUM(expected) AS expected, SUM(found) AS found
    FROM (SELECT reservation_id, absorbed AS expected, 0 AS found FROM sightings WHERE absorbed <> 0
          UNION ALL SELECT reservation_id, 0, posts FROM absorptions) AS sides
    GROUP BY reservation_id
"""
_CONTENTS = """
    SELECT a.scope, a.key, e.number, e.used + e.held AS expected,
           COALESCE((SELECT SUM({posts}) FROM {each_of_entry}), 0) AS found
    FROM entries e JOIN accounts a ON a.id = e.account_id
"""
_PROJECTIONS = """
    SELECT a.scope, a.key, sums.span_us, sums.since_us, sums.access, sums.kind, sums.media_flags,
           sums.expected, sums.found
    FROM (SELECT account_id, span_us, since_us, access, kind, media_flags, SUM(expected) AS expected,
                 SUM(found) AS found
          FROM (SELECT e.account_id, s.us AS span_us, e.counted_at_us / s.us * s.us AS since_us, e.access,
                       {kind} AS kind, {media} AS media_flags, {posts} AS expected, 0 AS found
                FROM entries e CROSS JOIN {each_of_entry} CROSS JOIN ({spans}) AS s
                WHERE e.number <= :position
                UNION ALL
                SELECT account_id, span_us, since_us, access, kind, media_flags, 0, posts
                FROM projections WHERE :position >= 0) AS sides
          GROUP BY account_id, span_us, since_us, access, kind, media_flags) AS sums
    JOIN accounts a ON a.id = sums.account_id
"""
_SPANS = " UNION ALL ".join(f"SELECT CAST({span_us} AS BIGINT) AS us" for span_us in SPANS_US)

_ONE_DIFFERS = "expected <> found"
_TWO_DIFFER = "expected_used <> used OR expected_held <> held"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A check of rows that each have both sides."""

    check: str
    rows: str
    """A query for all that is compared."""
    differs: str
    """When a row differs."""
    subject: Callable[[Any], str]
    """What a row is about."""

    def __call__(self, connection: Connection) -> Finding:
        """Counts what is compared and what differs, and reads only of that."""
        rows = in_sql_of(connection, self.rows)
        given = {"position": read_position(connection)} if ":position" in rows else {}
        totals = (
            f"SELECT COUNT(*), COALESCE(SUM(CASE WHEN {self.differs} THEN 1 ELSE 0 END), 0)"  # noqa: S608
            f" FROM ({rows}) AS compared"
        )
        count, differing = map(int, connection.execute(text(totals), given).one())
        listed = f"SELECT * FROM ({rows}) AS compared WHERE {self.differs} ORDER BY 1, 2, 3 LIMIT {LISTED}"  # noqa: S608
        found = connection.execute(text(listed), given).all() if differing else []
        differences = tuple(Difference(self.subject(row), *self._sides(row)) for row in found)
        return Finding(self.check, count, differences, differing)

    def _sides(self, row: Any) -> tuple[str, str]:
        if self.differs == _ONE_DIFFERS:
            return str(int(row.expected)), str(int(row.found))
        return _said(row.expected_used, row.expected_held), _said(row.used, row.held)


def in_sql_of(connection: Connection, query: str) -> str:
    """The query as the engine of a connection understands it."""
    dialect = _JSON[connection.dialect.name]
    words = {name: dialect[name] for name in ("kind", "media", "posts")}
    sides = {f"each_of_{of}": dialect["each"].format(f"{of[0]}.counts") for of in ("entry", "reservation")}
    return query.format(**words, **sides, spans=_SPANS) if "{" in query else query


def _owned(scope: Scope, check: str) -> Comparison:
    return _of_moments(scope, check, _RESERVED.format(owner=_OWNERS[scope]))


def _of_moments(scope: Scope, check: str, expected: str) -> Comparison:
    """Compares what is expected of each account at each time with the entries."""
    name = NAMES[scope]
    rows = _MOMENTS.format(expected=expected, scope=int(scope))
    return Comparison(check, rows, _TWO_DIFFER, lambda row: f"{name} {row.key} at {row.counted_at_us}")


def _account(row: Any) -> str:
    return f"{NAMES[row.scope]} {row.key}"


def _sum(row: Any) -> str:
    content = f"kind {row.kind} with media {row.media_flags} by access {row.access}"
    return f"{_account(row)}, {row.span_us} us from {row.since_us} on, {content}"


def _said(used: Any, held: Any) -> str:
    return f"{int(used)} used, {int(held)} held"


COMPARISONS = (
    Comparison(
        "Each reservation: reserved = still held + settled + freed",
        _RESERVATIONS,
        _ONE_DIFFERS,
        lambda row: f"reservation {row.reservation_id}",
    ),
    Comparison(
        "Each window: used and held = the sums of its entries",
        _TALLIES,
        _TWO_DIFFER,
        lambda row: f"{_account(row)}, window of {row.window_us} us",
    ),
    _owned(Scope.LICENSEE, "Each party's entries = its reservations"),
    _owned(Scope.GROUP, "Each group's entries = the reservations of its parties"),
    _owned(Scope.LICENSE, "Each license's entries = its reservations"),
    Comparison(
        "Each entry: its kinds of content add up to its posts",
        _CONTENTS,
        _ONE_DIFFERS,
        lambda row: f"entry {row.number} of {_account(row)}",
    ),
    _of_moments(Scope.SEEN, "Accesses seen elsewhere, without what receipts absorbed = their entries", _SEEN),
    Comparison(
        "Each receipt absorbs what was settled under it, as far as it is shown",
        _ABSORBED,
        _ONE_DIFFERS,
        lambda row: f"reservation {row.reservation_id or 'of none'} of party {row.party_id}",
    ),
    Comparison(
        "Each receipt: what it has absorbed in all = that of the accesses that show it",
        _ABSORPTIONS,
        _ONE_DIFFERS,
        lambda row: f"reservation {row.reservation_id}",
    ),
    Comparison(
        "Each second, minute and hour = the sum of its entries",
        _PROJECTIONS,
        _ONE_DIFFERS,
        _sum,
    ),
)
