"""Limits over windows: whether posts fit, and if not, when they will (M1, M3, M8).

The sums of a tally are those of its entries inside the window; each entry leaves the sums exactly once,
when the tail passes its time, and the time of a tally never goes back.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from services.chassis.refusals import invalid
from services.metering.domain.windows import Window, leaves_at_us, tail_us


class Scope(enum.IntEnum):
    """Whose posts are counted together; the numbers are those of `AllowanceScope` in the contract."""

    LICENSE = 1
    LICENSEE = 2


@dataclass(frozen=True, order=True, slots=True)
class AllowanceKey:
    """What is counted as one. Never the version of a license (L3). The order is the order of locking."""

    scope: Scope
    id: str
    window: Window


@dataclass(frozen=True, order=True, slots=True)
class Allowance:
    """At most `limit` posts in any window of the key."""

    key: AllowanceKey
    limit: int


def in_locking_order(allowances: Iterable[Allowance]) -> tuple[Allowance, ...]:
    """The allowances sorted by key; raises Refusal (invalid, ALLOWANCE_TWICE) when two share one."""
    seen: set[AllowanceKey] = set()
    given = tuple(allowances)
    for index, allowance in enumerate(given):
        if allowance.key in seen:
            raise invalid(
                "ALLOWANCE_TWICE",
                "the same scope, id and window is given more than once",
                field=f"allowances[{index}]",
            )
        seen.add(allowance.key)
    return tuple(sorted(given))


@dataclass(frozen=True, slots=True)
class Posts:
    """Posts that count: settled for good, or held and perhaps to be freed."""

    used: int
    held: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one reservation counts in one tally."""

    counted_at_us: int
    used: int
    held: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The sums of one allowance key over its window, as of `last_us`."""

    used: int = 0
    """Posts settled by entries after `tail_us`."""
    held: int = 0
    """Posts held by entries after `tail_us`."""
    last_us: int = 0
    """The latest time this tally was asked at; it is never asked at an earlier one."""
    tail_us: int = 0
    """Entries up to and including this time have left the sums."""

    def moved_to(self, at_us: int, length_us: int | None, gone: Posts) -> Self:
        """The tally at `at_us`, where `gone` is the sum of the entries in (old tail, new tail]."""
        return replace(
            self,
            used=self.used - gone.used,
            held=self.held - gone.held,
            last_us=at_us,
            tail_us=max(self.tail_us, tail_us(at_us, length_us)),
        )

    def holding(self, posts: int) -> Self:
        """The tally with so many more posts held at its time."""
        return replace(self, held=self.held + posts)

    def resolved(self, counted_at_us: int, held: int, used: int) -> Self:
        """The tally after a hold counted at `counted_at_us` became `used` posts for good.

        A hold that has already left the sums changes nothing: it would be subtracted twice.
        """
        if counted_at_us <= self.tail_us:
            return self
        return replace(self, held=self.held - held, used=self.used + used)


def stamp_us(now_us: int, tallies: Iterable[Tally]) -> int:
    """The time that counts: the clock's, or the latest of the tallies where the clock is behind them."""
    return max([now_us, *(tally.last_us for tally in tallies)])


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


def shortfall(
    limit: int, length_us: int | None, tally: Tally, posts: int, entries: Iterable[Entry]
) -> Shortfall | None:
    """None if `posts` fit into the tally as it stands, else when they will.

    `entries` are those after the tally's tail, oldest first; no more are read than needed.
    """
    excess = tally.used + tally.held + posts - limit
    if excess <= 0:
        return None
    if posts > limit or (length_us is None and tally.used + posts > limit):
        return Shortfall(retry_at_us=None, exact=False, never=True)
    if length_us is None:
        # Nothing leaves a term, but what is held may yet be freed, nobody knows when.
        return Shortfall(retry_at_us=None, exact=False, never=False)
    # A hold counts until it leaves, whatever becomes of it, and can only shrink: so this is the latest time,
    # and with nothing held the only one.
    retry_at_us = leaves_at_us(_time_that_frees(excess, entries), length_us)
    return Shortfall(retry_at_us=retry_at_us, exact=tally.held == 0, never=False)


def _time_that_frees(posts: int, entries: Iterable[Entry]) -> int:
    """The time of the entry that has to leave, with all before it, for `posts` fewer to count."""
    for entry in entries:
        posts -= entry.used + entry.held
        if posts <= 0:
            return entry.counted_at_us
    raise AssertionError("the entries add up to less than their tally")


def worst(obstacles: Iterable[NoRoom]) -> NoRoom:
    """The obstacle that decides when to try again: one that never goes away, then one of unknown end, then
    the one that goes last."""
    return max(obstacles, key=_persistence)


def _persistence(obstacle: NoRoom) -> tuple[bool, bool, int, bool]:
    # Of two that go at the same time the exact one says more: before that time, no answer but "no".
    wait = obstacle.shortfall
    return wait.never, wait.retry_at_us is None, wait.retry_at_us or 0, wait.exact
