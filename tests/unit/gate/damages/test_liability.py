"""D1, D3: amounts and shares by literal values, whole minor units throughout."""

import pytest

from sluice_gate.damages.liability import split
from sluice_gate.damages.tariffs import Rate, Tariff

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("posts", "rounding", "cents"),
    [
        (1_000_000, "WHOLE_UNITS", 0),
        (1_000_001, "WHOLE_UNITS", 15_000_00),
        (1_999_999, "STARTED_UNITS", 30_000_00),
        (1_999_999, "PRO_RATA", 29_999_99),
        (1_999_999, "EXCESS_ONLY", 14_999_99),
        (2**59, "PRO_RATA", 8_646_911_284_551_352_320),
    ],
)
def test_a_period_comes_to_what_the_clause_says(posts: int, rounding: str, cents: int) -> None:
    rate = Rate(15_000 * 10**9, 2) if posts < 2**59 else Rate(15 * 10**9, 6)

    assert rate.amount(Tariff(MILLION, MILLION, rounding), posts) == cents


def test_a_half_is_rounded_up() -> None:
    assert [Rate(10**7, 2).amount(Tariff(0, 2, "PRO_RATA"), posts) for posts in (1, 2, 3)] == [1, 1, 2]


def test_what_does_not_divide_goes_to_the_largest_remainders_and_equal_ones_by_id() -> None:
    assert split(100, {"b": 1, "a": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}
    assert split(10, {"a": 1, "b": 2, "c": 4}) == {"a": 1, "b": 3, "c": 6}
    assert split(0, {"a": 5}) == {"a": 0}
    assert split(7, {"a": 0}) == {"a": 0}
