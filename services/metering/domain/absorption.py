"""Which posts of accesses seen elsewhere are those of a release: each unit that was settled absorbs one (M7).

The order of absorption is that of the times of accesses, then of their sources and ids: so that it is the
same whatever order they were reported in. What is absorbed is therefore always a beginning of that order, and
what comes earlier later displaces from its end: nothing before the end has to be looked at again.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.metering.domain.reservations import Wanted
from services.metering.domain.seen import AccessKey, Kept, Seen


@dataclass(frozen=True, slots=True)
class Absorbed:
    """How much of what was settled under a receipt is absorbed."""

    posts: int
    last_number: int
    """Of the last access in the order of absorption of which a post is absorbed; 0 where none is."""


NOTHING_ABSORBED = Absorbed(0, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """An access of which more or less is absorbed than before."""

    kept: Kept
    absorbed: int
    """Posts, from now on."""
    by: Kept | None = None
    """Of what was displaced: the nearest access before it that took its place."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a receipt by one settlement or one page of accesses."""

    absorbed: Absorbed
    """All together, from now on."""
    new: Mapping[AccessKey, int]
    """Posts absorbed of each access that is new."""
    changes: Sequence[Change]
    """Of accesses on record."""


def is_of(seen: Seen, wanted: Wanted) -> bool:
    """Whether an access that shows a receipt can be the release itself.

    Another kind is not the same access, and never added up with it (M5).
    """
    return (seen.party_id, seen.access) == (wanted.party_id, wanted.access)


def settled(posts: int, shown: Iterable[Kept]) -> Step:
    """Absorbs up to so many posts, just settled, of what had shown the receipt; in order, read as needed."""
    left = posts
    changes: list[Change] = []
    for kept in shown if left else ():
        taken = min(left, kept.seen.posts)
        changes.append(Change(kept, taken))
        left -= taken
        if not left:
            break
    return Step(Absorbed(posts - left, changes[-1].kept.number if changes else 0), {}, changes)


def reported(posts: int, before: Absorbed, earlier: Iterator[Kept], new: Iterable[Kept]) -> Step:
    """Absorbs up to so many posts, those settled, of accesses that are new and of those that were absorbed.

    `earlier` gives what was absorbed `before`, the last in order first. Of it is read what is displaced, and
    one access more.
    """
    coming = sorted(new, key=_order)
    absorbed = {kept.seen.key: kept.seen.posts for kept in coming}
    left = before.posts
    surplus = left + sum(absorbed.values()) - posts
    changes: list[Change] = []
    end = next(earlier) if left else None
    while surplus > 0:
        if end is None or (coming and _order(coming[-1]) > _order(end)):
            last = coming[-1].seen
            taken = min(surplus, last.posts)
            absorbed[last.key] -= taken
            if not absorbed[last.key]:
                coming.pop()
        else:
            taken = min(surplus, end.absorbed)
            changes.append(Change(end, end.absorbed - taken, _nearest_before(end, coming)))
            left -= taken
            if taken == end.absorbed:
                end = next(earlier) if left else None
        surplus -= taken
    ends = [*coming[-1:], *([end] if end else [])]
    last_number = max(ends, key=_order).number if ends else 0
    return Step(Absorbed(left + sum(absorbed.values()), last_number), absorbed, changes)


def _nearest_before(displaced: Kept, coming: Sequence[Kept]) -> Kept:
    """There is one: nothing is displaced but by what comes before it."""
    return coming[bisect_left(coming, _order(displaced), key=_order) - 1]


def _order(kept: Kept) -> tuple[int, AccessKey]:
    return kept.seen.at_us, kept.seen.key
