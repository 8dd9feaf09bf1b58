"""The stream of withdrawals, written with what withdraws, read in the order of revisions (W1)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CompoundSelect, Connection, insert, select

from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.withdrawals import Cause, Recorded, Withdrawal
from services.consent.storage.codec import decode_countries, encode_countries, signed, unsigned
from services.consent.storage.tables import TABLES

_WITHDRAWALS = TABLES["withdrawals"]
_ADD = insert(_WITHDRAWALS)


def record_withdrawals(connection: Connection, withdrawals: Mapping[int, Withdrawal], at_us: int) -> None:
    """Records withdrawals by the revision of what withdraws."""
    if withdrawals:
        rows = [_row(revision, withdrawal, at_us) for revision, withdrawal in withdrawals.items()]
        connection.execute(_ADD, rows)


def read_withdrawals(connection: Connection, above: int, limit: int) -> tuple[Recorded, ...]:
    """At most `limit` after a revision, in order."""
    page = select(_WITHDRAWALS).where(_WITHDRAWALS.c.revision > above)
    rows = connection.execute(page.order_by(_WITHDRAWALS.c.revision).limit(limit))
    return tuple(_recorded(row) for row in rows)


def read_withdrawals_at(
    connection: Connection, revisions: CompoundSelect[tuple[int]]
) -> tuple[Recorded, ...]:
    """Those that have one of these revisions, in order."""
    known = select(_WITHDRAWALS).where(_WITHDRAWALS.c.revision.in_(revisions))
    return tuple(_recorded(row) for row in connection.execute(known.order_by(_WITHDRAWALS.c.revision)))


def _row(revision: int, withdrawal: Withdrawal, at_us: int) -> dict[str, Any]:
    halt = withdrawal.halt
    return {
        "revision": revision,
        "cause": withdrawal.cause,
        "subject_id": signed(withdrawal.subject_id),
        "post_id": signed(withdrawal.post_id),
        "licensee": withdrawal.licensee,
        "purposes": ",".join(map(str, withdrawal.purposes)),
        "countries": encode_countries(withdrawal.countries),
        "policy_version": withdrawal.policy_version,
        "halt_kind": 0 if halt is None else halt.kind,
        "halt_value": "" if halt is None else halt.value,
        "recorded_us": at_us,
    }


def _recorded(row: Any) -> Recorded:
    withdrawal = Withdrawal(
        Cause(row.cause),
        unsigned(row.subject_id),
        unsigned(row.post_id),
        row.licensee,
        tuple(int(purpose) for purpose in row.purposes.split(",")),
        tuple(sorted(decode_countries(row.countries))),
        row.policy_version,
        HaltScope(HaltKind(row.halt_kind), row.halt_value) if row.halt_kind else None,
    )
    return Recorded(row.revision, withdrawal, row.recorded_us)
