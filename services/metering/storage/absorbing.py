"""Which of the accesses seen elsewhere are those of a release, as it stands in the database (M7).

A page or a settlement reads what it changes, however many accesses have shown the receipt before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, bindparam, literal_column, select, tuple_

from services.chassis.bulk import Change as Update
from services.chassis.bulk import Insertion, Question
from services.metering.domain.absorption import (
    NOTHING_ABSORBED,
    Absorbed,
    Change,
    Step,
    is_of,
    reported,
    settled,
)
from services.metering.domain.reservations import Reservation
from services.metering.domain.seen import AccessKey, Kept
from services.metering.domain.sheets import Entry
from services.metering.schema.tables import MeteringTable
from services.metering.storage.sighting_rows import COLUMNS, SELECTED, entry, from_row

NextNumber = Callable[[], int]
"""Takes the next number from the head."""
Given = dict[str, str | int]
"""A receipt with party and kind of access, and a place in the order of absorption."""

BEGINNING_US = -1
"""Before every time of an access."""
LINES_AT_ONCE = 256
"""Accesses of a receipt read at once: more than are absorbed or displaced as a rule."""

_sightings = MeteringTable.metadata.tables["sightings"]
_ORDER = [_sightings.c[name] for name in ("accessed_us", "source", "id")]
_PLACE = tuple_(*(bindparam(column.name, type_=column.type) for column in _ORDER))
_OF_A_RECEIPT = select(*(_sightings.c[name] for name in COLUMNS)).where(
    # A literal, not a parameter: only so does the planner see that the partial index fits.
    _sightings.c.reservation_id != literal_column("''"),
    _sightings.c.reservation_id == bindparam("receipt"),
    _sightings.c.party_id == bindparam("party"),
    _sightings.c.access == bindparam("access"),
)
_FORWARDS = _OF_A_RECEIPT.where(tuple_(*_ORDER) > _PLACE).order_by(*_ORDER).limit(LINES_AT_ONCE)
_BACKWARDS = (
    _OF_A_RECEIPT.where(tuple_(*_ORDER) < _PLACE)
    .order_by(*(column.desc() for column in _ORDER))
    .limit(LINES_AT_ONCE)
)

_SHOWN = Question(
    # Its last words are for the planner to see that the partial index fits.
    "SELECT given.id FROM {given} WHERE EXISTS (SELECT 1 FROM sightings s"
    " WHERE s.reservation_id = given.id AND s.reservation_id <> '')",
    id="text",
)
_ABSORBED = Question(
    SELECTED + ", a.posts FROM {given} CROSS JOIN absorptions a CROSS JOIN sightings s"
    " WHERE a.reservation_id = given.id AND s.number = a.last_number",
    id="text",
)
_ABSORPTIONS = Insertion(
    "absorptions",
    {"reservation_id": "text", "posts": "bigint", "last_number": "bigint"},
    "ON CONFLICT (reservation_id) DO UPDATE SET posts = excluded.posts, last_number = excluded.last_number",
)
_CHANGED = Update("sightings", {"number": "bigint"}, {"absorbed": "bigint"})


@dataclass(frozen=True, slots=True)
class Absorption:
    """What one page of accesses changes for the receipts that they show."""

    new: Mapping[AccessKey, int]
    """Posts absorbed of each access that is new and shows a receipt."""
    displaced: Sequence[Change]
    entries: Sequence[Entry]
    """What was displaced counts; still to be written, each with a number of its own."""


def absorb_shown(
    connection: Connection, reservations: Sequence[Reservation], next_number: NextNumber
) -> list[Entry]:
    """Absorbs what had shown these receipts before they were settled, which they have just been.

    Gives the entries that say so, still to be written, each with a number of its own.
    """
    waiting = {each.wanted.reservation_id: each for each in reservations if each.posts_settled}
    shown = _SHOWN.ask(connection, [(id,) for id in waiting])
    steps = {id: settled(waiting[id].posts_settled, _shown(connection, waiting[id])) for (id,) in shown}
    return _write(connection, steps, next_number)


def absorb_new(
    connection: Connection,
    reservations: Mapping[str, Reservation],
    new: Iterable[Kept],
    next_number: NextNumber,
) -> Absorption:
    """Absorbs what is new, and not yet written, in the place of what it displaces; receipts by id."""
    fitting: dict[str, list[Kept]] = {}
    for kept in new:
        receipt = reservations.get(kept.seen.reservation_id)
        if receipt is not None and receipt.posts_settled and is_of(kept.seen, receipt.wanted):
            fitting.setdefault(kept.seen.reservation_id, []).append(kept)
    ends = _ends(connection, fitting)
    steps: dict[str, Step] = {}
    for id, theirs in fitting.items():
        before, earlier = ends.get(id, (NOTHING_ABSORBED, iter(())))
        steps[id] = reported(reservations[id].posts_settled, before, earlier, theirs)
    return Absorption(
        {key: posts for step in steps.values() for key, posts in step.new.items()},
        [change for step in steps.values() for change in step.changes],
        _write(connection, steps, next_number),
    )


def _ends(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[Absorbed, Iterator[Kept]]]:
    """Of each receipt that absorbs something how much it is, and of what, the last in order first."""
    ends: dict[str, tuple[Absorbed, Iterator[Kept]]] = {}
    for *row, posts in _ABSORBED.ask(connection, [(id,) for id in ids]):
        last = from_row(tuple(row))
        earlier = chain([last], _before(connection, last))
        ends[last.seen.reservation_id] = Absorbed(posts, last.number), earlier
    return ends


def _shown(connection: Connection, receipt: Reservation) -> Iterator[Kept]:
    """What shows a receipt and can be the release itself, in the order of absorption."""
    wanted = receipt.wanted
    given: Given = {"receipt": wanted.reservation_id, "party": wanted.party_id, "access": int(wanted.access)}
    return _paged(connection, _FORWARDS, given | {"accessed_us": BEGINNING_US, "source": "", "id": ""})


def _before(connection: Connection, last: Kept) -> Iterator[Kept]:
    """What shows the same receipt and stands before an access, the last in the order of absorption first."""
    seen = last.seen
    given: Given = {"receipt": seen.reservation_id, "party": seen.party_id, "access": int(seen.access)}
    place: Given = {"accessed_us": seen.at_us, "source": seen.key.source, "id": seen.key.id}
    return _paged(connection, _BACKWARDS, given | place)


def _paged(connection: Connection, query: Select[Any], given: Given) -> Iterator[Kept]:
    """Rows from the place that is given on, read as they are asked for."""
    while True:
        rows = connection.execute(query, given).all()
        kept = [from_row(tuple(row)) for row in rows]
        yield from kept
        if len(kept) < LINES_AT_ONCE:
            return
        seen = kept[-1].seen
        given = given | {"accessed_us": seen.at_us, "source": seen.key.source, "id": seen.key.id}


def _write(connection: Connection, steps: Mapping[str, Step], next_number: NextNumber) -> list[Entry]:
    """Writes what receipts absorb from now on; gives the entries of what is changed."""
    absorbed = [(id, step.absorbed) for id, step in steps.items() if step.absorbed.posts]
    _ABSORPTIONS.run(connection, [(id, each.posts, each.last_number) for id, each in absorbed])
    changes = [change for step in steps.values() for change in step.changes]
    _CHANGED.run(connection, [(change.kept.number, change.absorbed) for change in changes])
    return [
        entry(change.kept.seen, next_number(), change.kept.absorbed - change.absorbed) for change in changes
    ]
