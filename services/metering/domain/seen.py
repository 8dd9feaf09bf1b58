"""Accesses seen elsewhere: each counted once, whatever order they come in, and not beside a receipt (M7)."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from services.chassis.refusals import FieldViolation, Kind, Refusal, invalid
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.reservations import Access, Reservation, Revision

FURTHEST_AHEAD_US = 300 * 1_000_000
"""Clocks differ; what lies further ahead has not happened."""


class Outcome(enum.IntEnum):
    """What became of a line; the numbers are those of `ReportOutcome` in the contract."""

    ACCEPTED = 1
    DUPLICATE = 2
    CONFLICT = 3
    REJECTED = 4


@dataclass(frozen=True, order=True, slots=True)
class AccessKey:
    """What makes an access the same: its id at its source, or its line."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One access, as it was reported."""

    key: AccessKey
    party_id: str
    at_us: int
    access: Access
    kind: int
    media_flags: int
    posts: int
    reservation_id: str
    """Of the receipt that it shows; "" for none."""

    @property
    def account(self) -> Account:
        """What it counts in."""
        return Account(Scope.SEEN, self.party_id)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a report."""

    line: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of a line."""

    line: int
    outcome: Outcome
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An access on record."""

    seen: Seen
    number: int
    absorbed: int
    """Posts of it that a receipt absorbed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a page of lines."""

    outcomes: tuple[Outcome, ...]
    """One a line, in order."""
    remarks: tuple[Remark, ...]
    """In order of lines."""
    absorbed: int
    """Posts of what was accepted that receipts absorbed."""
    revision: Revision


_NAMES = {"at_us": "accessed_at"}


def difference(kept: Seen, reported: Seen) -> str | None:
    """The first field in which they differ; None if they are the same."""
    for field in fields(Seen):
        if getattr(kept, field.name) != getattr(reported, field.name):
            return _NAMES.get(field.name, field.name)
    return None


def check_time(seen: Seen, now_us: int) -> None:
    """Raises Refusal (invalid, ACCESS_IN_THE_FUTURE)."""
    if seen.at_us > now_us + FURTHEST_AHEAD_US:
        raise invalid("ACCESS_IN_THE_FUTURE", "the access lies over 5 minutes ahead", field="accessed_at")


def conflict(field: str) -> Refusal:
    """The refusal of an access that is on record with other content."""
    return Refusal(
        Kind.ALREADY_EXISTS,
        "ACCESS_DIFFERS",
        f"this access is on record with another {field}, which stands",
        violations=[FieldViolation(field, "differs from what is on record")],
    )


def absorption(reservation: Reservation, shown: Iterable[Kept]) -> Mapping[AccessKey, int]:
    """How many posts of each access that shows a receipt are those of the release itself (M7).

    Each unit that was settled absorbs one, of the same party and kind of access, in the order of the times of
    accesses: so that it is the same whatever order they were reported in. Another kind is not the same
    access, and never added up with it (M5).
    """
    left = reservation.posts_settled
    absorbed: dict[AccessKey, int] = {}
    for kept in sorted(shown, key=lambda kept: (kept.seen.at_us, kept.seen.key)):
        seen, wanted = kept.seen, reservation.wanted
        of_the_same = (seen.party_id, seen.access) == (wanted.party_id, wanted.access)
        absorbed[kept.seen.key] = min(left, kept.seen.posts) if of_the_same else 0
        left -= absorbed[kept.seen.key]
    return absorbed


def remark(row: Row, reservation: Reservation | None, absorbed: int) -> Remark | None:
    """What is to be said of an access that shows a receipt, if it was not absorbed whole."""
    seen = row.seen
    if not seen.reservation_id or absorbed == seen.posts:
        return None
    if reservation is None:
        reason, message = "RESERVATION_UNKNOWN", "there is no such reservation; the access is counted"
    elif reservation.wanted.party_id != seen.party_id:
        reason, message = "RESERVATION_OF_ANOTHER", "the receipt is another party's; the access is counted"
    elif reservation.wanted.access is not seen.access:
        reason, message = "ACCESS_OF_ANOTHER_KIND", "the receipt is of another kind; the access is counted"
    else:
        reason = "NOT_ALL_ABSORBED"
        message = f"{absorbed} of {seen.posts} were settled under the receipt; the rest is counted"
    return Remark(row.line, Outcome.ACCEPTED, reason, message)
