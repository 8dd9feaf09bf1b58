"""window.svg of a bundle: the rolling window over time, the threshold, and the periods that are claimed.

It shows the fullest window of each part of the time, so that no peak is lost between two points.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from services.console.moments import clock_face, from_us
from services.console.plots import need_matplotlib
from sluice_gate.damages.counting import Counted
from sluice_gate.damages.tariffs import Ints

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS = 1_500
"""Of the time that is shown: more than there are dots across."""
HEIGHT_INCHES = 5.5
LEAST_WIDTH_INCHES, MOST_WIDTH_INCHES = 11.0, 40.0
WINDOWS_AN_INCH = 4
"""So many windows side by side can still be told apart."""
HEADROOM = 1.15

_USAGE, _LIMIT, _PERIOD = "#1f5fa8", "#b3261e", "#c77700"
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "sluice", "font.size": 10}


def draw_window(document: dict[str, Any], counted: Counted, out: Path) -> None:
    """Writes the picture, SVG. `counted`: as the policy has it.

    Raises Refusal (precondition, PLOT_MISSING: matplotlib is not installed) and OSError.
    """
    matplotlib = need_matplotlib()
    with matplotlib.style.context(["default", _STYLE]):
        figure_of(document, counted).savefig(out, format="svg", metadata={"Date": None})


def shown_range(document: dict[str, Any], counted: Counted) -> tuple[int, int]:
    """From when to when, microseconds: where anything counts, a window around it, within what is assessed."""
    since_us, until_us = document["since_us"], document["until_us"]
    if len(counted.at_us):
        window_us = document["policy"]["window_us"]
        since_us = max(since_us, int(counted.at_us[0]) - window_us // 2)
        until_us = min(until_us, int(counted.at_us[-1]) + window_us)
    periods = document["periods"]
    ends = [period["until_us"] for period in periods]
    return min([since_us, *(period["since_us"] for period in periods)]), max([until_us, *ends])


def fullest(counted: Counted, window_us: int, edges_us: Ints) -> Ints:
    """Posts of the fullest window (t-W, t] that ends in each part [edge, next edge)."""
    ends = np.searchsorted(counted.at_us, edges_us[:-1], side="right")
    begins = np.searchsorted(counted.at_us, edges_us[:-1] - window_us, side="right")
    # It falls but where something counts: it is fullest at such a time, or where the part begins.
    found: Ints = counted.before[ends] - counted.before[begins]
    at_each = (
        counted.before[1:]
        - counted.before[np.searchsorted(counted.at_us, counted.at_us - window_us, side="right")]
    )
    part = np.searchsorted(edges_us, counted.at_us, side="right") - 1
    inside = (part >= 0) & (part < len(found))
    np.maximum.at(found, part[inside], at_each[inside])
    return found


def figure_of(document: dict[str, Any], counted: Counted) -> "Figure":
    """The picture, in days since 1970 and posts. `counted`: as the policy has it."""
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    since_us, until_us = shown_range(document, counted)
    policy = document["policy"]
    windows = (until_us - since_us) / policy["window_us"]
    width = min(max(LEAST_WIDTH_INCHES, windows / WINDOWS_AN_INCH), MOST_WIDTH_INCHES)
    figure = Figure(figsize=(width, HEIGHT_INCHES))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    axes = figure.add_subplot()
    ((kind, name),) = document["of"].items()
    axes.set_title(
        f"{kind} {name}: {len(document['periods']):,} period(s) claimed", loc="left", parse_math=False
    )
    axes.set_ylabel("posts in the window")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda posts, _: f"{posts:,.0f}"))
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    edges_us = np.unique(np.linspace(since_us, until_us, PARTS + 1).astype(np.int64))
    posts = fullest(counted, policy["window_us"], edges_us)
    _draw_usage(axes, edges_us, posts)
    _draw_periods(axes, document["periods"])
    axes.axhline(
        policy["threshold"], color=_LIMIT, linewidth=1.4, label=f"threshold: {policy['threshold']:,} posts"
    )
    highest = max(int(posts.max(initial=0)), policy["threshold"], 1)
    axes.set_ylim(0, highest * HEADROOM)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw_usage(axes: "Axes", edges_us: Ints, posts: Ints) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415

    days = date2num(edges_us.astype("datetime64[us]"))
    axes.stairs(posts, days, fill=True, color=_USAGE, alpha=0.15)
    axes.stairs(
        posts, days, baseline=None, color=_USAGE, linewidth=1.2, label="fullest window that ends in each part"
    )
    locator = AutoDateLocator(minticks=4, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    begin, end = (clock_face(from_us(int(us))).removesuffix(" UTC") for us in (edges_us[0], edges_us[-1]))
    axes.set_xlabel(f"end of the window (UTC), {begin} to {end}")
    axes.set_xlim(float(days[0]), float(days[-1]))


def _draw_periods(axes: "Axes", periods: Sequence[dict[str, Any]]) -> None:
    from matplotlib.dates import date2num  # noqa: PLC0415

    if not periods:
        return
    since, until = (
        date2num(np.array([period[name] for period in periods], "datetime64[us]"))
        for name in ("since_us", "until_us")
    )
    # From the bottom to the top whatever the heights are. Two artists for all of them: thousands, each for
    # itself, take longer to draw than to find.
    across = axes.get_xaxis_transform()
    axes.broken_barh(
        list(zip(since, until - since, strict=True)),
        (0, 1),
        transform=across,
        color=_PERIOD,
        alpha=0.2,
        linewidth=0,
        label="periods that are claimed",
    )
    # A line where each begins keeps neighbours apart.
    axes.vlines(since, 0, 1, transform=across, color=_PERIOD, linewidth=0.8)
