"""Accesses put on record by millions, as if they had been reported, with their sums."""

from sqlalchemy import Connection, text

from services.chassis.bulk import Insertion
from services.metering.domain.allowances import Scope
from services.metering.domain.projections import SPANS_US

KIND = 1
ENTRIES = Insertion(
    "entries",
    {
        "account_id": "bigint",
        "counted_at_us": "bigint",
        "number": "bigint",
        "used": "bigint",
        "held": "bigint",
        "access": "smallint",
        "counts": "text",
    },
)

_ACCOUNT = text("INSERT INTO accounts VALUES (:id, :scope, :key, 0)")
_SUMS = text(
    "INSERT INTO projections (account_id, span_us, since_us, access, kind, media_flags, posts)"
    " SELECT account_id, :span, counted_at_us / :span * :span, access, :kind, 0, SUM(used) FROM entries"
    " GROUP BY account_id, counted_at_us / :span * :span, access"
)


def make_account(connection: Connection, account_id: int, party_id: str) -> None:
    """For what is seen elsewhere of a party."""
    connection.execute(_ACCOUNT, {"id": account_id, "scope": int(Scope.SEEN), "key": party_id})


def add_up(connection: Connection, last: int) -> None:
    """Makes the sums of all entries, of which `last` is the number of the last."""
    for span_us in SPANS_US:
        connection.execute(_SUMS, {"span": span_us, "kind": KIND})
    for table in ("projected", "head"):
        connection.execute(text(f"UPDATE {table} SET number = :last"), {"last": last})
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


def take_any_time(connection: Connection) -> None:
    """Keeps the server from ending what takes longer than anything that is served may."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
