"""What holds for the lines of any price and any number of posts (B1)."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.pricing.prices import Price, Volume
from services.licensing.domain.pricing.rating import LineKind, lines_of, total_of
from tests.support.prices import prices
from tests.support.rating import slow_lines

counts = st.one_of(st.integers(0, 40), st.integers(0, 9_000))


@given(prices(), counts)
def test_b1_rating_is_selling_post_by_post(price: Price, posts: int) -> None:
    lines = lines_of(price, posts)

    assert {line.key: (line.posts, line.precise, line.minor) for line in lines} == slow_lines(price, posts)


@given(prices(), st.integers(0, 2**53))
def test_b1_a_total_is_the_sum_of_lines_that_are_at_most_half_a_coin_off(price: Price, posts: int) -> None:
    lines = lines_of(price, posts)

    assert total_of(lines) == sum(line.minor for line in lines)
    assert len({line.key for line in lines}) == len(lines)
    for line in lines:
        assert abs(line.minor - line.precise * 10**price.decimals) <= Fraction(1, 2)
        assert line.posts >= 0
        assert line.minor >= 0 or line.kind is LineKind.MAXIMUM


@given(prices(), st.integers(0, 2**53))
def test_b1_a_period_comes_to_no_less_than_its_minimum_and_no_more_than_its_maximum(
    price: Price, posts: int
) -> None:
    total = Fraction(total_of(lines_of(price, posts)), 10**price.decimals)

    assert price.minimum is None or total >= Fraction(price.minimum)
    assert price.maximum is None or total <= Fraction(price.maximum)


@given(prices(), counts, st.integers(0, 5_000))
def test_b1_more_posts_never_cost_less_without_volume_tiers(price: Price, posts: int, more: int) -> None:
    charges = tuple(charge for charge in price.charges if not isinstance(charge.model, Volume))
    price = Price(
        price.currency,
        price.decimals,
        price.period,
        price.time_zone,
        charges,
        price.minimum,
        price.maximum,
    )

    assert total_of(lines_of(price, posts)) <= total_of(lines_of(price, posts + more))
