"""What a group of units locks where several processes write the books, before any of them reads (M1, M4).

One order for all, so that nobody waits in a circle: the ids, the tallies by key, and later the head. An id is
locked whether it has a row or not, for two may bring the same one at once. Tallies that are missing are made
before any is locked, in order too: whoever waits for a row that is being made holds no row lock yet.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from sqlalchemy import Connection, text

from services.metering.domain.allowances import AllowanceKey
from services.metering.domain.reservations import Claim
from services.metering.rows import allowances_of

_LOCK_IDS = text("SELECT pg_advisory_xact_lock(id) FROM unnest(CAST(:ids AS bigint[])) AS id")
_ALLOWANCES = text("SELECT allowances FROM reservations WHERE reservation_id = ANY(CAST(:ids AS text[]))")
_MAKE_TALLIES = text("""
    INSERT INTO tallies (scope, key, "window", used, held, last_us, tail_us)
    SELECT wanted.scope, wanted.key, wanted."window", 0, 0, 0, 0
    FROM unnest(CAST(:scopes AS smallint[]), CAST(:keys AS text[]), CAST(:windows AS smallint[]))
        WITH ORDINALITY AS wanted (scope, key, "window", place)
    WHERE NOT EXISTS (
        SELECT FROM tallies
        WHERE (tallies.scope, tallies.key, tallies."window") = (wanted.scope, wanted.key, wanted."window")
    )
    ORDER BY wanted.place
    ON CONFLICT DO NOTHING
""")
_LOCK_TALLIES = text("""
    SELECT tallies.id
    FROM unnest(CAST(:scopes AS smallint[]), CAST(:keys AS text[]), CAST(:windows AS smallint[]))
        WITH ORDINALITY AS wanted (scope, key, "window", place)
    JOIN tallies
        ON (tallies.scope, tallies.key, tallies."window") = (wanted.scope, wanted.key, wanted."window")
    ORDER BY wanted.place
    FOR UPDATE OF tallies
""")


def lock_claims(connection: Connection, claims: Sequence[Claim]) -> None:
    """Locks all that the units of a group will work on, until the transaction ends."""
    numbers = {_number(claim.reservation_id) for claim in claims}
    connection.execute(_LOCK_IDS, {"ids": sorted(numbers)})
    keys = {key for claim in claims for key in claim.keys}
    if on_record := [claim.reservation_id for claim in claims if not claim.keys]:
        for (allowances,) in connection.execute(_ALLOWANCES, {"ids": on_record}):
            keys.update(allowance.key for allowance in allowances_of(allowances))
    if keys:
        columns = _columns(sorted(keys))
        connection.execute(_MAKE_TALLIES, columns)
        connection.execute(_LOCK_TALLIES, columns)


def _number(id: str) -> int:
    """A lock's number; two ids that share one only wait for each other."""
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest(), signed=True)


def _columns(keys: Iterable[AllowanceKey]) -> dict[str, list[int] | list[str]]:
    scopes, ids, windows = zip(*((int(key.scope), key.id, int(key.window)) for key in keys), strict=True)
    return {"scopes": list(scopes), "keys": list(ids), "windows": list(windows)}
