"""What one period comes to under a price, line by line (B1).

A line is exact until it is rounded, once; the period comes to the sum of its rounded lines, always. Minimum
and maximum are compared with that sum, so that a period comes to exactly them and not to a coin beside.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.licensing.domain.pricing.exact import minor_of
from services.licensing.domain.pricing.prices import (
    Charge,
    Flat,
    Graduated,
    Model,
    Package,
    PerUnit,
    Price,
    Tier,
    Volume,
)


class LineKind(enum.StrEnum):
    """What a line charges."""

    USAGE = "usage"
    """Posts."""
    FLAT = "flat"
    """An amount whatever their number is: a flat charge, or the flat amount of a tier that is reached."""
    MINIMUM = "minimum"
    """What is missing to the minimum of the period."""
    MAXIMUM = "maximum"
    """What is over the maximum of the period, taken off."""
    GOODWILL = "goodwill"
    """Let off by a credit note, whatever was used."""
    GOODWILL_LIMIT = "goodwill_limit"
    """What usage would take off that goodwill has taken off already."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what a period comes to, or of a correction of it (`deltas`)."""

    key: str
    """What is charged, whatever the number of posts: minimum, maximum, or kind, graduated tier and charge.

    As in usage/posts and flat.2/posts. The name comes last, after a slash: none looks like another key.
    """
    kind: LineKind
    description: str
    """For people; the numbers are in the fields."""
    posts: int
    """Posts that it charges, without the included ones; 0 where it does not charge posts."""
    unit_price: Decimal | None
    """Price of `per` posts in the currency's unit; None where no one price says what the line comes to."""
    per: int
    """1 where there is no unit price."""
    precise: Fraction
    """The amount in the currency's unit before it is rounded; nothing is missing in it."""
    minor: int
    """The amount in minor units of the currency (cents)."""


def lines_of(price: Price, posts: int) -> tuple[Line, ...]:
    """The lines of one period in which so many posts are billed, in the order of the charges.

    `price` has passed its own check. For no posts nothing is charged but flat charges and the minimum; a flat
    amount of nothing is no line. Raises ValueError for fewer posts than none.
    """
    if posts < 0:
        raise ValueError("fewer posts than none")
    lines = [
        _line(charge, part, price.decimals)
        for charge in price.charges
        for part in _parts(charge.model, max(0, posts - charge.included))
    ]
    return (*lines, *_bound(price, total_of(lines)))


def total_of(lines: Iterable[Line]) -> int:
    """What lines come to, in minor units."""
    return sum(line.minor for line in lines)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a model charges, before it is called by the name of a charge and rounded."""

    kind: LineKind
    precise: Fraction
    posts: int = 0
    unit_price: Decimal | None = None
    per: int = 1
    tier: int | None = None
    """Ordinal of a graduated tier, from 1."""


def _parts(model: Model, billed: int) -> Iterator[_Part]:
    match model:
        case Flat(amount):
            yield from _flat(amount)
        case _ if not billed:
            return
        case PerUnit(unit_price, per):
            yield _Part(LineKind.USAGE, Fraction(unit_price) * billed / per, billed, unit_price, per)
        case Package(price, size):
            started = -(-billed // size)
            yield _Part(LineKind.USAGE, Fraction(price) * started, billed, price, size)
        case Graduated(tiers):
            yield from _graduated(tiers, billed)
        case Volume(tiers):
            tier = next(tier for tier in tiers if tier.up_to is None or billed <= tier.up_to)
            yield from _tier(tier, billed)


def _graduated(tiers: Sequence[Tier], billed: int) -> Iterator[_Part]:
    before = 0
    for number, tier in enumerate(tiers, 1):
        end = billed if tier.up_to is None else min(billed, tier.up_to)
        yield from _tier(tier, end - before, number)
        if end == billed:
            return
        before = end


def _tier(tier: Tier, posts: int, number: int | None = None) -> Iterator[_Part]:
    precise = Fraction(tier.unit_price) * posts
    yield _Part(LineKind.USAGE, precise, posts, tier.unit_price, tier=number)
    yield from _flat(tier.flat, number)


def _flat(amount: Decimal, number: int | None = None) -> Iterator[_Part]:
    if amount:
        yield _Part(LineKind.FLAT, Fraction(amount), tier=number)


def _line(charge: Charge, part: _Part, decimals: int) -> Line:
    is_usage = part.kind is LineKind.USAGE
    described = [
        charge.name,
        *([f"tier {part.tier}"] if part.tier else []),
        *([f"after {charge.included:,} included"] if is_usage and charge.included else []),
        *([] if is_usage else ["flat"]),
    ]
    return Line(
        key=f"{part.kind}.{part.tier}/{charge.name}" if part.tier else f"{part.kind}/{charge.name}",
        kind=part.kind,
        description=", ".join(described),
        posts=part.posts,
        unit_price=part.unit_price,
        per=part.per,
        precise=part.precise,
        minor=minor_of(part.precise, decimals),
    )


def _bound(price: Price, total: int) -> Iterator[Line]:
    """The line that takes a period from `total` minor units to its minimum or its maximum, if one does."""
    for kind, bound in ((LineKind.MINIMUM, price.minimum), (LineKind.MAXIMUM, price.maximum)):
        if bound is None:
            continue
        # Both are whole minor units, and so is what is between them: it is precise as it stands.
        missing = minor_of(Fraction(bound), price.decimals) - total
        if missing > 0 if kind is LineKind.MINIMUM else missing < 0:
            precise = Fraction(missing, 10**price.decimals)
            yield Line(kind.value, kind, f"{kind.capitalize()} of {bound:,f}", 0, None, 1, precise, missing)
