"""What a period comes to, by literal values (B1)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from services.licensing.domain.pricing.prices import Charge, Flat, Graduated, Model, Package, PerUnit, Volume
from services.licensing.domain.pricing.rating import Line, LineKind, lines_of, total_of
from tests.support.prices import a_price, tiers

MOST_POSTS = 2**53
GRADUATED = Graduated(tiers((100, "0.10", "5"), (1_000, "0.05", "3"), (None, "0.01")))
VOLUME = Volume(tiers((100, "0.10", "5"), (1_000, "0.05", "3"), (None, "0.01")))


def dollars(*amounts: str) -> list[int]:
    return [int(Decimal(amount) * 100) for amount in amounts]


def minors(model: Model | Charge, posts: int) -> list[int]:
    return [line.minor for line in lines_of(a_price(model), posts)]


def test_b1_a_line_says_what_it_charges() -> None:
    price = a_price(Charge("reads", PerUnit(Decimal("5"), per=1_000), included=500))

    assert lines_of(price, 2_000) == (
        Line(
            key="usage/reads",
            kind=LineKind.USAGE,
            description="reads, after 500 included",
            posts=1_500,
            unit_price=Decimal("5"),
            per=1_000,
            precise=Fraction(15, 2),
            minor=750,
        ),
    )


def test_b1_tiers_and_their_flat_amounts_stand_on_lines_of_their_own() -> None:
    lines = lines_of(a_price(Charge("posts", GRADUATED)), 150)

    assert [(line.key, line.kind, line.description, line.posts, line.minor) for line in lines] == [
        ("usage.1/posts", LineKind.USAGE, "posts, tier 1", 100, 1_000),
        ("flat.1/posts", LineKind.FLAT, "posts, tier 1, flat", 0, 500),
        ("usage.2/posts", LineKind.USAGE, "posts, tier 2", 50, 250),
        ("flat.2/posts", LineKind.FLAT, "posts, tier 2, flat", 0, 300),
    ]
    assert total_of(lines) == 2_050


@pytest.mark.parametrize(
    ("posts", "amounts"),
    [
        (0, []),
        (1, ["0.10", "5"]),
        (100, ["10", "5"]),
        (101, ["10", "5", "0.05", "3"]),
        (1_000, ["10", "5", "45", "3"]),
        (1_001, ["10", "5", "45", "3", "0.01"]),
    ],
)
def test_b1_a_graduated_tier_begins_with_its_first_post_and_ends_with_its_last(
    posts: int, amounts: list[str]
) -> None:
    assert minors(GRADUATED, posts) == dollars(*amounts)


@pytest.mark.parametrize(
    ("posts", "amounts"),
    [
        (0, []),
        (1, ["0.10", "5"]),
        (100, ["10", "5"]),
        (101, ["5.05", "3"]),
        (1_000, ["50", "3"]),
        (1_001, ["10.01"]),
    ],
)
def test_b1_all_posts_move_to_the_volume_tier_that_their_number_lies_in(
    posts: int, amounts: list[str]
) -> None:
    assert minors(VOLUME, posts) == dollars(*amounts)


def test_b1_one_post_more_can_cost_less_with_volume_tiers() -> None:
    price = a_price(Volume(tiers((5, "7"), (None, "5"))))

    assert [total_of(lines_of(price, posts)) for posts in (5, 6, 7)] == [3_500, 3_000, 3_500]


@pytest.mark.parametrize(
    ("posts", "minor"),
    [(0, []), (1, [250]), (99, [250]), (100, [250]), (101, [500]), (200, [500]), (201, [750])],
)
def test_b1_every_started_package_is_charged_whole(posts: int, minor: list[int]) -> None:
    assert minors(Package(Decimal("2.50"), 100), posts) == minor


@pytest.mark.parametrize(("posts", "minor"), [(0, []), (1, [1]), (500, [250]), (999, [500]), (1_000, [500])])
def test_b1_a_part_of_what_a_price_is_for_costs_its_part(posts: int, minor: list[int]) -> None:
    assert minors(PerUnit(Decimal("5"), per=1_000), posts) == minor


@pytest.mark.parametrize(
    ("posts", "minor"),
    [(0, []), (999, []), (1_000, []), (1_001, [10]), (1_100, [1_000]), (1_101, [1_000, 5])],
)
def test_b1_included_posts_come_off_first(posts: int, minor: list[int]) -> None:
    model = Graduated(tiers((100, "0.10"), (None, "0.05")))

    assert minors(Charge("posts", model, included=1_000), posts) == minor


@pytest.mark.parametrize("posts", [0, 1, MOST_POSTS])
def test_b1_a_flat_amount_is_charged_whatever_is_used(posts: int) -> None:
    (line,) = lines_of(a_price(Charge("access", Flat(Decimal("1000")))), posts)

    assert (line.key, line.kind, line.posts, line.minor) == ("flat/access", LineKind.FLAT, 0, 100_000)
    assert line.unit_price is None


def test_b1_a_flat_amount_of_nothing_is_no_line() -> None:
    assert lines_of(a_price(Flat(Decimal("0.00"))), 10) == ()


def test_b1_posts_that_cost_nothing_are_told_all_the_same() -> None:
    lines = lines_of(a_price(Graduated(tiers((100, "0"), (None, "2")))), 130)

    assert [(line.posts, line.minor) for line in lines] == [(100, 0), (30, 6_000)]


@pytest.mark.parametrize(
    ("unit_price", "per", "posts", "minor"),
    [
        ("0.0005", 1, 1, 0),
        ("0.0005", 1, 9, 0),
        ("0.0005", 1, 10, 1),
        ("0.0005", 1, 29, 1),
        ("0.0005", 1, 30, 2),
        ("0.005", 1, 1, 1),
        ("0.01", 3, 1, 0),
        ("0.01", 3, 2, 1),
        ("0.01", 3, 4, 1),
        ("0.01", 3, 5, 2),
        ("1", 3, 1, 33),
        ("1", 3, 2, 67),
        ("0.000000000001", 1, 4_999_999_999, 0),
        ("0.000000000001", 1, 5_000_000_000, 1),
    ],
)
def test_b1_a_line_is_rounded_once_a_half_up(unit_price: str, per: int, posts: int, minor: int) -> None:
    assert minors(PerUnit(Decimal(unit_price), per), posts) == [minor]


def test_b1_a_third_of_a_cent_is_kept_as_it_is() -> None:
    (line,) = lines_of(a_price(PerUnit(Decimal("0.01"), per=3)), 1)

    assert line.precise == Fraction(1, 300)


def test_b1_no_digit_is_lost_where_numbers_are_longest() -> None:
    (line,) = lines_of(a_price(PerUnit(Decimal("999999999999.999999999999"), per=17)), MOST_POSTS - 1)

    assert line.precise == Fraction(999_999_999_999_999_999_999_999 * (MOST_POSTS - 1), 17 * 10**12)
    # 529835250278881823529411234.870632..., which 28 digits would round to ...234.9 first.
    assert line.minor == 52_983_525_027_888_182_352_941_123_487


@pytest.mark.parametrize(
    ("currency", "decimals", "posts", "minor"),
    [("JPY", 0, 1, 0), ("JPY", 0, 4, 1), ("JPY", 0, 5, 1), ("KWD", 3, 1, 125), ("KWD", 3, 3, 375)],
)
def test_b1_amounts_are_rounded_to_the_decimals_of_their_currency(
    currency: str, decimals: int, posts: int, minor: int
) -> None:
    price = a_price(PerUnit(Decimal("0.125")), currency=currency, decimals=decimals)

    assert total_of(lines_of(price, posts)) == minor


def test_b1_half_a_yen_and_half_a_fils_are_rounded_up() -> None:
    yen = a_price(PerUnit(Decimal("0.5")), currency="JPY", decimals=0)
    fils = a_price(PerUnit(Decimal("0.0005")), currency="KWD", decimals=3)

    assert [total_of(lines_of(yen, posts)) for posts in (1, 2, 3)] == [1, 1, 2]
    assert [total_of(lines_of(fils, posts)) for posts in (1, 2, 3)] == [1, 1, 2]


def test_b1_the_total_is_the_sum_of_rounded_lines() -> None:
    price = a_price(*[Charge(f"charge {number}", PerUnit(Decimal("0.005"))) for number in range(3)])

    lines = lines_of(price, 1)

    assert sum(line.precise for line in lines) == Fraction(15, 1_000)
    assert total_of(lines) == 3


@pytest.mark.parametrize(
    ("posts", "line"), [(0, ("minimum", 5_000)), (49, ("minimum", 100)), (50, None), (51, None)]
)
def test_b1_a_line_tops_a_period_up_to_its_minimum(posts: int, line: tuple[str, int] | None) -> None:
    lines = lines_of(a_price(PerUnit(Decimal(1)), minimum=Decimal(50)), posts)

    assert [(each.key, each.minor) for each in lines if each.kind is LineKind.MINIMUM] == (
        [line] if line else []
    )
    assert total_of(lines) == max(5_000, posts * 100)


@pytest.mark.parametrize(("posts", "off"), [(0, []), (50, []), (51, [-100]), (1_000, [-95_000])])
def test_b1_a_line_takes_a_period_down_to_its_maximum(posts: int, off: list[int]) -> None:
    lines = lines_of(a_price(PerUnit(Decimal(1)), maximum=Decimal(50)), posts)

    assert [line.minor for line in lines if line.kind is LineKind.MAXIMUM] == off
    assert total_of(lines) == min(5_000, posts * 100)


def test_b1_a_minimum_that_is_the_maximum_is_what_every_period_comes_to() -> None:
    price = a_price(PerUnit(Decimal(1)), minimum=Decimal(50), maximum=Decimal(50))

    assert {total_of(lines_of(price, posts)) for posts in (0, 49, 50, 51, 500)} == {5_000}


def test_b1_minimum_and_maximum_are_compared_with_rounded_lines() -> None:
    # Each line is 0.005 and rounded to 0.01, so that the lines come to 0.02 while they are precisely 0.01.
    two = [Charge(name, PerUnit(Decimal("0.005"))) for name in ("a", "b")]

    assert total_of(lines_of(a_price(*two, minimum=Decimal("0.02")), 1)) == 2
    assert [line.minor for line in lines_of(a_price(*two, maximum=Decimal("0.01")), 1)] == [1, 1, -1]


@pytest.mark.parametrize(("bound", "minor"), [("10.004", 1_000), ("10.005", 1_001)])
def test_b1_a_minimum_and_a_maximum_are_rounded_themselves(bound: str, minor: int) -> None:
    at_least = a_price(PerUnit(Decimal(1)), minimum=Decimal(bound))
    at_most = a_price(PerUnit(Decimal(1)), maximum=Decimal(bound))

    assert total_of(lines_of(at_least, 1)) == minor
    assert total_of(lines_of(at_most, 20)) == minor


def test_b1_a_charge_may_be_called_like_any_other_key() -> None:
    names = ("minimum", "usage/minimum", "2/posts", "posts", "flat.1/posts", "maximum")
    price = a_price(
        *[Charge(name, GRADUATED) for name in names],
        *[Charge(f"flat {name}", Flat(Decimal(1))) for name in names],
        minimum=Decimal(10**9),
    )

    keys = [line.key for line in lines_of(price, 5_000)]

    assert len(keys) == len(set(keys)) == 6 * 5 + 6 + 1


def test_b1_nobody_releases_fewer_posts_than_none() -> None:
    with pytest.raises(ValueError, match="fewer"):
        lines_of(a_price(), -1)
