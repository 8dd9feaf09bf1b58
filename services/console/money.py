"""Amounts of money as people write them. Whole numbers throughout, of billionths: never a fraction (B1)."""

import re

from google.type.money_pb2 import Money

NANO_DIGITS = 9
NANOS = 10**NANO_DIGITS
"""In a unit of a currency."""
USUAL_DECIMALS = 2
"""Shown where nobody says how many a currency has."""

_LARGEST_UNITS = 2**63 - 1
# No commas: 15,000 is fifteen to some, and fifteen thousand to others.
_WRITTEN = re.compile(r"([0-9][0-9_]*)(?:\.([0-9]{1,9}))? ([A-Z]{3})")


def read(text: str) -> Money:
    """An amount like 15000.00 USD, not less than nothing; raises ValueError."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise ValueError(f"an amount like 15000.00 USD is expected, not {text!r}")
    units = int(match[1])
    if units > _LARGEST_UNITS:
        raise ValueError(f"at most {_LARGEST_UNITS:,} is expected, not {text!r}")
    return Money(currency_code=match[3], units=units, nanos=int((match[2] or "").ljust(NANO_DIGITS, "0")))


def face(money: Money, decimals: int = USUAL_DECIMALS) -> str:
    """For people, and exact: "USD 15,000.00".

    There are at least `decimals` digits after the point, and as many more as are not 0.
    """
    total = in_nanos(money)
    units, nanos = divmod(abs(total), NANOS)
    digits = f"{nanos:0{NANO_DIGITS}}".rstrip("0").ljust(decimals, "0")
    return f"{money.currency_code} {'-' if total < 0 else ''}{units:,}{'.' if digits else ''}{digits}"


def difference(one: Money, other: Money) -> Money:
    """`one` less `other`, which is of the same currency."""
    return of_nanos(in_nanos(one) - in_nanos(other), one.currency_code)


def of_nanos(nanos: int, currency: str) -> Money:
    """An amount given in billionths of the currency's unit."""
    units, rest = divmod(abs(nanos), NANOS)
    # Both have the sign of the whole (google.type.Money).
    sign = -1 if nanos < 0 else 1
    return Money(currency_code=currency, units=sign * units, nanos=sign * rest)


def in_nanos(money: Money) -> int:
    """Billionths of the currency's unit."""
    nanos: int = money.units * NANOS + money.nanos
    return nanos
