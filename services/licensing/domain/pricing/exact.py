"""Amounts as fractions of a currency's unit, and their one rounding (B1).

A price of 1 for 3 posts has no finite decimal form, and the 28 digits that Python's decimals keep would cut
it without a word. Fractions of whole numbers lose nothing; what is rounded is rounded here, and told as such.
"""

import re
from fractions import Fraction

_EXACT = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100}|/[1-9][0-9]{0,99})?")


def minor_of(amount: Fraction, decimals: int) -> int:
    """An amount in whole minor units, of which a currency's unit has 10^decimals.

    A half is rounded up, and below zero down: away from zero, so that a credit of an amount is the amount.
    """
    scaled: Fraction = abs(amount) * 10**decimals
    rounded = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return -rounded if amount < 0 else rounded


def exact_text(amount: Fraction) -> str:
    """The one text of an amount: a decimal number where it has a finite one, else a fraction such as -1/3."""
    rest, twos, fives = amount.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{amount.numerator}/{amount.denominator}"
    digits = max(twos, fives)
    whole, part = divmod(abs(amount.numerator) * 10**digits // amount.denominator, 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def read_exact(text: str) -> Fraction:
    """The amount that `exact_text` wrote; raises ValueError for any other text."""
    if not _EXACT.fullmatch(text):
        raise ValueError("not an exact amount")
    amount = Fraction(text)
    if exact_text(amount) != text:
        raise ValueError("not in the one form of an amount")
    return amount
