"""A rolling window over time against its limit, as a picture.

It shows the fullest window of each part of the time, so that no peak is lost between two points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.chassis.refusals import precondition
from services.console.moments import clock_face, from_us

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg")
SIZE_INCHES = (11.0, 5.5)
DOTS_PER_INCH = 120
PAD_INCHES = 0.12
HIGH_PERCENT = 80
"""From here on a watched window counts as high."""
FARTHEST_LIMIT = 10
"""A limit over so many times the peak is told in words: drawn, it would press the usage into a flat line."""
SHORTEST_DAYS = 1 / 86_400_000
"""A millisecond: days as floats, which are the library's times, tell no shorter stretch apart."""
HEADROOM = 1.2
"""Of what is highest: room for the words at the peak."""

_USAGE, _LIMIT, _HIGH = "#1f5fa8", "#b3261e", "#c77700"
# Words stay words, to be searched and read aloud; ids and no date, so that the same is written the same.
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "sluice", "font.size": 10}


@dataclass(frozen=True)
class Plot:
    """What is to be seen."""

    title: str
    edges_us: Sequence[int]
    """Where the parts begin and end, microseconds since the epoch: one more than there are parts, or none."""
    posts: Sequence[int]
    """Of the fullest window in each part."""
    peak_us: int | None
    """When the fullest of all first ends. None where no window holds any post."""
    limit: int | None
    """Posts. None: no line."""

    @property
    def peak(self) -> int:
        """Posts of the fullest window."""
        return max(self.posts, default=0)

    @property
    def is_limit_near(self) -> bool:
        """Whether the limit is drawn."""
        return self.limit is not None and (not self.peak or self.limit <= FARTHEST_LIMIT * self.peak)


def draw(plot: Plot, out: Path) -> None:
    """Writes the picture; raises as `write_figure`."""
    write_figure(lambda: _figure(plot), out)


def write_figure(make: "Callable[[], Figure]", out: Path) -> None:
    """Writes what `make` draws into a file, PNG or SVG by its name, which is whole once it is there.

    Raises Refusal (precondition, PLOT_MISSING: matplotlib is not installed) and OSError.
    """
    matplotlib = need_matplotlib()
    unfinished = out.with_name(f"{out.name}.unfinished")
    kind = out.suffix.lower().removeprefix(".")
    try:
        # "default" first: what somebody likes their own plots to be does not change these.
        with matplotlib.style.context(["default", STYLE]):
            make().savefig(unfinished, format=kind, metadata={"Date": None} if kind == "svg" else None)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def need_matplotlib() -> Any:
    """The library; raises Refusal (precondition, PLOT_MISSING)."""
    # Inside: few installations need it, and it is large.
    try:
        import matplotlib.figure  # noqa: PLC0415
        import matplotlib.style  # noqa: PLC0415
    except ImportError as error:
        raise precondition(
            "PLOT_MISSING", "plots are drawn with matplotlib: pip install sluice[plot]"
        ) from error
    return matplotlib


def _figure(plot: Plot) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    # No pyplot: its state is global, and it may look for a screen.
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH)
    figure.set_layout_engine("constrained", w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    axes = figure.add_subplot()
    axes.set_title(plot.title, loc="left", pad=12, parse_math=False)
    axes.set_ylabel("posts")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda posts, _: f"{posts:,.0f}"))
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    _draw_usage(axes, plot)
    _draw_limit(axes, plot)
    highest = max(plot.peak, plot.limit or 0) if plot.is_limit_near else plot.peak
    axes.set_ylim(0, max(1, highest) * HEADROOM)
    if plot.posts or plot.limit is not None:
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw_usage(axes: "Axes", plot: Plot) -> None:
    import numpy as np  # noqa: PLC0415
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415

    if not plot.posts:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "Nothing was counted.", transform=axes.transAxes, ha="center", color="#555555")
        return
    days = date2num(np.array(plot.edges_us, "datetime64[us]"))
    axes.stairs(plot.posts, days, fill=True, color=_USAGE, alpha=0.15)
    axes.stairs(
        plot.posts,
        days,
        baseline=None,
        color=_USAGE,
        linewidth=1.2,
        label="fullest window that ends in each part",
    )
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    begin, end = (
        clock_face(from_us(us)).removesuffix(" UTC") for us in (plot.edges_us[0], plot.edges_us[-1])
    )
    axes.set_xlabel(f"end of the window (UTC), {begin} to {end}")
    first, last = float(days[0]), max(float(days[-1]), float(days[0]) + SHORTEST_DAYS)
    axes.set_xlim(first, last)
    if plot.peak_us is None:
        axes.text(
            0.5, 0.5, "No window holds any post.", transform=axes.transAxes, ha="center", color="#555555"
        )
        return
    _mark_peak(axes, plot, plot.peak_us, first, last)


def _mark_peak(axes: "Axes", plot: Plot, peak_us: int, first: float, last: float) -> None:
    import numpy as np  # noqa: PLC0415
    from matplotlib.dates import date2num  # noqa: PLC0415

    at = float(date2num(np.datetime64(peak_us, "us")))
    axes.plot([at], [plot.peak], "o", color=_USAGE, clip_on=False)
    is_left = at < (first + last) / 2
    axes.annotate(
        f"{plot.peak:,} posts at {clock_face(from_us(peak_us))}",
        (at, plot.peak),
        xytext=(8 if is_left else -8, 8),
        textcoords="offset points",
        ha="left" if is_left else "right",
        color=_USAGE,
        # On top of the lines, which may run just here.
        bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        zorder=5,
    )


def _draw_limit(axes: "Axes", plot: Plot) -> None:
    if plot.limit is None:
        return
    if not plot.is_limit_near:
        axes.plot([], [], " ", label=f"limit: {plot.limit:,} posts, far above")
        return
    high = plot.limit * HIGH_PERCENT / 100
    words = f"{high:,.1f}".removesuffix(".0")
    axes.axhline(plot.limit, color=_LIMIT, linewidth=1.4, label=f"limit: {plot.limit:,} posts")
    axes.axhline(
        high, color=_HIGH, linewidth=1.2, linestyle="--", label=f"{HIGH_PERCENT} % of it: {words} posts"
    )
