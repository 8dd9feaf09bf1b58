"""Charts of pages: what they show, and what they never are."""

import asyncio
import threading
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from services.chassis.refusals import Refusal
from services.console.operations.charts import (
    DARK,
    LIGHT,
    LOOKS,
    Series,
    StackedBars,
    Theme,
    drawn,
    picture,
)
from services.console.operations.one_by_one import OneByOne

SVG = "{http://www.w3.org/2000/svg}"
SCRIPT = "<script>alert(1)</script> $x^2$ \x07"


def a_chart(*series: Series, bars: tuple[str, ...] = ("12:00", "13:00")) -> StackedBars:
    return StackedBars(
        title="Posts",
        x_label="hours, UTC",
        y_label="posts",
        bars=bars,
        series=series,
        nothing="Nothing was decided.",
        number=lambda value: f"{value:.0f}",
    )


def words(svg: bytes) -> list[str]:
    """The words that a picture shows."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_a_chart_names_its_bars_its_series_and_its_units() -> None:
    said = words(drawn(a_chart(Series("released", [3, 4]), Series("denied", [1, 0])), LOOKS["light"]))

    assert {"Posts", "hours, UTC", "posts", "12:00", "13:00", "released", "denied"} <= set(said)


def test_the_same_numbers_give_the_same_bytes() -> None:
    chart = a_chart(Series("released", [3, 4]))

    assert drawn(chart, LOOKS["light"]) == drawn(chart, LOOKS["light"])
    assert drawn(chart, LOOKS["light"]) != drawn(chart, LOOKS["dark"])


def test_a_name_is_text_whatever_it_holds() -> None:
    svg = drawn(a_chart(Series(SCRIPT, [1, 2])), LOOKS["light"])

    assert b"<script" not in svg
    assert "<script>alert(1)</script> $x^2$ \N{REPLACEMENT CHARACTER}" in words(svg)


def test_a_picture_needs_no_style_that_the_policy_of_content_forbids() -> None:
    root = ElementTree.fromstring(drawn(a_chart(Series("released", [3, 4])), LOOKS["dark"]))

    assert not [element for element in root.iter() if "style" in element.attrib]
    assert not list(root.iter(f"{SVG}style"))


def test_a_chart_of_nothing_says_so() -> None:
    assert words(drawn(a_chart(bars=()), LOOKS["light"])) == ["Nothing was decided.", "Posts"]


def test_what_was_taken_back_hangs_below_the_line() -> None:
    assert "-2" in words(drawn(a_chart(Series("acme", [4, -3])), LOOKS["light"]))


async def test_a_picture_says_what_it_is() -> None:
    answer = await picture(a_chart(Series("released", [3, 4])), "no such theme")

    assert answer.media_type == "image/svg+xml"
    assert answer.body == drawn(a_chart(Series("released", [3, 4])), LOOKS["light"])


async def test_work_that_cannot_be_begun_soon_is_refused() -> None:
    release = threading.Event()
    queue = OneByOne("test", most_waiting=1)
    first = asyncio.ensure_future(queue.do(lambda: release.wait(10)))
    await asyncio.sleep(0)

    with pytest.raises(Refusal) as refused:
        await queue.do(lambda: True)
    release.set()

    assert refused.value.reason == "PAGES_BUSY"
    assert await first
    assert await queue.do(lambda: "again") == "again"


def test_a_chart_for_a_phone_is_narrow_and_names_fewer_bars() -> None:
    bars = tuple(f"{hour}:00" for hour in range(24))
    chart = a_chart(Series("released", range(24)), bars=bars)

    wide, narrow = drawn(chart, LOOKS["light"]), drawn(chart, LOOKS["light-narrow"])

    assert [ElementTree.fromstring(each).get("width") for each in (wide, narrow)] == ["720pt", "360pt"]
    assert [len(set(words(each)) & set(bars)) for each in (wide, narrow)] == [12, 5]


def test_of_nothing_there_is_no_edge() -> None:
    one, two = (drawn(a_chart(Series("released", values)), LOOKS["light"]) for values in ([3, 0], [3, 4]))

    assert one.count(f'stroke="{LIGHT.ink}"'.encode()) < two.count(f'stroke="{LIGHT.ink}"'.encode())


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.2)."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_colour_is_seen_on_its_page(theme: Theme) -> None:
    faint = [colour for colour in theme.series if contrast(colour, theme.paper) < 3]

    assert not faint


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_neighbours_and_all_outcomes_are_told_apart_without_seeing_colours(theme: Theme) -> None:
    released, partial, denied, *_ = theme.series
    pairs = [*pairwise(theme.series), (released, denied), (released, partial), (partial, denied)]

    assert [pair for pair in pairs if contrast(*pair) < 1.8] == []


@pytest.mark.parametrize(("look", "ink"), [("light", LIGHT.ink), ("dark", DARK.ink)])
def test_bars_have_edges_and_what_is_denied_is_hatched(look: str, ink: str) -> None:
    chart = a_chart(Series("released", [3, 4]), Series("in part", [1, 1]), Series("denied", [1, 2]))

    svg = drawn(chart, LOOKS[look]).decode()

    assert f'stroke="{ink}"' in svg
    assert svg.count("<pattern") >= 2
