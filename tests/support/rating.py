"""A slow and obvious rating: post by post, in fractions, to compare the quick one with."""

import math
from collections import Counter
from fractions import Fraction

from services.licensing.domain.pricing.prices import (
    Charge,
    Flat,
    Graduated,
    Package,
    PerUnit,
    Price,
    Tier,
    Volume,
)


def slow_lines(price: Price, posts: int) -> dict[str, tuple[int, Fraction, int]]:
    """Posts, precise amount and minor units of each line, by its key."""
    lines = dict[str, tuple[int, Fraction, int]]()
    for charge in price.charges:
        for key, (count, amount) in _slow_charge(charge, posts).items():
            lines[key] = count, amount, half_up(amount * 10**price.decimals)
    total = sum(minor for _, _, minor in lines.values())
    least = 0 if price.minimum is None else half_up(Fraction(price.minimum) * 10**price.decimals)
    most = total if price.maximum is None else half_up(Fraction(price.maximum) * 10**price.decimals)
    if total < least:
        lines["minimum"] = 0, Fraction(least - total, 10**price.decimals), least - total
    elif total > most:
        lines["maximum"] = 0, Fraction(most - total, 10**price.decimals), most - total
    return lines


def half_up(number: Fraction) -> int:
    """A number of at least 0, rounded."""
    below = math.floor(number)
    return below if number - below < Fraction(1, 2) else below + 1


def _slow_charge(charge: Charge, posts: int) -> dict[str, tuple[int, Fraction]]:
    counted, billed = Counter[str](), 0
    sold = Counter[tuple[str, Fraction]]()
    if isinstance(charge.model, Flat) and charge.model.amount:
        sold[f"flat/{charge.name}", Fraction(charge.model.amount)] += 1
    for post in range(1, posts + 1):
        if post > charge.included and not isinstance(charge.model, Flat):
            billed += 1
            counted[_sell(charge, billed, posts - charge.included, sold)] += 1
    amounts = dict.fromkeys(counted, Fraction(0))
    for (key, price), times in sold.items():
        amounts[key] = amounts.get(key, Fraction(0)) + times * price
    return {key: (counted[key], amount) for key, amount in amounts.items()}


def _sell(charge: Charge, post: int, of: int, sold: Counter[tuple[str, Fraction]]) -> str:
    """Note what one post costs, the `post`-th that is billed `of` so many; the key of its line."""
    name, key = charge.name, f"usage/{charge.name}"
    match charge.model:
        case PerUnit(unit_price, per):
            sold[key, Fraction(unit_price) / per] += 1
        case Package(price, size):
            sold[key, Fraction(price)] += (post - 1) % size == 0
        case Graduated(tiers):
            number, first = _tier_of(tiers, post)
            key = f"usage.{number}/{name}"
            sold[key, Fraction(tiers[number - 1].unit_price)] += 1
            if post == first and tiers[number - 1].flat:
                sold[f"flat.{number}/{name}", Fraction(tiers[number - 1].flat)] += 1
        case Volume(tiers):
            tier = tiers[_tier_of(tiers, of)[0] - 1]
            sold[key, Fraction(tier.unit_price)] += 1
            if post == 1 and tier.flat:
                sold[f"flat/{name}", Fraction(tier.flat)] += 1
    return key


def _tier_of(tiers: tuple[Tier, ...], post: int) -> tuple[int, int]:
    """Ordinal of the tier that a post lies in, and the first post of that tier."""
    first = 1
    for number, tier in enumerate(tiers, 1):
        if tier.up_to is None or post <= tier.up_to:
            return number, first
        first = tier.up_to + 1
    raise AssertionError("the last tier has no end")
