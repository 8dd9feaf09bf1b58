"""What is on record of somebody of whom nothing was counted in a stretch of time."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from services.metering.domain.allowances import Account, Scope
from services.metering.domain.usage import Stretch
from services.metering.schema.tables import MeteringTable
from services.metering.storage.accounts import find_accounts

_tables = MeteringTable.metadata.tables
_entries, _parties, _memberships = _tables["entries"], _tables["parties"], _tables["memberships"]

_SAID = {
    Scope.LICENSEE: [_parties.c.party_id, _memberships.c.party_id],
    Scope.GROUP: [_memberships.c.group_id],
    Scope.LICENSE: [],
}
"""Columns in which the id stands where something was said of it."""
_LAST = (
    select(_entries.c.counted_at_us)
    .where(
        _entries.c.account_id == bindparam("account"),
        _entries.c.counted_at_us > bindparam("since_us"),
        _entries.c.counted_at_us <= bindparam("until_us"),
    )
    # What was cancelled or absorbed comes to nothing, and is no access.
    .group_by(_entries.c.counted_at_us)
    .having(func.sum(_entries.c.used + _entries.c.held) != 0)
    .order_by(_entries.c.counted_at_us.desc())
    .limit(1)
)


def is_unknown(connection: Connection, whose: Account) -> bool:
    """Whether nothing was ever counted of them, or asked for, or said."""
    scopes = {whose.scope, Scope.SEEN} if whose.scope is Scope.LICENSEE else {whose.scope}
    if find_accounts(connection, [Account(scope, whose.id) for scope in scopes]):
        return False
    said = (select(column).where(column == whose.id).limit(1) for column in _SAID[whose.scope])
    return all(connection.execute(query).first() is None for query in said)


def last_us(connection: Connection, stretches: Sequence[Stretch]) -> int | None:
    """When the last access counts in any of the stretches; None where there is none."""
    found = find_accounts(connection, {stretch.account for stretch in stretches})
    lasts: list[int] = []
    for stretch in stretches:
        if stretch.account in found:
            id, _ = found[stretch.account]
            given = {"account": id, "since_us": stretch.since_us, "until_us": stretch.until_us}
            lasts += connection.scalars(_LAST, given)
    return max(lasts, default=None)
