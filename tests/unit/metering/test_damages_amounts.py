"""D1, D3: what periods come to, and how it is split."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.liability import split
from services.metering.domain.damages.tariffs import Rounding, Tariff

MILLION = 1_000_000
DOLLARS = Rate("USD", 15_000 * 10**9, 2)


@pytest.mark.parametrize(
    ("posts", "rounding", "cents"),
    [
        (1_000_000, Rounding.WHOLE_UNITS, 0),
        (1_000_001, Rounding.WHOLE_UNITS, 15_000_00),
        (1_999_999, Rounding.WHOLE_UNITS, 15_000_00),
        (1_999_999, Rounding.STARTED_UNITS, 30_000_00),
        (1_999_999, Rounding.PRO_RATA, 29_999_99),
        (1_999_999, Rounding.EXCESS_ONLY, 14_999_99),
        (10_000_000, Rounding.WHOLE_UNITS, 150_000_00),
    ],
)
def test_a_period_is_charged_as_the_clause_is_read(posts: int, rounding: Rounding, cents: int) -> None:
    assert DOLLARS.amount(Tariff(MILLION, MILLION, rounding), posts) == cents


def test_a_half_of_the_smallest_coin_is_rounded_up() -> None:
    tariff = Tariff(0, 2, Rounding.PRO_RATA)

    assert [Rate("USD", 10**7, 2).amount(tariff, posts) for posts in (1, 2, 3)] == [1, 1, 2]


def test_amounts_are_in_the_smallest_coin_of_their_currency() -> None:
    tariff = Tariff(MILLION, MILLION, Rounding.WHOLE_UNITS)

    assert Rate("JPY", 2_000_000 * 10**9, 0).amount(tariff, MILLION + 1) == 2_000_000
    assert Rate("KWD", 4_500 * 10**9, 3).amount(tariff, MILLION + 1) == 4_500_000


@given(
    st.integers(0, 10**9),
    st.integers(1, 10**7),
    st.integers(0, 10**14),
    st.integers(0, 9),
    st.sampled_from(Rounding),
)
def test_an_amount_is_never_further_off_than_half_a_coin(
    posts: int, unit: int, nanos: int, digits: int, rounding: Rounding
) -> None:
    tariff = Tariff(1_000, unit, rounding)
    exact = Fraction(tariff.worth_of(posts) * nanos, 10 ** (9 - digits))

    amount = Rate("USD", nanos, digits).amount(tariff, posts)

    assert -Fraction(1, 2) < amount - (exact if tariff.in_units else exact / unit) <= Fraction(1, 2)


def test_two_that_took_the_same_are_to_pay_the_same() -> None:
    assert split(15_000_00, {"a": 600_000, "b": 600_000}) == {"a": 7_500_00, "b": 7_500_00}


def test_what_does_not_divide_goes_to_the_largest_remainders() -> None:
    shares = split(15_000_00, {"a": 400_001, "b": 400_000, "c": 400_000})

    assert shares == {"a": 5_000_01, "b": 5_000_00, "c": 4_999_99}


@given(
    st.integers(0, 10**12),
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10**9), min_size=1),
)
def test_shares_add_up_and_are_less_than_a_coin_off(amount: int, posts: dict[str, int]) -> None:
    shares = split(amount, posts)

    whole = sum(posts.values())
    assert sum(shares.values()) == (amount if whole else 0)
    for party_id, count in posts.items() if whole else []:
        assert abs(shares[party_id] - Fraction(amount * count, whole)) < 1


@given(
    st.integers(0, 10**12),
    st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 10**9)),
    st.randoms(),
)
def test_the_split_does_not_depend_on_the_order_of_parties(
    amount: int, posts: dict[str, int], shuffle: Random
) -> None:
    shuffled = list(posts.items())
    shuffle.shuffle(shuffled)

    assert split(amount, dict(shuffled)) == split(amount, posts)
