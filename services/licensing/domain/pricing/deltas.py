"""What remains to be billed or credited when a period comes to something else than was billed (B2, B3).

An invoice is never edited: what it said is taken back line by line, what is true now is put in its place,
and only the difference is told. So it does not matter in how many steps a period is billed: its lines add
up to the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.licensing.domain.pricing.rating import Line


def correction(before: Sequence[Line], now: Sequence[Line]) -> tuple[Line, ...]:
    """The lines that take a period from what was billed to what it comes to now; none where it is the same.

    `before` holds all lines billed for the period so far, corrections among them. The amount of a correction
    in minor units is the difference of two rounded amounts and not rounded itself: it may be up to one minor
    unit off its precise amount, and the sum of all lines is not.
    """
    differences = summed((*now, *map(_taken_back, before)))
    return tuple(line for line in differences if line.posts or line.precise or line.minor)


def summed(lines: Iterable[Line]) -> tuple[Line, ...]:
    """One line a key, in the order in which keys first occur, with what all lines of the key add up to."""
    sums = dict[str, Line]()
    for line in lines:
        sums[line.key] = _added(sums[line.key], line) if line.key in sums else line
    return tuple(sums.values())


def _taken_back(line: Line) -> Line:
    return replace(line, posts=-line.posts, precise=-line.precise, minor=-line.minor)


def _added(line: Line, other: Line) -> Line:
    # All posts move to another price when their number reaches another tier (volume): no one price says what
    # the difference comes to.
    at_one_price = (line.unit_price, line.per) == (other.unit_price, other.per)
    return replace(
        line,
        unit_price=line.unit_price if at_one_price else None,
        per=line.per if at_one_price else 1,
        posts=line.posts + other.posts,
        precise=line.precise + other.precise,
        minor=line.minor + other.minor,
    )
