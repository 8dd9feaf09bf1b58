"""What reservations come to in an account, by content, against the entries that say so.

The first entry of a reservation has its number, and those that reduced it are known by theirs. How a hold
ended is another entry, which says no more than the account, the time and the change: so each ending is to be
one that some reservation of its time lacks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.metering.domain.allowances import Posts
from services.metering.domain.audits import Difference
from services.metering.domain.reservations import Counts

Figures = Mapping[str, int]
"""Posts used, held, and of each content; what there is nothing of is left out."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a reservation comes to in one account, or what one entry changes there."""

    number: int
    """Of the reservation, which is that of its first entry and stands for those that reduced it; or of the
    entry."""
    name: str
    """What it is called where it differs."""
    figures: Figures


@dataclass(slots=True)
class _Case:
    """A reservation, and what was found of it so far."""

    share: Share
    found: Figures
    has_ended: bool = False
    """Whether an ending was found for it."""

    @property
    def lacks(self) -> Figures:
        return _plus(self.share.figures, self.found, -1)


def figures(posts: Posts, access: int, counts: Counts) -> Figures:
    """What is used and held, and both together by content."""
    found = {"posts used": posts.used, "posts held": posts.held}
    for count in counts:
        content = f"kind {count.kind} with media {count.media_flags} by access {access}"
        found[content] = found.get(content, 0) + count.posts
    return {what: each for what, each in found.items() if each}


def differing(reservations: Sequence[Share], entries: Sequence[Share], account: str) -> list[Difference]:
    """What differs between the reservations of one time and their entries in an account.

    `account` is what it is called.
    """
    left: dict[int, Share] = {}
    for entry in entries:
        before = left[entry.number].figures if entry.number in left else {}
        left[entry.number] = Share(entry.number, entry.name, _plus(before, entry.figures))
    cases = [
        _Case(each, left.pop(each.number).figures if each.number in left else {}) for each in reservations
    ]
    odd: list[Share] = []
    for ending in _unclaimed(cases, list(left.values())):
        # It is of none as they are; of one that it may have ended it is the likeliest to be.
        if (case := _likeliest(cases, ending)) is None:
            odd.append(ending)
        else:
            case.found, case.has_ended = _plus(case.found, ending.figures), True
    named = [(case.share.name, case.share.figures, case.found) for case in cases if case.lacks]
    named += [(each.name, {}, each.figures) for each in odd]
    return [difference for each in named for difference in _differences(account, *each)]


def _unclaimed(cases: Sequence[_Case], endings: Sequence[Share]) -> list[Share]:
    """Gives each reservation the ending that makes it whole; those that are left."""
    lacking: dict[frozenset[tuple[str, int]], list[_Case]] = {}
    for case in cases:
        if case.lacks:
            lacking.setdefault(frozenset(case.lacks.items()), []).append(case)
    left: list[Share] = []
    for ending in endings:
        if whose := lacking.get(frozenset(ending.figures.items())):
            case = whose.pop(0)
            case.found, case.has_ended = _plus(case.found, ending.figures), True
        else:
            left.append(ending)
    return left


def _likeliest(cases: Sequence[_Case], ending: Share) -> _Case | None:
    """A reservation without an ending that lacks something, or that held as much as this one frees."""
    freed = -ending.figures.get("posts held", 0)

    def likelihood(case: _Case) -> tuple[bool, bool]:
        return bool(case.lacks), case.found.get("posts held", 0) == freed > 0

    free = [case for case in cases if not case.has_ended and any(likelihood(case))]
    return max(free, key=likelihood, default=None)


def _differences(account: str, name: str, expected: Figures, found: Figures) -> Iterator[Difference]:
    for what in sorted({*expected, *found}):
        one, other = expected.get(what, 0), found.get(what, 0)
        if one != other:
            yield Difference(f"{name}: {what} in {account}", str(one), str(other))


def _plus(one: Figures, other: Figures, times: int = 1) -> Figures:
    sums = {what: one.get(what, 0) + times * other.get(what, 0) for what in (*one, *other)}
    return {what: each for what, each in sums.items() if each}
