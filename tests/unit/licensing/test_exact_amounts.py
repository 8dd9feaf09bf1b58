"""Exact amounts: rounded once, a half away from zero, and told in one form (B1)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.pricing.exact import exact_text, minor_of, read_exact


@pytest.mark.parametrize(
    ("amount", "decimals", "minor"),
    [
        ("0.004999", 2, 0),
        ("0.005", 2, 1),
        ("0.015", 2, 2),
        ("0.025", 2, 3),
        ("-0.004999", 2, 0),
        ("-0.005", 2, -1),
        ("-0.015", 2, -2),
        ("0.5", 0, 1),
        ("1.4999", 0, 1),
        ("-0.5", 0, -1),
        ("0.0005", 3, 1),
        ("0.0004", 3, 0),
        ("1/3", 2, 33),
        ("2/3", 2, 67),
        ("-2/3", 2, -67),
        ("90071992547409.925", 2, 9007199254740993),
    ],
)
def test_b1_a_half_is_rounded_away_from_zero(amount: str, decimals: int, minor: int) -> None:
    assert minor_of(Fraction(amount), decimals) == minor


def test_b1_what_lies_a_hair_below_a_half_is_rounded_down() -> None:
    below = Fraction(1, 2) - Fraction(1, 10**60)

    assert (minor_of(below, 0), minor_of(Fraction(1, 2), 0)) == (0, 1)
    assert minor_of(-below, 0) == 0


@given(st.fractions(), st.integers(0, 4))
def test_b1_a_credit_of_an_amount_is_the_amount(amount: Fraction, decimals: int) -> None:
    minor = minor_of(amount, decimals)

    assert minor_of(-amount, decimals) == -minor
    assert abs(minor - amount * 10**decimals) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(100), "100"),
        (Fraction(Decimal("0.0005")), "0.0005"),
        (Fraction(-5, 4), "-1.25"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(1, 3), "1/3"),
        (Fraction(-7, 6), "-7/6"),
        (Fraction(2**53) * Fraction(Decimal("0.000000000001")), "9007.199254740992"),
    ],
)
def test_b1_an_amount_has_one_text_with_nothing_missing(amount: Fraction, text: str) -> None:
    assert exact_text(amount) == text


@given(st.one_of(st.fractions(), st.decimals(allow_nan=False, allow_infinity=False, places=12).map(Fraction)))
def test_b1_an_amount_is_read_as_it_was_written(amount: Fraction) -> None:
    assert read_exact(exact_text(amount)) == amount


@pytest.mark.parametrize(
    "text",
    ["", "1.0", "01", "-0", "2/6", "1/2", "1/0", "1/", "1e3", " 1", "1_0", "+1", "\u0661", "1.", ".5", "nan"],
)
def test_b1_any_other_text_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        read_exact(text)
