"""How a window stood since it was last looked at, and what of that is news (M1).

It is gone through change by change in the order of their numbers, as a limit met them. A hold counts at a
time that is not before that of any hold of its account with a lower number, and fills the window that ends
then. A settlement or a cancellation counts at the time of its hold and never adds: so each fullest window
ends where a hold counts, and stood as that hold left it, whatever was freed or has left since.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.metering.domain.allowances import NO_POSTS, Moment, Posts, Tally
from services.metering.domain.reservations import Revision
from services.metering.domain.usage import Level, level
from services.metering.domain.windows import tail_us


class Change(NamedTuple):
    """What one change came to in an account."""

    number: int
    at_us: int
    """The time that it counts at."""
    posts: Posts

    @property
    def adds(self) -> bool:
        """Whether more counts after it: it is a hold then, or was delivered at once."""
        return self.posts.used + self.posts.held > 0


@dataclass(frozen=True, slots=True)
class Fullest:
    """A window as a change left it."""

    posts: Posts
    at_us: int
    """It ends then."""
    number: int
    """Of the change."""


@dataclass(frozen=True, slots=True)
class Look:
    """A window of an account at one moment, and since the look before."""

    revision: Revision
    """All changes up to this one are in it, and no others."""
    at_us: int
    """The time of the clock, or the latest of the account or of a look before, where the clock is behind."""
    now: Tally
    """Of the window that ends at `at_us`."""
    counted: Tally
    """Of the window that ends at the latest time of the account: none is counted at an earlier one."""
    fullest: Fullest | None
    """Since the look before; None where that one is the first, or where nothing was added."""

    def after(self, earlier: "Look | None") -> "Look":
        """This look as it is for whoever has missed the one before it."""
        fullest = [each.fullest for each in (earlier, self) if each is not None and each.fullest is not None]
        return replace(self, fullest=max(fullest, key=lambda each: _sum(each.posts), default=None))


@dataclass(frozen=True, slots=True)
class Gauge:
    """How a window stands, or stood, against its limit."""

    posts: Posts
    level: Level
    notice: bool
    """Whether the level has just risen to where somebody should know."""
    at_us: int
    """The window ends then."""
    revision: Revision


def replay(
    tally: Tally, window_us: int, leaving: Iterable[Moment], changes: Iterable[Change]
) -> tuple[Tally, Fullest | None]:
    """The tally after all changes, at the time of the last hold, and the fullest that it was after any.

    `changes` are in the order of their numbers. `leaving` is what counted before them, by time, of all times
    that leave the window meanwhile: after the tail of the tally, and up to that of the last hold.
    """
    inside = {moment.at_us: moment.posts for moment in leaving}
    times = sorted(inside)
    fullest: Fullest | None = None
    for change in changes:
        if change.adds:
            until_us = tail_us(change.at_us, window_us)
            while times and times[0] <= until_us:
                at_us = heapq.heappop(times)
                tally = tally.moved_to(at_us, inside.pop(at_us))
            tally = tally.moved_to(max(until_us, tally.tail_us), NO_POSTS)
        if change.at_us > tally.tail_us:
            if change.at_us not in inside:
                heapq.heappush(times, change.at_us)
            inside[change.at_us] = inside.get(change.at_us, NO_POSTS) + change.posts
        tally = tally.changed(change.at_us, change.posts)
        posts = Posts(tally.used, tally.held)
        if change.adds and (fullest is None or _sum(posts) > _sum(fullest.posts)):
            fullest = Fullest(posts, change.at_us, change.number)
    return tally, fullest


def news(last: Gauge | None, look: Look, limit: int) -> list[Gauge]:
    """What a look says to whoever was told `last`: a level that was reached, then how the window stands.

    Nothing where it stands as it did; of a level that it still has, one gauge says both.
    """
    told: list[Gauge] = []
    standing = Posts(look.now.used, look.now.held)
    stands = level(_sum(standing), limit)
    if last is not None and look.fullest is not None:
        peak, revision = look.fullest, look.revision._replace(number=look.fullest.number)
        reached = level(_sum(peak.posts), limit)
        if reached > max(last.level, stands):
            last = Gauge(peak.posts, reached, True, peak.at_us, revision)
            told.append(last)
    if last is None or standing != last.posts:
        before = Level.BELOW if last is None else last.level
        told.append(Gauge(standing, stands, stands > before, look.at_us, look.revision))
    return told


def _sum(posts: Posts) -> int:
    return posts.used + posts.held
