"""Charts of pages: stacked bars, drawn here as SVG that runs nothing, loads nothing and needs no style sheet.

The same numbers give the same bytes. Names in a chart are data: they come out as text, whatever they hold.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from fastapi import Response

from services.console.operations.one_by_one import OneByOne
from services.console.plots import PAD_INCHES, STYLE, need_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_STRETCHES = 400
"""Bars that are told apart at the width of a screen."""
MOST_WAITING = 32
"""Charts that wait to be drawn, a tenth of a second each."""
LONG_NAME = 24
"""Characters, from which on a line of the legend holds two names."""

# Told apart without seeing colours: neighbours differ in brightness and in hatching, and bars have edges.
_HATCHES = ("", "///", "xxxx", "..", "\\\\\\", "", "///", "xxxx", "..", "\\\\\\")
EDGE_POINTS, EDGES = 0.8, 40.0
"""The width of an edge; where bars are many, that of all edges together, so that colours are still seen."""
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
# The library's state is global: two drawings at once would spoil each other.
_pencil = OneByOne("drawing", MOST_WAITING)


@dataclass(frozen=True)
class Theme:
    """Colours for a light or a dark page."""

    ink: str
    line: str
    paper: str
    """Of hatching."""
    series: tuple[str, ...]
    """Each has a contrast of 3 to the page (WCAG 2.2, 1.4.11), and neighbours one to each other."""


LIGHT = Theme(
    "#1b1f24",
    "#d5d9de",
    "#ffffff",
    (
        *("#1f5fa8", "#c77c00", "#6b0f0a", "#3d8fd1", "#00594a"),
        *("#bd72aa", "#5c3d00", "#9579d0", "#174852", "#8c8c8c"),
    ),
)
DARK = Theme(
    "#e8eaed",
    "#343a41",
    "#14171a",
    (
        *("#5b9fe8", "#f8d998", "#c4312a", "#a8d4f7", "#2f9f7e"),
        *("#efc9e4", "#a67a2f", "#c5b6f0", "#3f8794", "#d0d0d0"),
    ),
)
MOST_SERIES = len(LIGHT.series)


@dataclass(frozen=True)
class Look:
    """How a chart is drawn."""

    theme: Theme
    size_inches: tuple[float, float] = (10.0, 4.6)
    labels: int = 12
    """Of bars, at most: more would lie over each other."""
    columns: int = 4
    """Of the legend; half as many where a name is long."""


NARROW: Mapping[str, Any] = {"size_inches": (5.0, 5.4), "labels": 5, "columns": 2}
"""As wide as a phone is, with letters that can be read there."""
LOOKS = {
    "light": Look(LIGHT),
    "dark": Look(DARK),
    "light-narrow": Look(LIGHT, **NARROW),
    "dark-narrow": Look(DARK, **NARROW),
}


@dataclass(frozen=True)
class Series:
    """One colour."""

    name: str
    values: Sequence[float]
    """One for each bar; those below 0 hang from the line."""


@dataclass(frozen=True)
class StackedBars:
    """What is to be seen."""

    title: str
    x_label: str
    """What the bars stand for, with the time zone."""
    y_label: str
    """The unit."""
    bars: Sequence[str]
    """What each is called, from left to right: at most MOST_STRETCHES."""
    series: Sequence[Series]
    """From the line upwards: at most MOST_SERIES."""
    nothing: str
    """The sentence to show where there is no bar or no series."""
    number: Callable[[float], str]
    """A number of the axis as the reader writes it."""


async def picture(chart: StackedBars, look: str) -> Response:
    """The chart as an answer; one of LOOKS, "light" for all other words.

    Raises Refusal (exhausted, PAGES_BUSY; precondition, PLOT_MISSING).
    """
    chosen = LOOKS.get(look, LOOKS["light"])
    content = await _pencil.do(lambda: drawn(chart, chosen))
    return Response(content, media_type="image/svg+xml")


def drawn(chart: StackedBars, look: Look) -> bytes:
    """The chart as SVG. Not for two threads at once. Raises Refusal (precondition, PLOT_MISSING)."""
    matplotlib, theme = need_matplotlib(), look.theme
    colours = {
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.edgecolor": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "hatch.linewidth": 1.0,
        # A name may hold a dollar sign, and is no formula.
        "text.parse_math": False,
    }
    out = io.BytesIO()
    with matplotlib.style.context(["default", STYLE, colours]):
        _figure(chart, look).savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _without_styles(out.getvalue())


def _figure(chart: StackedBars, look: Look) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    figure = Figure(figsize=look.size_inches)
    figure.set_layout_engine("constrained", w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    axes = figure.add_subplot()
    axes.set_title(_text(chart.title), loc="left", pad=12)
    axes.spines[["top", "right"]].set_visible(False)
    if not chart.bars or not chart.series:
        axes.set_axis_off()
        axes.text(0.5, 0.5, _text(chart.nothing), transform=axes.transAxes, ha="center")
        return figure
    axes.set_xlabel(_text(chart.x_label))
    axes.set_ylabel(_text(chart.y_label))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=_are_whole(chart)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _text(chart.number(value))))
    axes.grid(axis="y", color=look.theme.line, linewidth=0.8)
    axes.set_axisbelow(True)
    step = -(-len(chart.bars) // look.labels)
    shown = [_text(each) for each in chart.bars[::step]]
    axes.set_xticks(range(0, len(chart.bars), step), shown, rotation=30, ha="right")
    _draw_bars(figure, axes, chart, look)
    return figure


def _draw_bars(figure: "Figure", axes: "Axes", chart: StackedBars, look: Look) -> None:
    theme = look.theme
    above, below = [0.0] * len(chart.bars), [0.0] * len(chart.bars)
    handles: list[Any] = []
    for place, series in enumerate(chart.series[:MOST_SERIES]):
        bottoms = [
            up if value >= 0 else down for value, up, down in zip(series.values, above, below, strict=True)
        ]
        handles.append(
            axes.bar(
                range(len(chart.bars)),
                # A bar of no height would still have its edge.
                [value or math.nan for value in series.values],
                bottom=bottoms,
                width=0.8,
                color=theme.series[place],
                hatch=_HATCHES[place],
                hatchcolor=theme.paper,
                edgecolor=theme.ink,
                linewidth=min(EDGE_POINTS, EDGES / len(chart.bars)),
            )
        )
        for bar, value in enumerate(series.values):
            (above if value >= 0 else below)[bar] += value
    axes.axhline(0, color=theme.ink, linewidth=0.8)
    axes.set_xlim(-0.6, len(chart.bars) - 0.4)
    if not any(above) and not any(below):
        axes.set_ylim(0, 1)
    names = [_text(series.name) for series in chart.series[:MOST_SERIES]]
    columns = look.columns // 2 if max(map(len, names)) > LONG_NAME else look.columns
    figure.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False)


def _are_whole(chart: StackedBars) -> bool:
    return all(float(value).is_integer() for series in chart.series for value in series.values)


def _text(said: str) -> str:
    """What XML can hold of a text."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in said)


def _without_styles(svg: bytes) -> bytes:
    """The same picture with attributes in the place of styles, which our policy of content forbids."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    # It is what was drawn here, and nothing that came in.
    root = ElementTree.fromstring(svg)  # noqa: S314
    for element in list(root.iter()):
        for child in list(element):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                element.remove(child)
        for declaration in filter(None, element.attrib.pop("style", "").split("; ")):
            name, _, value = declaration.partition(": ")
            element.set(name, value)
    # What the style sheet that is gone said of everything.
    root.set("stroke-linejoin", "round")
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
