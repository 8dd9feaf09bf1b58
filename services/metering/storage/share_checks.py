"""Compares what each reservation comes to, by content, with its entries in every account that it counts in.

The database finds the times of accounts at which the two sides are not the same; only those are read, to name
the reservation.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

from services.metering.domain.allowances import Posts
from services.metering.domain.audits import LISTED, Difference, Finding
from services.metering.domain.shares import Share, differing, figures
from services.metering.storage.checks import NAMES, POSTS_HELD, in_sql_of
from services.metering.storage.rows import counts_of

CHECK = "Each reservation: what it holds and has settled, by content = its entries in each account"
NO_ACCOUNT = 0
"""Of what counts in an account that is not there; row ids begin with 1."""

_OWNED = f"""
    SELECT number, reservation_id, {{scope}} AS scope, {{owner}} AS key, counted_at_us, access,
           posts_settled AS used, {POSTS_HELD} AS held,
           CASE state WHEN 1 THEN COALESCE(kept, held) WHEN 2 THEN settled ELSE '[]' END AS counts
    FROM reservations WHERE counted_at_us IS NOT NULL AND {{owner}} <> ''
"""  # noqa: S608 - no value
_OWNERS = {1: "license_id", 2: "party_id", 3: "group_id"}
_BOOKED = " UNION ALL ".join(_OWNED.format(scope=scope, owner=owner) for scope, owner in _OWNERS.items())
_RESERVED = f"""
    SELECT COALESCE(a.id, {NO_ACCOUNT}) AS account_id, b.number, b.reservation_id, b.counted_at_us, b.access,
           b.used, b.held, b.counts
    FROM ({_BOOKED}) AS b LEFT JOIN accounts a ON a.scope = b.scope AND a.key = b.key
"""  # noqa: S608 - no value
_MADE_BY = """
    entries e LEFT JOIN reductions d ON d.number = e.number
    LEFT JOIN reservations r ON r.number = COALESCE(d.reservation_number, e.number)
"""
# The first entry and those that reduced it are what is there of a reservation already; an ending is to be
# what is lacking still.
_ENTERED = f"""
    SELECT e.account_id, COALESCE(r.number, e.number) AS number, e.counted_at_us, e.access, e.used, e.held,
           e.counts, CASE WHEN r.number IS NULL THEN -1 ELSE 1 END AS side
    FROM {_MADE_BY} JOIN accounts a ON a.id = e.account_id
    WHERE a.scope <> 4
"""  # noqa: S608 - no value
_DIFFERING = f"""
    WITH reserved AS ({_RESERVED}), entered AS ({_ENTERED}),
    parts AS (
        SELECT account_id, counted_at_us, number, 1 AS side, access, 0 AS kind, 0 AS media_flags,
               used AS posts, held
        FROM reserved
        UNION ALL
        SELECT r.account_id, r.counted_at_us, r.number, 1, r.access, {{kind}}, {{media}}, {{posts}}, 0
        FROM reserved r CROSS JOIN {{each_of_reservation}}
        UNION ALL
        SELECT account_id, counted_at_us, number, side, access, 0, 0, -side * used, -side * held
        FROM entered
        UNION ALL
        SELECT e.account_id, e.counted_at_us, e.number, e.side, e.access, {{kind}}, {{media}},
               -e.side * {{posts}}, 0
        FROM entered e CROSS JOIN {{each_of_entry}}
    ),
    changes AS (
        SELECT account_id, counted_at_us, side, access, kind, media_flags, SUM(posts) AS posts,
               SUM(held) AS held
        FROM parts GROUP BY account_id, counted_at_us, number, side, access, kind, media_flags
        HAVING SUM(posts) <> 0 OR SUM(held) <> 0
    ),
    unequal AS (
        SELECT account_id, counted_at_us FROM changes
        GROUP BY account_id, counted_at_us, access, kind, media_flags, posts, held HAVING SUM(side) <> 0
    ),
    times AS (SELECT DISTINCT account_id, counted_at_us FROM unequal)
    SELECT account_id, counted_at_us, COUNT(*) OVER () AS times FROM times
    ORDER BY account_id, counted_at_us LIMIT {LISTED}
"""  # noqa: S608 - no value
_COUNT = text(f"SELECT COUNT(*) FROM ({_BOOKED}) AS booked")  # noqa: S608 - no value
_RESERVATIONS = text(
    f"SELECT * FROM ({_RESERVED}) AS reserved WHERE counted_at_us IN :times ORDER BY number"  # noqa: S608 - no value
).bindparams(bindparam("times", expanding=True))
_ENTRIES = text(
    "SELECT COALESCE(r.number, e.number) AS number, r.reservation_id, e.access, e.used, e.held, e.counts"  # noqa: S608
    f" FROM {_MADE_BY} WHERE e.account_id = :account AND e.counted_at_us = :at ORDER BY e.number"
)
_ACCOUNT = text("SELECT scope, key FROM accounts WHERE id = :account")


def check_shares(connection: Connection) -> Finding:
    """What differs in the first hundred times of accounts is named, the other times are counted."""
    compared = int(connection.execute(_COUNT).scalar_one())
    times = connection.execute(text(in_sql_of(connection, _DIFFERING))).all()
    named = _named(connection, times) if times else []
    more = times[0].times - len(times) if times else 0
    return Finding(CHECK, compared, tuple(named[:LISTED]), len(named) + more)


def _named(connection: Connection, times: Sequence[Any]) -> list[Difference]:
    reserved: defaultdict[tuple[int, int], list[Share]] = defaultdict(list)
    for row in connection.execute(_RESERVATIONS, {"times": sorted({time.counted_at_us for time in times})}):
        reserved[row.account_id, row.counted_at_us].append(_share(row))
    return [
        difference
        for account_id, at_us, _ in times
        for difference in differing(
            reserved[account_id, at_us],
            _entries(connection, account_id, at_us),
            _name(connection, account_id),
        )
    ]


def _entries(connection: Connection, account_id: int, at_us: int) -> list[Share]:
    return [_share(row) for row in connection.execute(_ENTRIES, {"account": account_id, "at": at_us})]


def _share(row: Any) -> Share:
    name = f"reservation {row.reservation_id}" if row.reservation_id else f"entry {row.number}"
    return Share(row.number, name, figures(Posts(row.used, row.held), row.access, counts_of(row.counts)))


def _name(connection: Connection, account_id: int) -> str:
    if account_id == NO_ACCOUNT:
        return "an account that is not there"
    scope, key = connection.execute(_ACCOUNT, {"account": account_id}).one()
    return f"{NAMES[scope]} {key}"
