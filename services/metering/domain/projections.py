"""Sums of entries by second, minute and hour of the calendar, and how a stretch of time is made of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.metering.domain.reservations import Counts
from services.metering.domain.windows import HOUR_US, MINUTE_US, SECOND_US

SPANS_US = (HOUR_US, MINUTE_US, SECOND_US)
"""Longest first; each is a whole number of the next."""


@dataclass(frozen=True, order=True, slots=True)
class Content:
    """How posts were taken, and what they are."""

    access: int
    kind: int
    media_flags: int


@dataclass(frozen=True, slots=True)
class Piece:
    """The times [since, until): whole spans of one length, or single microseconds where that is 0."""

    span_us: int
    since_us: int
    until_us: int


def pieces(since_us: int, until_us: int) -> list[Piece]:
    """The times (since, until], in as long spans as fit, in no order."""
    return list(_pieces(since_us + 1, until_us + 1, SPANS_US))


def _pieces(first_us: int, end_us: int, spans_us: tuple[int, ...]) -> Iterator[Piece]:
    if first_us >= end_us:
        return
    if not spans_us:
        yield Piece(0, first_us, end_us)
        return
    span_us, *shorter = spans_us
    begin_us, stop_us = -(-first_us // span_us) * span_us, end_us // span_us * span_us
    if begin_us >= stop_us:
        yield from _pieces(first_us, end_us, tuple(shorter))
        return
    yield Piece(span_us, begin_us, stop_us)
    yield from _pieces(first_us, begin_us, tuple(shorter))
    yield from _pieces(stop_us, end_us, tuple(shorter))


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """What one sum is of."""

    account_id: int
    span_us: int
    since_us: int
    content: Content


def projected(
    entries: Iterable[tuple[int, int, int, Counts]], spans_us: Iterable[int] = SPANS_US
) -> Mapping[Place, int]:
    """What (account id, time, kind of access, counts) come to, without sums of nothing."""
    spans = tuple(spans_us)
    sums: dict[Place, int] = {}
    for account_id, at_us, access, counts in entries:
        for count in counts:
            content = Content(access, count.kind, count.media_flags)
            for span_us in spans:
                place = Place(account_id, span_us, at_us // span_us * span_us, content)
                sums[place] = sums.get(place, 0) + count.posts
    return {place: posts for place, posts in sums.items() if posts}
