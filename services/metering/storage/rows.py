"""Reservations as rows of a table and back.

Lists become compact JSON, so that one row says all of an answer and is read in one go (M4).
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from services.metering.domain.allowances import Account, Allowance, NoRoom, Scope, Shortfall
from services.metering.domain.reservations import (
    Access,
    ContentCount,
    Counts,
    Reservation,
    State,
    Wanted,
    posts_in,
)

COLUMNS = {
    "number": "bigint",
    "reservation_id": "text",
    "request_key": "text",
    "party_id": "text",
    "license_id": "text",
    "access": "smallint",
    "counts": "text",
    "allowances": "text",
    "as_many_as_fit": "boolean",
    "delivered": "boolean",
    "counted_at_us": "bigint",
    "group_id": "text",
    "held": "text",
    "posts_reserved": "bigint",
    "no_room": "text",
    "state": "smallint",
    "settled": "text",
    "posts_settled": "bigint",
    "posts_freed": "bigint",
    "kept": "text",
    "posts_kept": "bigint",
}
"""All columns of a reservation with their types, in the order of `to_row` and `from_row`."""
CHANGING = ("state", "settled", "posts_settled", "posts_freed", "kept", "posts_kept")
"""The columns that change when a hold is reduced or ends; the last ones of all."""


def to_row(reservation: Reservation) -> tuple[Any, ...]:
    """All columns of a new row."""
    wanted = reservation.wanted
    counts = counts_text(wanted.counts)
    return (
        reservation.number,
        wanted.reservation_id,
        wanted.request_key,
        wanted.party_id,
        wanted.license_id,
        int(wanted.access),
        counts,
        _allowances_text(wanted.allowances),
        wanted.as_many_as_fit,
        wanted.delivered,
        reservation.counted_at_us,
        reservation.group_id,
        # As a rule it is the very same.
        counts if reservation.reserved is wanted.counts else counts_text(reservation.reserved),
        reservation.posts_reserved,
        _no_room_text(reservation),
        *to_changing(reservation),
    )


def to_changing(reservation: Reservation) -> tuple[Any, ...]:
    """The columns of `CHANGING`."""
    kept = reservation.kept
    return (
        int(reservation.state),
        counts_text(reservation.settled),
        reservation.posts_settled,
        reservation.posts_freed,
        None if kept is None else counts_text(kept),
        None if kept is None else posts_in(kept),
    )


def from_row(row: Any) -> Reservation:
    """The reservation that `to_row` made the row of."""
    number, id, request_key, party_id, license_id, access, counts, allowances, fit, delivered, *rest = row
    counted_at_us, group_id, reserved, _, no_room_text, state, settled, _, _, kept, _ = rest
    wanted = Wanted(
        reservation_id=id,
        request_key=request_key,
        party_id=party_id,
        license_id=license_id,
        access=Access(access),
        counts=counts_of(counts),
        allowances=tuple(_allowance(given) for given in json.loads(allowances)),
        as_many_as_fit=bool(fit),
        delivered=bool(delivered),
    )
    no_room, rivals = _no_room(no_room_text) if no_room_text else (None, ())
    return Reservation(
        number=number,
        wanted=wanted,
        state=State(state),
        counted_at_us=counted_at_us,
        group_id=group_id,
        reserved=counts_of(reserved),
        settled=counts_of(settled),
        kept=None if kept is None else counts_of(kept),
        no_room=no_room,
        rivals=rivals,
    )


def counts_text(counts: Counts) -> str:
    """[[kind, media_flags, posts], ...]."""
    if not counts:
        return "[]"
    # By hand, for this is done several times for each reservation, and the encoder of JSON takes its time.
    return "[" + ",".join([f"[{each.kind},{each.media_flags},{each.posts}]" for each in counts]) + "]"


def counts_of(text: str) -> Counts:
    """What `counts_text` made the text of."""
    return tuple(ContentCount(*count) for count in json.loads(text))


def _allowances_text(allowances: tuple[Allowance, ...]) -> str:
    """[[scope, id, window_us, limit], ...]."""
    parts = [
        f"[{each.account.scope.value},{encode_basestring_ascii(each.account.id)},{each.window_us},{each.limit}]"
        for each in allowances
    ]
    return "[" + ",".join(parts) + "]"


def _allowance_list(allowance: Allowance) -> list[int | str]:
    account = allowance.account
    return [int(account.scope), account.id, allowance.window_us, allowance.limit]


def _allowance(given: list[Any]) -> Allowance:
    scope, id, window_us, limit = given
    return Allowance(Account(Scope(scope), id), window_us, limit)


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
