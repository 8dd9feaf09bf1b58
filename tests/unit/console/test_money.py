"""Amounts of money: exact, whatever is written (B1)."""

from decimal import Decimal, localcontext

import pytest
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from services.console.money import difference, face, in_nanos, read

SIGNED = st.tuples(
    st.sampled_from([-1, 1]), st.integers(0, 2**63 - 1), st.integers(0, 10**9 - 1), st.integers(0, 9)
)


def usd(units: int, nanos: int = 0) -> Money:
    return Money(currency_code="USD", units=units, nanos=nanos)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15000.00 USD", usd(15_000)),
        ("15_000.5 USD", usd(15_000, 500_000_000)),
        ("0.000000001 USD", usd(0, 1)),
        ("9007199254740993.10 USD", usd(2**53 + 1, 100_000_000)),
        ("7 JPY", Money(currency_code="JPY", units=7)),
    ],
)
def test_an_amount_is_read_to_the_last_digit(text: str, expected: Money) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("15000.00", "USD", "", "15,000.00 USD", "15000.00 usd", "15000.00  USD", "USD 15000.00"),
        *("-1 USD", "1.0000000001 USD", ".5 USD", "5. USD", "1e3 USD", "٣ USD", "1 USD\n", "$15000"),
    ],
)
def test_what_is_no_amount_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ValueError, match=r"an amount like 15000.00 USD is expected"):
        read(text)


def test_an_amount_that_money_cannot_hold_is_refused() -> None:
    assert read(f"{2**63 - 1} USD").units == 2**63 - 1
    with pytest.raises(ValueError, match="at most"):
        read(f"{2**63} USD")


@pytest.mark.parametrize(
    ("money", "decimals", "expected"),
    [
        (usd(15_000), 2, "USD 15,000.00"),
        (usd(1_234_567, 890_000_000), 2, "USD 1,234,567.89"),
        (usd(0, 1), 2, "USD 0.000000001"),
        (usd(-1, -500_000_000), 2, "USD -1.50"),
        (usd(0, -10_000_000), 2, "USD -0.01"),
        (usd(0), 2, "USD 0.00"),
        (Money(currency_code="JPY", units=15_000), 0, "JPY 15,000"),
        (usd(2**53 + 1), 2, "USD 9,007,199,254,740,993.00"),
    ],
)
def test_money_is_shown_exactly_and_with_grouped_digits(money: Money, decimals: int, expected: str) -> None:
    assert face(money, decimals) == expected


@given(SIGNED)
def test_b1_no_digit_of_an_amount_is_lost_or_made_up(amount: tuple[int, int, int, int]) -> None:
    sign, units, nanos, decimals = amount
    shown = face(usd(sign * units, sign * nanos), decimals)

    with localcontext(prec=40):
        assert Decimal(shown.removeprefix("USD ").replace(",", "")) == sign * (
            Decimal(units) + Decimal(nanos).scaleb(-9)
        )
    assert len(shown.partition(".")[2]) >= decimals


@given(*[st.tuples(st.integers(-(2**60), 2**60), st.integers(0, 10**9 - 1))] * 2)
def test_b1_a_difference_is_exact_and_has_one_sign(one: tuple[int, int], other: tuple[int, int]) -> None:
    def signed(amount: tuple[int, int]) -> Money:
        units, nanos = amount
        return usd(units, -nanos if units < 0 else nanos)

    found = difference(signed(one), signed(other))

    assert in_nanos(found) == in_nanos(signed(one)) - in_nanos(signed(other))
    assert found.units * found.nanos >= 0
