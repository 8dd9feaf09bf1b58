"""Amounts as the reader writes them: all of their digits, and never more than the currency has at least."""

from decimal import Decimal

import pytest
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from services.console.money import of_nanos
from services.console.operations.amounts import amount, exact
from services.console.web.reading import reader_of

ENGLISH, GERMAN = reader_of("en-GB"), reader_of("de-DE")


@pytest.mark.parametrize(
    ("money", "decimals", "words"),
    [
        (Money(currency_code="EUR", units=1_234, nanos=500_000_000), 2, "€1,234.50"),
        (Money(currency_code="JPY", units=1_200), 0, "JP¥1,200"),
        (Money(currency_code="IQD", units=12, nanos=500_000_000), 3, "IQD12.500"),
        (Money(currency_code="EUR", nanos=-10_000_000), 2, "-€0.01"),
        (Money(currency_code="EUR", units=1, nanos=1_250_000), 2, "€1.00125"),
    ],
)
def test_b1_an_amount_has_the_decimals_of_its_currency_and_loses_none(
    money: Money, decimals: int, words: str
) -> None:
    assert amount(ENGLISH, money, decimals) == words


def test_an_amount_is_in_the_readers_form() -> None:
    assert amount(GERMAN, Money(currency_code="EUR", units=1_234), 2) == "1.234,00\N{NO-BREAK SPACE}€"


@given(st.integers(-(10**18), 10**18))
def test_b1_what_is_shown_reads_back_as_what_is_on_record(nanos: int) -> None:
    shown = amount(ENGLISH, of_nanos(nanos, "EUR"), 2)

    assert Decimal(shown.replace("€", "").replace(",", "")) == Decimal(nanos).scaleb(-9)


def test_a_price_keeps_all_of_its_digits() -> None:
    assert exact(GERMAN, Decimal("1234.000125")) == "1.234,000125"
