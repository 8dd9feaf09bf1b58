"""Reservations as rows of a table and back.

Lists become compact JSON, so that one row says all of an answer and is read in one go (M4).
"""

import json
from collections.abc import Mapping
from typing import Any

from services.metering.domain.allowances import Allowance, AllowanceKey, NoRoom, Scope, Shortfall
from services.metering.domain.reservations import ContentCount, Counts, Reservation, State, Wanted
from services.metering.domain.windows import Window


def to_row(reservation: Reservation) -> dict[str, Any]:
    """All columns of a new row."""
    wanted = reservation.wanted
    return {
        "number": reservation.number,
        "reservation_id": wanted.reservation_id,
        "request_key": wanted.request_key,
        "party_id": wanted.party_id,
        "counts": _counts_text(wanted.counts),
        "allowances": _text([_allowance_list(allowance) for allowance in wanted.allowances]),
        "counted_at_us": reservation.counted_at_us,
        "posts_reserved": reservation.posts_reserved,
        "no_room": _no_room_text(reservation),
        **to_ending(reservation),
    }


def to_ending(reservation: Reservation) -> dict[str, Any]:
    """The columns that change when a hold ends."""
    return {
        "state": int(reservation.state),
        "settled": _counts_text(reservation.settled),
        "posts_settled": reservation.posts_settled,
        "posts_freed": reservation.posts_freed,
    }


def from_row(row: Mapping[Any, Any]) -> Reservation:
    """The reservation that `to_row` made the row of."""
    wanted = Wanted(
        reservation_id=row["reservation_id"],
        request_key=row["request_key"],
        party_id=row["party_id"],
        counts=_counts(row["counts"]),
        allowances=allowances_of(row["allowances"]),
    )
    no_room, rivals = _no_room(row["no_room"]) if row["no_room"] else (None, ())
    return Reservation(
        number=row["number"],
        wanted=wanted,
        state=State(row["state"]),
        counted_at_us=row["counted_at_us"],
        settled=_counts(row["settled"]),
        no_room=no_room,
        rivals=rivals,
    )


def allowances_of(text: str) -> tuple[Allowance, ...]:
    """The allowances in a row's column, in order."""
    return tuple(_allowance(given) for given in json.loads(text))


def _counts_text(counts: Counts) -> str:
    return _text([[count.kind, count.media_flags, count.posts] for count in counts])


def _counts(text: str) -> Counts:
    return tuple(ContentCount(*count) for count in json.loads(text))


def _allowance_list(allowance: Allowance) -> list[int | str]:
    key = allowance.key
    return [int(key.scope), key.id, int(key.window), allowance.limit]


def _allowance(given: list[Any]) -> Allowance:
    scope, id, window, limit = given
    return Allowance(AllowanceKey(Scope(scope), id, Window(window)), limit)


def _no_room_text(reservation: Reservation) -> str | None:
    obstacle = reservation.no_room
    if obstacle is None:
        return None
    wait = obstacle.shortfall
    return _text(
        [
            _allowance_list(obstacle.allowance),
            obstacle.used,
            obstacle.held,
            wait.retry_at_us,
            wait.exact,
            wait.never,
            list(reservation.rivals),
        ]
    )


def _no_room(text: str) -> tuple[NoRoom, tuple[str, ...]]:
    allowance, used, held, retry_at_us, exact, never, rivals = json.loads(text)
    wait = Shortfall(retry_at_us=retry_at_us, exact=exact, never=never)
    return NoRoom(_allowance(allowance), used, held, wait), tuple(rivals)


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
