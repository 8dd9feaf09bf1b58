"""Counts of decisions, put together by time."""

from services.console import moments
from services.console.operations.counting import stretches, total
from services.console.operations.decision_charts import outcomes_chart, reasons_chart
from services.console.stats import By
from services.console.web.reading import reader_of
from sluice.licensing.v1 import statistics_service_pb2 as pb

NOON_US = moments.read("2026-01-31T12:00:00Z").ToMicroseconds()
HOUR_US = 3_600_000_000
ENGLISH = reader_of("en-GB")


def a_row(hour: int, released: int, denied: int, *posts: tuple[int, int, int]) -> pb.DecisionStats:
    """Of an hour after noon; posts are verdict, reason and how many."""
    return pb.DecisionStats(
        since=moments.from_us(NOON_US + hour * HOUR_US),
        decisions_released=released,
        decisions_denied=denied,
        posts=[pb.PostCount(verdict=v, reason=r, posts=n) for v, r, n in posts],  # type: ignore[arg-type]
    )


ROWS = [
    a_row(0, 2, 1, (1, 1, 20), (3, 46, 5)),
    a_row(0, 1, 0, (1, 1, 3)),
    a_row(2, 0, 1, (2, 10, 7), (3, 46, 1)),
]


def test_every_stretch_is_there_also_one_without_any_decision() -> None:
    found = stretches(ROWS, By.HOUR, NOON_US + 5, NOON_US + 3 * HOUR_US)

    assert [each.decisions for each in found] == [4, 0, 1]
    assert [each.posts_released for each in found] == [23, 0, 0]
    assert [dict(each.posts_denied) for each in found] == [{46: 5}, {}, {10: 7, 46: 1}]


def test_a_stretch_that_begins_as_the_time_ends_is_not_of_it() -> None:
    assert len(stretches([], By.HOUR, NOON_US, NOON_US + HOUR_US)) == 1
    assert len(stretches([], By.HOUR, NOON_US, NOON_US + HOUR_US + 1)) == 2


def test_all_together_are_the_sum_of_the_stretches() -> None:
    whole = total(ROWS, NOON_US)

    assert (whole.released, whole.partial, whole.denied) == (3, 0, 2)
    assert (whole.posts_released, whole.posts_denied.total()) == (23, 13)


def test_a_chart_has_a_bar_for_each_stretch_and_a_colour_for_each_outcome() -> None:
    chart = outcomes_chart(ENGLISH, stretches(ROWS, By.HOUR, NOON_US, NOON_US + 3 * HOUR_US), By.HOUR)

    assert list(chart.bars) == ["31 Jan, 12:00", "31 Jan, 13:00", "31 Jan, 14:00"]
    assert [(each.name, list(each.values)) for each in chart.series] == [
        ("Released", [3, 0, 0]),
        ("Released in part", [0, 0, 0]),
        ("Denied", [1, 0, 1]),
    ]


def test_a_chart_of_no_decision_has_no_colour() -> None:
    assert not outcomes_chart(ENGLISH, stretches([], By.HOUR, NOON_US, NOON_US + HOUR_US), By.HOUR).series


def test_the_commonest_reasons_have_a_colour_each_and_the_others_one_together() -> None:
    posts = [(3, reason, 100 - reason) for reason in range(40, 56)]

    chart = reasons_chart(
        ENGLISH, stretches([a_row(0, 0, 1, *posts)], By.HOUR, NOON_US, NOON_US + 1), By.HOUR
    )

    assert len(chart.series) == 10
    assert chart.series[0].name == "A contributor is not known"
    assert chart.series[-1].name == "All other reasons"
    assert sum(each.values[0] for each in chart.series) == sum(count for _, _, count in posts)
