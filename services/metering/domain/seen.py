"""Accesses seen elsewhere: each counted once, whatever order they come in, and not beside a receipt (M7)."""

import enum
from dataclasses import dataclass, fields

from services.chassis.refusals import FieldViolation, Kind, Refusal, forbidden, invalid
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.reservations import Access, Reservation, Revision

FURTHEST_AHEAD_US = 300 * 1_000_000
"""Clocks differ; what lies further ahead has not happened."""
DISPLACED_LISTED = 1_000
"""Accesses named in one answer, which has to fit into a message; all are counted."""


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
class Displaced:
    """An access on record whose place under a receipt another has taken."""

    key: AccessKey
    posts: int
    """Posts of it that were absorbed and are counted from now on."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of a line."""

    line: int
    outcome: Outcome
    reason: str
    message: str
    displaced: Displaced | None = None
    """What the line displaced, where that is what is to be said."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports."""

    name: str
    """Kind and party of the caller."""
    is_admin: bool
    """Whether they may report under any source, which makes none their own."""


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
    displaced: int
    """Accesses on record that what was accepted displaced; the first thousand have remarks."""
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


def check_owner(owner: str | None, reporter: Reporter) -> None:
    """Raises Refusal (forbidden, SOURCE_OF_ANOTHER) unless the source may be reported under.

    Whoever could report under another's source could take its ids, and with them the place of true accesses.
    """
    if owner not in (None, reporter.name) and not reporter.is_admin:
        raise forbidden("SOURCE_OF_ANOTHER", "another reports under this source; it is theirs")


def conflict(field: str) -> Refusal:
    """The refusal of an access that is on record with other content."""
    return Refusal(
        Kind.ALREADY_EXISTS,
        "ACCESS_DIFFERS",
        f"this access is on record with another {field}, which stands",
        violations=[FieldViolation(field, "differs from what is on record")],
    )


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


def displacement(line: int, displaced: Displaced) -> Remark:
    """What is to be said of a line that took the place of an access on record (M7)."""
    key = displaced.key
    posts = "1 post of that is" if displaced.posts == 1 else f"{displaced.posts:,} posts of that are"
    message = (
        f"it came before access {key.id.removeprefix('id:')} of source {key.source} and took its place under"
        f" the receipt; {posts} counted from now on"
    )
    return Remark(line, Outcome.ACCEPTED, "ACCESS_DISPLACED", message, displaced)
