"""Amounts and prices as the reader writes them, and never rounded: what is on record is shown (B1)."""

import copy
from decimal import Decimal

from babel.numbers import format_decimal
from google.type.money_pb2 import Money

from services.console.money import NANO_DIGITS, NANOS, USUAL_DECIMALS, in_nanos
from services.console.web.reading import Reader


def amount(reader: Reader, money: Money, decimals: int = USUAL_DECIMALS) -> str:
    """With its currency and at least `decimals` digits after the point, and as many more as are not 0."""
    nanos = in_nanos(money)
    spare = f"{abs(nanos) % NANOS:0{NANO_DIGITS}}".rstrip("0")
    pattern = copy.copy(reader.locale.currency_formats["standard"])
    digits = max(decimals, len(spare))
    # As many as we know that the currency has, which is not always what the locale shows of it.
    pattern.frac_prec = (digits, digits)
    value = Decimal(nanos).scaleb(-NANO_DIGITS)
    said: str = pattern.apply(value, reader.locale, currency=money.currency_code, currency_digits=False)
    return said


def exact(reader: Reader, number: Decimal) -> str:
    """A number with all of its digits."""
    return format_decimal(number, locale=reader.locale, decimal_quantization=False)
