"""One reservation from its first word to its last: HELD, then SETTLED or CANCELLED; or NO_ROOM (M2, M4).

While it is held it can be reduced, and never be raised. Always: posts reserved = posts still held + posts
settled + posts freed.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.chassis.refusals import FieldViolation, Kind, Refusal, invalid, not_found, precondition
from services.metering.domain.allowances import Account, Allowance, NoRoom, Scope
from services.metering.domain.parties import NO_GROUP

MOST_POSTS = 2**40
"""In one reservation: with these as many as there are in a table still add up within 64 bits."""


class Access(enum.IntEnum):
    """How posts were taken; the numbers are those of `AccessKind` in the contract (M5)."""

    REQUEST = 1
    VIEW = 2
    ACCESS = 3


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
"""Sorted and each kind with the same media once, but for what is wanted as far as it fits."""


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


def first(counts: Counts, posts: int) -> Counts:
    """The first so many posts, as sorted counts."""
    by_kind: dict[tuple[int, int], int] = {}
    for count in counts:
        taken = min(posts, count.posts)
        if taken:
            kind = count.kind, count.media_flags
            by_kind[kind] = by_kind.get(kind, 0) + taken
            posts -= taken
    return tuple(ContentCount(*kind, posts) for kind, posts in sorted(by_kind.items()))


def posts_in(counts: Counts) -> int:
    """All posts, one each whatever their kind (M5)."""
    return sum(count.posts for count in counts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be counted. All of it is content: with another word it is another request (M4)."""

    reservation_id: str
    request_key: str
    party_id: str
    license_id: str
    """"" where there is none."""
    access: Access
    counts: Counts
    """Sorted, or with `as_many_as_fit` in the order in which they are to be held."""
    allowances: tuple[Allowance, ...]
    """Sorted."""
    as_many_as_fit: bool = False
    delivered: bool = False
    """Whether it is settled at once."""

    @property
    def posts(self) -> int:
        """How many posts there are."""
        return posts_in(self.counts)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation as stored."""

    number: int
    """The number its first word got from the head row."""
    wanted: Wanted
    state: State
    counted_at_us: int | None = None
    """Metering's stamp on the hold; None if it never held."""
    group_id: str = NO_GROUP
    """The party's group at that time."""
    reserved: Counts = ()
    """What it was made for, each kind once; () if it never held."""
    settled: Counts = ()
    kept: Counts | None = None
    """What the last reduction left of it; None where it was never reduced."""
    no_room: NoRoom | None = None
    """Set when NO_ROOM, and where less was held than was wanted."""
    rivals: tuple[str, ...] = ()
    """With `no_room`: the other holds of the same request at that time."""

    @property
    def posts_reserved(self) -> int:
        """Posts it was made for; 0 if it never held."""
        return posts_in(self.reserved)

    @property
    def held(self) -> Counts:
        """What is still held; () where it is not HELD."""
        if self.state is not State.HELD:
            return ()
        return self.reserved if self.kept is None else self.kept

    @property
    def counted(self) -> Counts:
        """What counts of it now: what is still held, or what was settled."""
        return self.held if self.state is State.HELD else self.settled

    @property
    def posts_held(self) -> int:
        """Posts that are still held."""
        return posts_in(self.held)

    @property
    def posts_settled(self) -> int:
        """Posts that count for good."""
        return posts_in(self.settled)

    @property
    def posts_freed(self) -> int:
        """Posts that no longer count: by reducing the hold, by settling less, or by cancelling."""
        return self.posts_reserved - posts_in(self.counted)

    @property
    def was_cancelled_unseen(self) -> bool:
        """Whether its cancellation came before any Reserve, so that its content is not known."""
        return self.state is State.CANCELLED and not self.wanted.request_key


def accounts(wanted: Wanted, group_id: str) -> list[Account]:
    """What the posts count in, whichever limits they are asked under: the party, its group, the license."""
    counted_in = [Account(Scope.LICENSEE, wanted.party_id)]
    if wanted.license_id:
        counted_in.append(Account(Scope.LICENSE, wanted.license_id))
    if group_id:
        counted_in.append(Account(Scope.GROUP, group_id))
    return counted_in


def account_of(allowance: Allowance, wanted: Wanted, group_id: str) -> Account:
    """The account that an allowance is about: a party in no group is one by itself (M6)."""
    if allowance.account.scope is not Scope.GROUP:
        return allowance.account
    return Account(Scope.GROUP, group_id) if group_id else Account(Scope.LICENSEE, wanted.party_id)


def resolved(allowance: Allowance, wanted: Wanted, group_id: str) -> Allowance:
    """The allowance with the account that it is about."""
    if allowance.account.scope is not Scope.GROUP:
        return allowance
    return replace(allowance, account=account_of(allowance, wanted, group_id))


class Revision(NamedTuple):
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
    unknown = Wanted(
        reservation_id,
        request_key="",
        party_id="",
        license_id="",
        access=Access.ACCESS,
        counts=(),
        allowances=(),
    )
    return Reservation(number, unknown, State.CANCELLED)


_CONTENT = (
    *("request_key", "party_id", "license_id", "access", "counts", "allowances", "as_many_as_fit"),
    "delivered",
)


def check_same_content(earlier: Reservation, wanted: Wanted) -> None:
    """Raises Refusal (already exists, RESERVATION_ID_REUSED) naming the first field that differs (M4)."""
    if earlier.was_cancelled_unseen:
        return
    for field in _CONTENT:
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
            if beyond := _first_beyond(reservation.held, delivered):
                raise precondition("SETTLES_MORE_THAN_HELD", _more_than_held(beyond))
            return replace(reservation, state=State.SETTLED, settled=delivered)


def reduce(reservation: Reservation, keep: Counts) -> Reservation:
    """The reservation with no more held than is kept; the very same object if it keeps that already (M2).

    Of what has ended nothing is held that could be freed: it is as it stands.
    Raises Refusal (precondition, KEEPS_MORE_THAN_HELD) naming the field.
    """
    if reservation.state in {State.SETTLED, State.CANCELLED} or reservation.held == keep:
        return reservation
    if beyond := _first_beyond(reservation.held, keep):
        violation = FieldViolation("keep", _more_than_held(beyond))
        raise Refusal(
            Kind.PRECONDITION, "KEEPS_MORE_THAN_HELD", violation.description, violations=[violation]
        )
    return replace(reservation, kept=keep)


def _first_beyond(held: Counts, asked: Counts) -> ContentCount | None:
    """The first of the counts that more is asked of than is held."""
    posts_held = {(count.kind, count.media_flags): count.posts for count in held}
    beyond = (each for each in asked if each.posts > posts_held.get((each.kind, each.media_flags), 0))
    return next(beyond, None)


def _more_than_held(count: ContentCount) -> str:
    return f"more posts of kind {count.kind} with media {count.media_flags} than are held"


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
