"""Reservations for whoever goes through many: holds by their time, and all of them by their numbers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, literal_column, select, tuple_

from services.chassis.bulk import Question
from services.metering.domain.reservations import Place, Reservation
from services.metering.schema.tables import MeteringTable
from services.metering.storage.rows import COLUMNS, from_row

_reservations = MeteringTable.metadata.tables["reservations"]

# A literal, not a parameter: only so does the planner see that the partial indexes fit.
_IS_HELD = _reservations.c.state == literal_column("1")
_ALL = [_reservations.c[name] for name in COLUMNS]

LEFT_OUT = ("counts", "allowances")
"""What no list tells: where as many as fit were asked for, the posts of a batch one by one."""
_IN_SHORT = [
    literal_column("'[]'").label(name) if name in LEFT_OUT else _reservations.c[name] for name in COLUMNS
]
_NAMES = ", ".join("'[]'" if name in LEFT_OUT else f"r.{name}" for name in COLUMNS)
_FOUND = Question(
    f"SELECT {_NAMES} FROM {{given}} CROSS JOIN reservations r WHERE r.reservation_id = given.id",  # noqa: S608
    id="text",
)


def in_short(connection: Connection, reservation_ids: Sequence[str]) -> list[Reservation]:
    """Those that there are, in the order of the ids, each once; without what is `LEFT_OUT`."""
    ids = list(dict.fromkeys(reservation_ids))
    found = [from_row(row) for row in _FOUND.ask(connection, [(id,) for id in ids])]
    by_id = {each.wanted.reservation_id: each for each in found}
    return [by_id[id] for id in ids if id in by_id]


def read_page(connection: Connection, after: int, before_us: int | None, limit: int) -> list[Reservation]:
    """Those with higher numbers, in order, at most `limit`; without what is `LEFT_OUT`.

    With `before_us` only those counted before that time, and those that never held.
    """
    wanted = select(*_IN_SHORT).where(_reservations.c.number > after)
    if before_us is not None:
        counted_at_us = _reservations.c.counted_at_us
        wanted = wanted.where(counted_at_us.is_(None) | (counted_at_us < before_us))
    return _read(connection, wanted.order_by(_reservations.c.number).limit(limit))


def read_holds(
    connection: Connection, before_us: int | None, after: Place | None, limit: int
) -> list[Reservation]:
    """Holds counted before a time, from the place after `after`, oldest first, at most `limit`."""
    place = tuple_(_reservations.c.counted_at_us, _reservations.c.number)
    wanted = select(*_ALL).where(_IS_HELD)
    if before_us is not None:
        wanted = wanted.where(_reservations.c.counted_at_us < before_us)
    if after is not None:
        wanted = wanted.where(place > tuple_(after.counted_at_us, after.number))
    return _read(
        connection, wanted.order_by(_reservations.c.counted_at_us, _reservations.c.number).limit(limit)
    )


def _read(connection: Connection, query: Any) -> list[Reservation]:
    return [from_row(row) for row in connection.execute(query)]
