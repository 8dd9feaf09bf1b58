"""One reservation from its first word to its last: HELD, then SETTLED or CANCELLED; or NO_ROOM (M2, M4).

Always: posts reserved = posts still held + posts settled + posts freed.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.chassis.refusals import FieldViolation, Kind, Refusal, invalid, not_found, precondition
from services.metering.domain.allowances import Allowance, AllowanceKey, NoRoom


class State(enum.IntEnum):
    """Where a reservation stands; the numbers are those of `ReservationState` in the contract."""

    HELD = 1
    SETTLED = 2
    CANCELLED = 3
    NO_ROOM = 4


@dataclass(frozen=True, order=True, slots=True)
class ContentCount:
    """Posts of one kind of content with the same media."""

    kind: int
    """Number of a `sluice.type.v1.ContentKind`."""
    media_flags: int
    """Sum of `sluice.type.v1.MediaFlag` values."""
    posts: int


Counts = tuple[ContentCount, ...]
"""Sorted, each kind with the same media once."""


def in_order(counts: Iterable[ContentCount], field: str) -> Counts:
    """The counts sorted; raises Refusal (invalid, INVALID_REQUEST) naming `field` when a kind comes twice."""
    seen: set[tuple[int, int]] = set()
    given = tuple(counts)
    for index, count in enumerate(given):
        if (count.kind, count.media_flags) in seen:
            raise invalid(
                "INVALID_REQUEST",
                "the same kind and media is counted more than once",
                field=f"{field}[{index}]",
            )
        seen.add((count.kind, count.media_flags))
    return tuple(sorted(given))


def posts_in(counts: Counts) -> int:
    """All posts, one each whatever their kind (M5)."""
    return sum(count.posts for count in counts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a Reserve asks for. All of it is content: with another word it is another request (M4)."""

    reservation_id: str
    request_key: str
    party_id: str
    counts: Counts
    allowances: tuple[Allowance, ...]
    """In the order of locking."""

    @property
    def posts(self) -> int:
        """How many posts to hold room for."""
        return posts_in(self.counts)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a unit of work is about, known before it begins: what it locks follows from this."""

    reservation_id: str
    keys: tuple[AllowanceKey, ...] = ()
    """In order; those of a reservation on record are claimed with it."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation as stored."""

    number: int
    """The number its first word got from the head row."""
    wanted: Wanted
    state: State
    counted_at_us: int | None = None
    """Metering's stamp on the hold; None if it never held."""
    settled: Counts = ()
    no_room: NoRoom | None = None
    """Set when NO_ROOM."""
    rivals: tuple[str, ...] = ()
    """When NO_ROOM: the other holds of the same request at that time."""

    @property
    def posts_reserved(self) -> int:
        """Posts it was made for; 0 if it never held."""
        return 0 if self.counted_at_us is None else self.wanted.posts

    @property
    def posts_settled(self) -> int:
        """Posts that count for good."""
        return posts_in(self.settled)

    @property
    def posts_freed(self) -> int:
        """Posts that no longer count: by settling less, or by cancelling."""
        return 0 if self.state is State.HELD else self.posts_reserved - self.posts_settled

    @property
    def was_cancelled_unseen(self) -> bool:
        """Whether its cancellation came before any Reserve, so that its content is not known."""
        return self.state is State.CANCELLED and not self.wanted.request_key


@dataclass(frozen=True, order=True, slots=True)
class Revision:
    """How far the books have been written; compared as a pair (R5)."""

    epoch: int
    number: int


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where a hold stands in the order of holds, oldest first."""

    counted_at_us: int
    number: int


def cancelled_unseen(reservation_id: str, number: int) -> Reservation:
    """What is stored for the Cancel of an unknown id; a Reserve that comes later holds nothing (M2)."""
    unknown = Wanted(reservation_id, request_key="", party_id="", counts=(), allowances=())
    return Reservation(number, unknown, State.CANCELLED)


def check_same_content(earlier: Reservation, wanted: Wanted) -> None:
    """Raises Refusal (already exists, RESERVATION_ID_REUSED) naming the first field that differs (M4)."""
    if earlier.was_cancelled_unseen:
        return
    for field in ("request_key", "party_id", "counts", "allowances"):
        if getattr(earlier.wanted, field) != getattr(wanted, field):
            raise Refusal(
                Kind.ALREADY_EXISTS,
                "RESERVATION_ID_REUSED",
                f"this reservation id was used before with another {field}",
                violations=[FieldViolation(field, "differs from what the id was first used with")],
                metadata={"field": field},
            )


def found(reservation: Reservation | None) -> Reservation:
    """The reservation; raises Refusal (not found, RESERVATION_UNKNOWN) if there is none."""
    if reservation is None:
        raise not_found("RESERVATION_UNKNOWN", "there is no reservation with this id")
    return reservation


def settle(reservation: Reservation, delivered: Counts) -> Reservation:
    """The reservation settled with what was delivered; the very same object if it already is so (M2).

    Raises Refusal (precondition): RESERVATION_CANCELLED, SETTLED_OTHERWISE, SETTLES_MORE_THAN_HELD.
    """
    match reservation.state:
        case State.CANCELLED:
            raise precondition("RESERVATION_CANCELLED", "the reservation was cancelled")
        case State.NO_ROOM:
            raise precondition("SETTLES_MORE_THAN_HELD", "there was no room, so nothing was held")
        case State.SETTLED if reservation.settled == delivered:
            return reservation
        case State.SETTLED:
            raise precondition("SETTLED_OTHERWISE", "the reservation was settled with other counts")
        case State.HELD:
            _check_was_held(reservation.wanted.counts, delivered)
            return replace(reservation, state=State.SETTLED, settled=delivered)


def _check_was_held(held: Counts, delivered: Counts) -> None:
    posts_held = {(count.kind, count.media_flags): count.posts for count in held}
    for count in delivered:
        if count.posts > posts_held.get((count.kind, count.media_flags), 0):
            raise precondition(
                "SETTLES_MORE_THAN_HELD",
                f"more posts of kind {count.kind} with media {count.media_flags} than were held",
            )


def cancel(reservation: Reservation) -> Reservation:
    """The reservation with its hold freed; the very same object if it holds nothing (M2).

    Raises Refusal (precondition, RESERVATION_SETTLED).
    """
    match reservation.state:
        case State.SETTLED:
            raise precondition(
                "RESERVATION_SETTLED", "the reservation was settled, what was delivered counts"
            )
        case State.CANCELLED | State.NO_ROOM:
            return reservation
        case State.HELD:
            return replace(reservation, state=State.CANCELLED)
