"""Affiliates: parties that are counted together with a licensee, and which changes of them may be (M6).

A change goes to metering as a membership that holds from its time until a later one. So a change is allowed
only where no earlier one holds from a later time: then what is on record here is what metering counts by.
Times are microseconds since the epoch, UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.refusals import Refusal, already_exists, invalid, not_found, precondition, unavailable

DAY_US = 86_400 * 1_000_000
FURTHEST_AHEAD_US = 366 * DAY_US
"""As far as metering takes a change; beyond that a time is more likely mistyped."""
FOREVER_US = 2**63 - 1


@dataclass(frozen=True, order=True, slots=True)
class Stretch:
    """A stretch of time, [since, until)."""

    since_us: int
    until_us: int
    """FOREVER_US: for good."""


@dataclass(frozen=True, slots=True)
class Membership:
    """When a party belongs to a group, as metering says."""

    group_id: str
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Asked:
    """A change as it is asked for."""

    licensee_id: str
    affiliate_id: str
    adds: bool
    """It makes the party an affiliate; else it ends that."""
    since_us: int | None
    """From when; None: from now on."""
    display_name: str = ""
    """Of an affiliate that is added."""
    reason: str = ""
    """Why one is removed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was taken down, and is carried out in metering however long that takes."""

    number: int
    """Changes have numbers in the order in which they were taken down."""
    licensee_id: str
    affiliate_id: str
    adds: bool
    since_us: int
    """From when it holds."""
    display_name: str
    reason: str
    principal: str
    """Kind and party of whoever asked."""
    request_id: str
    digest: bytes
    """SHA-256 of the request."""
    begun_at_us: int
    finished: bool
    """Metering has it."""

    @property
    def back_dated(self) -> bool:
        """Whether its time had passed when it was taken down."""
        return self.since_us < self.begun_at_us


def since_of(asked: Asked, earlier: Sequence[Change], now_us: int) -> int:
    """From when a change will hold; `earlier` are those that either party had a part in, in order.

    Raises Refusal AFFILIATE_CHANGE_UNFINISHED (unavailable), EFFECTIVE_TIME_INVALID; for an addition
    AFFILIATE_OF_ITSELF, AFFILIATE_EXISTS, AFFILIATE_ELSEWHERE, AFFILIATE_HAS_AFFILIATES and
    LICENSEE_IS_AFFILIATE; for a removal AFFILIATE_UNKNOWN.
    """
    if not all(change.finished for change in earlier):
        # They would reach metering in any order.
        raise unavailable(
            "AFFILIATE_CHANGE_UNFINISHED", "another change of one of the two parties is not finished yet"
        )
    if asked.since_us is not None and not 0 <= asked.since_us <= now_us + FURTHEST_AHEAD_US:
        raise _time_invalid("a change holds from 1970 to a year ahead")
    return _addition_since(asked, earlier, now_us) if asked.adds else _removal_since(asked, earlier, now_us)


def stretches_of(changes: Iterable[Change]) -> tuple[Stretch, ...]:
    """When one party is an affiliate of one licensee, by their changes in order; some may be empty."""
    found: list[Stretch] = []
    for change in changes:
        if change.adds:
            found.append(Stretch(change.since_us, FOREVER_US))
        else:
            found[-1] = Stretch(found[-1].since_us, change.since_us)
    return tuple(found)


def check_groups(asked: Asked, since_us: int, memberships: Mapping[str, Sequence[Membership]]) -> None:
    """Refuses a change of parties whose groups were made in metering itself, from the time of the change on.

    `memberships` are those of both parties, by party. Raises Refusal PARTY_GROUPED_ELSEWHERE.
    """
    parties = (asked.licensee_id, asked.affiliate_id) if asked.adds else (asked.affiliate_id,)
    for party_id in parties:
        for each in memberships[party_id]:
            if each.stretch.until_us > since_us and not _gives_way(each, party_id, asked, since_us):
                raise precondition(
                    "PARTY_GROUPED_ELSEWHERE",
                    f"metering has {party_id} in group {each.group_id} at or after that time, which this"
                    " change would not undo; it has to be moved there first",
                )


def _gives_way(membership: Membership, party_id: str, asked: Asked, since_us: int) -> bool:
    """Whether what metering will say, once it has the change, is what the change says."""
    stretch, holds_then = membership.stretch, membership.stretch.since_us <= since_us
    if not asked.adds:
        # It takes the party out of the group that it is in then, and out of none that it comes into later.
        return (membership.group_id == asked.licensee_id) == holds_then
    if stretch.until_us != FOREVER_US:
        # Whatever ends it would end what is asked for now.
        return False
    # A licensee stays in its own group when its last affiliate has gone, and may become one itself.
    return membership.group_id == asked.licensee_id or (membership.group_id == party_id and holds_then)


def _addition_since(asked: Asked, earlier: Sequence[Change], now_us: int) -> int:
    licensee_id, affiliate_id = asked.licensee_id, asked.affiliate_id
    if affiliate_id == licensee_id:
        raise invalid("AFFILIATE_OF_ITSELF", "nobody is their own affiliate", field="affiliate_id")
    since_us = now_us if asked.since_us is None else asked.since_us
    for (of_licensee, affiliate), changes in by_pair(earlier).items():
        if _is_over(changes, since_us):
            continue
        if (of_licensee, affiliate) == (licensee_id, affiliate_id):
            raise already_exists(
                "AFFILIATE_EXISTS", f"{affiliate} is an affiliate of {licensee_id} at or after that time"
            )
        if affiliate == affiliate_id:
            raise precondition(
                "AFFILIATE_ELSEWHERE",
                f"{affiliate} is an affiliate of another licensee at or after that time",
            )
        if of_licensee == affiliate_id:
            raise precondition(
                "AFFILIATE_HAS_AFFILIATES", f"{affiliate_id} has affiliates of its own at or after that time"
            )
        if affiliate == licensee_id:
            raise precondition(
                "LICENSEE_IS_AFFILIATE", f"{licensee_id} is itself an affiliate at or after that time"
            )
    return since_us


def _removal_since(asked: Asked, earlier: Sequence[Change], now_us: int) -> int:
    theirs = by_pair(earlier).get((asked.licensee_id, asked.affiliate_id), ())
    if not theirs:
        raise affiliate_unknown()
    last = stretches_of(theirs)[-1]
    since_us = max(now_us, last.since_us) if asked.since_us is None else asked.since_us
    if since_us >= last.until_us:
        raise affiliate_unknown()
    if since_us < last.since_us:
        raise _time_invalid("it became an affiliate later than that")
    return since_us


def by_pair(changes: Iterable[Change]) -> dict[tuple[str, str], list[Change]]:
    """Changes by licensee and affiliate, each in order."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        found.setdefault((change.licensee_id, change.affiliate_id), []).append(change)
    return found


def _is_over(changes: Sequence[Change], at_us: int) -> bool:
    """Whether one is no affiliate at that time or later, and metering has no membership from a later time."""
    ended = stretches_of(changes)[-1].until_us != FOREVER_US
    return ended and all(change.since_us <= at_us for change in changes)


def _time_invalid(message: str) -> Refusal:
    return invalid("EFFECTIVE_TIME_INVALID", message, field="effective_at")


def affiliate_unknown() -> Refusal:
    """The refusal of what is asked about somebody who is no affiliate of that licensee then."""
    return not_found("AFFILIATE_UNKNOWN", "the licensee has no such affiliate at that time")
