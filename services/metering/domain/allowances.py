"""Limits over windows: whether posts fit, and if not, when they will (M1, M3, M8).

The sums of a tally are those of its account's entries inside the window. Each entry enters them once, when
it is written, and leaves them once, when the tail passes its time; the time of an account never goes back.
"""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

from services.chassis.refusals import invalid
from services.metering.domain.windows import leaves_at_us


class Scope(enum.IntEnum):
    """Whose posts are counted together; the first three are those of `AllowanceScope` in the contract."""

    LICENSE = 1
    LICENSEE = 2
    GROUP = 3
    SEEN = 4
    """What was seen elsewhere of a party; no allowance ever has it (M7)."""

    # That of an enumeration is the hash of its name, and slow.
    __hash__ = int.__hash__


class Account(NamedTuple):
    """What is counted as one. Never the version of a license (L3)."""

    # A tuple, for it is looked up many times for each reservation.
    scope: Scope
    id: str


OWN_GROUP = Account(Scope.GROUP, "")
"""In an allowance: the group that the party belongs to when it is counted (M6)."""


@dataclass(frozen=True, order=True, slots=True)
class Allowance:
    """At most `limit` posts in any window of this length in the account."""

    account: Account
    window_us: int
    limit: int


def in_order(allowances: Iterable[Allowance], field: str = "claim.allowances") -> tuple[Allowance, ...]:
    """The allowances sorted; raises Refusal (invalid, ALLOWANCE_TWICE) if two share account and window.

    `field` is where they stand in the request.
    """
    seen: set[tuple[Account, int]] = set()
    given = tuple(allowances)
    for index, allowance in enumerate(given):
        if (allowance.account, allowance.window_us) in seen:
            raise invalid(
                "ALLOWANCE_TWICE",
                "the same scope, id and window is given more than once",
                field=f"{field}[{index}]",
            )
        seen.add((allowance.account, allowance.window_us))
    return tuple(sorted(given))


@dataclass(frozen=True, slots=True)
class Posts:
    """Posts that count: settled for good, or held and perhaps to be freed. Also how these change."""

    used: int
    held: int

    def __add__(self, other: "Posts") -> "Posts":
        return Posts(self.used + other.used, self.held + other.held)


NO_POSTS = Posts(0, 0)


@dataclass(frozen=True, slots=True)
class Moment:
    """What changed in an account at one time, all in all."""

    at_us: int
    posts: Posts


class Tally(NamedTuple):
    """The sums of an account over one window."""

    # A tuple, for several are made for each reservation.
    used: int
    """Posts settled by entries after `tail_us`."""
    held: int
    """Posts held by entries after `tail_us`."""
    tail_us: int
    """Entries up to and including this time have left the sums."""

    def moved_to(self, tail_us: int, gone: Posts) -> Self:
        """The tally with a later tail, where `gone` is the sum of the entries in (old tail, new tail]."""
        return type(self)(self.used - gone.used, self.held - gone.held, tail_us)

    def changed(self, at_us: int, posts: Posts) -> Self:
        """The tally after an entry at `at_us`; one that has left already changes nothing."""
        if at_us <= self.tail_us:
            return self
        return type(self)(self.used + posts.used, self.held + posts.held, self.tail_us)

    def room(self, limit: int) -> int:
        """How many more posts fit; never less than 0, though a limit may have been lowered."""
        return max(0, limit - self.used - self.held)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """When posts that do not fit now will (M8)."""

    retry_at_us: int | None
    """The first time at which they fit; None where no time can be told."""
    exact: bool
    """Whether `retry_at_us` can come no earlier. If not, it is the latest it can be."""
    never: bool
    """Whether waiting cannot help."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The allowance that stands in the way, and what counted in its window."""

    allowance: Allowance
    used: int
    held: int
    shortfall: Shortfall


def shortfall(allowance: Allowance, tally: Tally, posts: int, moments: Iterable[Moment]) -> Shortfall | None:
    """None if `posts` fit into the tally as it stands, else when they will.

    `moments` are those after the tally's tail, oldest first; no more are read than needed.
    """
    limit, window_us = allowance.limit, allowance.window_us
    excess = tally.used + tally.held + posts - limit
    if excess <= 0:
        return None
    if posts > limit or (not window_us and tally.used + posts > limit):
        return Shortfall(retry_at_us=None, exact=False, never=True)
    if not window_us:
        # Nothing leaves a term, but what is held may yet be freed, nobody knows when.
        return Shortfall(retry_at_us=None, exact=False, never=False)
    # A hold counts until it leaves, whatever becomes of it, and can only shrink: so this is the latest time,
    # and with nothing held the only one.
    retry_at_us = leaves_at_us(_time_that_frees(excess, iter(moments)), window_us)
    return Shortfall(retry_at_us=retry_at_us, exact=tally.held == 0, never=False)


def _time_that_frees(posts: int, moments: Iterator[Moment]) -> int:
    """The time of the entries that have to leave, with all before them, for `posts` fewer to count."""
    for moment in moments:
        posts -= moment.posts.used + moment.posts.held
        if posts <= 0:
            return moment.at_us
    raise AssertionError("the entries add up to less than their tally")


def worst(obstacles: Iterable[NoRoom]) -> NoRoom:
    """The obstacle that decides when to try again: one that never goes away, then one of unknown end, then
    the one that goes last."""
    return max(obstacles, key=_persistence)


def _persistence(obstacle: NoRoom) -> tuple[bool, bool, int, bool]:
    # Of two that go at the same time the exact one says more: before that time, no answer but "no".
    wait = obstacle.shortfall
    return wait.never, wait.retry_at_us is None, wait.retry_at_us or 0, wait.exact
