"""Halts on record (C12)."""

from typing import Any

from sqlalchemy import Connection, Select, insert, select

from services.consent.domain.halts import Halt, HaltKind, HaltOrder, HaltScope, check_lift
from services.consent.domain.outcomes import Halted
from services.consent.domain.withdrawals import Cause, Withdrawal
from services.consent.storage.head import Part, advance
from services.consent.storage.tables import TABLES
from services.consent.storage.withdrawals import record_withdrawals

_HALTS = TABLES["halts"]
_ENDS = TABLES["halt_ends"]
_WHOLE = select(_HALTS, _ENDS.c.lifted_us, _ENDS.c.lifted_by).join(
    _ENDS, _ENDS.c.halt_id == _HALTS.c.halt_id, isouter=True
)


def order(connection: Connection, order: HaltOrder, now_us: int, by: str) -> Halted:
    """Records a halt."""
    taken = advance(connection, 1, now_us, Part.HALTS)
    revision = taken.last(1)
    row = {
        "halt_id": revision.number,
        "kind": order.scope.kind,
        "value": order.scope.value,
        "cause": order.cause,
        "recall": order.recall,
        "ordered_us": taken.at_us,
        "ordered_by": by,
    }
    connection.execute(insert(_HALTS), [row])
    if order.recall:
        withdrawal = Withdrawal(Cause.HALT, halt=order.scope)
        record_withdrawals(connection, {revision.number: withdrawal}, taken.at_us)
    return Halted(revision.number, revision)


def lift(connection: Connection, halt_id: int, now_us: int, by: str) -> Halted:
    """Records its end; raises Refusal HALT_UNKNOWN, HALT_ENDED."""
    check_lift(read_halt(connection, halt_id))
    taken = advance(connection, 1, now_us, Part.HALTS)
    revision = taken.last(1)
    row = {"halt_id": halt_id, "revision": revision.number, "lifted_us": taken.at_us, "lifted_by": by}
    connection.execute(insert(_ENDS), [row])
    return Halted(halt_id, revision)


def read_halt(connection: Connection, halt_id: int) -> Halt | None:
    """One halt."""
    row = connection.execute(_WHOLE.where(_HALTS.c.halt_id == halt_id)).one_or_none()
    return None if row is None else _halt(row)


def read_page(
    connection: Connection, below: int | None, limit: int | None, *, in_force_only: bool
) -> tuple[Halt, ...]:
    """At most `limit` halts with an id below one, newest first."""
    page: Select[Any] = _WHOLE.order_by(_HALTS.c.halt_id.desc()).limit(limit)
    if below is not None:
        page = page.where(_HALTS.c.halt_id < below)
    if in_force_only:
        page = page.where(_ENDS.c.lifted_us.is_(None))
    return tuple(map(_halt, connection.execute(page)))


def read_in_force(connection: Connection) -> frozenset[HaltScope]:
    """What is stopped."""
    rows = connection.execute(
        select(_HALTS.c.kind, _HALTS.c.value)
        .join(_ENDS, _ENDS.c.halt_id == _HALTS.c.halt_id, isouter=True)
        .where(_ENDS.c.lifted_us.is_(None))
    )
    return frozenset(HaltScope(HaltKind(kind), value) for kind, value in rows)


def _halt(row: Any) -> Halt:
    scope = HaltScope(HaltKind(row.kind), row.value)
    ordered = HaltOrder(scope, row.cause, row.recall)
    return Halt(row.halt_id, ordered, row.ordered_us, row.ordered_by, row.lifted_us, row.lifted_by or "")
