"""Corrections: what was billed and what follows add up to what a period comes to (B2, B3)."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.pricing.deltas import correction, summed
from services.licensing.domain.pricing.prices import Charge, Graduated, PerUnit, Price, Volume
from services.licensing.domain.pricing.rating import Line, LineKind, lines_of, total_of
from tests.support.prices import a_price, prices, tiers

Told = dict[str, tuple[LineKind, int, Fraction, int]]


def told(lines: tuple[Line, ...]) -> Told:
    """What lines charge by key, but for keys of which nothing is left."""
    return {
        line.key: (line.kind, line.posts, line.precise, line.minor)
        for line in summed(lines)
        if line.posts or line.precise or line.minor
    }


@given(prices(), st.lists(st.integers(0, 9_000), min_size=1, max_size=6))
def test_b3_in_however_many_steps_a_period_is_billed_its_lines_are_the_same(
    price: Price, steps: list[int]
) -> None:
    billed: tuple[Line, ...] = ()
    for posts in steps:
        billed += correction(billed, lines_of(price, posts))

    at_once = lines_of(price, steps[-1])
    assert told(billed) == told(at_once)
    assert total_of(billed) == total_of(at_once)
    assert correction(billed, at_once) == ()


@given(prices(), prices(), st.lists(st.tuples(st.booleans(), st.integers(0, 9_000)), min_size=1, max_size=5))
def test_b3_it_is_the_same_where_the_price_itself_was_corrected(
    first: Price, second: Price, steps: list[tuple[bool, int]]
) -> None:
    billed: tuple[Line, ...] = ()
    for is_second, posts in steps:
        now = lines_of(second if is_second else first, posts)
        billed += correction(billed, now)

    assert told(billed) == told(now)
    assert total_of(billed) == total_of(now)


@given(prices(), st.integers(0, 2**53))
def test_b3_the_first_bill_is_what_the_period_comes_to(price: Price, posts: int) -> None:
    lines = lines_of(price, posts)

    assert correction((), lines) == lines


@given(prices(), st.integers(0, 2**53))
def test_b3_nothing_remains_where_nothing_changed(price: Price, posts: int) -> None:
    lines = lines_of(price, posts)

    assert correction(lines, lines) == ()


def test_b2_a_late_confirmation_of_less_is_a_credit() -> None:
    price = a_price(Charge("posts", PerUnit(Decimal("0.50"))))

    (line,) = correction(lines_of(price, 1_000), lines_of(price, 990))

    assert (line.key, line.posts, line.unit_price, line.precise, line.minor) == (
        *("usage/posts", -10, Decimal("0.50"), Fraction(-5), -500),
    )


def test_b3_a_step_too_small_to_charge_is_told_and_not_lost() -> None:
    price = a_price(Charge("posts", PerUnit(Decimal("0.004"))))
    first = lines_of(price, 1)

    second = correction(first, lines_of(price, 2))
    third = correction((*first, *second), lines_of(price, 3))

    assert [(line.posts, line.minor) for line in (*first, *second, *third)] == [(1, 0), (1, 1), (1, 0)]


def test_b3_a_tier_that_is_no_longer_reached_is_taken_back_with_its_flat_amount() -> None:
    price = a_price(Charge("posts", Graduated(tiers((100, "1"), (None, "0.5", "20")))))

    lines = correction(lines_of(price, 101), lines_of(price, 99))

    assert [(line.key, line.posts, line.minor) for line in lines] == [
        ("usage.1/posts", -1, -100),
        ("usage.2/posts", -1, -50),
        ("flat.2/posts", 0, -2_000),
    ]


def test_b3_a_correction_across_volume_tiers_claims_no_unit_price() -> None:
    price = a_price(Charge("posts", Volume(tiers((5, "7"), (10, "6.5"), (None, "6")))))

    (line,) = correction(lines_of(price, 5), lines_of(price, 6))

    assert (line.posts, line.unit_price, line.per, line.minor) == (1, None, 1, 400)


def test_b3_a_top_up_to_the_minimum_shrinks_as_posts_come_in() -> None:
    price = a_price(Charge("posts", PerUnit(Decimal(1))), minimum=Decimal(50))

    lines = correction(lines_of(price, 10), lines_of(price, 60))

    assert [(line.key, line.minor) for line in lines] == [("usage/posts", 5_000), ("minimum", -4_000)]
