"""Revenue by licensee and month as a picture: a panel for each currency, for two are never on one axis."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.console.money import NANOS, in_nanos
from services.console.plots import DOTS_PER_INCH, PAD_INCHES, write_figure
from sluice.licensing.v1.invoice_pb2 import Revenue

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES, PANEL_INCHES = 11.0, 4.5
MOST_NAMED = 9
"""Licensees with a colour of their own, by their revenue; the others are drawn as one."""
OTHERS = "all others"
MOST_LABELS = 24
_COLOURS = (
    *("#1f5fa8", "#c77700", "#2e7d32", "#b3261e", "#6a4fa3"),
    *("#00838f", "#8d6e63", "#ad1457", "#7cb342", "#9e9e9e"),
)


def draw_revenue(found: Sequence[Revenue], out: Path) -> None:
    """Writes the picture, PNG or SVG by its name; raises as `plots.write_figure`."""
    write_figure(lambda: _figure(found), out)


def _figure(found: Sequence[Revenue]) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415

    currencies = sorted({each.net.currency_code for each in found})
    panels = max(1, len(currencies))
    figure = Figure(figsize=(WIDTH_INCHES, PANEL_INCHES * panels), dpi=DOTS_PER_INCH)
    figure.set_layout_engine("constrained", w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    all_axes = figure.subplots(panels, 1, squeeze=False)[:, 0]
    if not currencies:
        all_axes[0].set_axis_off()
        all_axes[0].text(0.5, 0.5, "Nothing was billed.", ha="center", color="#555555")
    for currency, axes in zip(currencies, all_axes, strict=False):
        _draw(axes, currency, [each for each in found if each.net.currency_code == currency])
    return figure


def _draw(axes: "Axes", currency: str, found: Sequence[Revenue]) -> None:
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    months = _months(min(each.month for each in found), max(each.month for each in found))
    # Stacked from zero: what is above it upwards, corrections of more than was billed downwards.
    above, below = [0.0] * len(months), [0.0] * len(months)
    for (name, amounts), colour in zip(_by_licensee(found).items(), _COLOURS, strict=False):
        heights = [amounts.get(month, 0) / NANOS for month in months]
        bottoms = [above[place] if height >= 0 else below[place] for place, height in enumerate(heights)]
        axes.bar(range(len(months)), heights, bottom=bottoms, color=colour, width=0.75, label=name)
        for place, height in enumerate(heights):
            if height >= 0:
                above[place] += height
            else:
                below[place] += height
    axes.set_title(f"Revenue in {currency} by licensee and month", loc="left", pad=12)
    axes.set_ylabel(currency)
    step = -(-len(months) // MOST_LABELS)
    axes.set_xticks(range(0, len(months), step), months[::step], rotation=45, ha="right")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)


def _by_licensee(found: Sequence[Revenue]) -> dict[str, dict[str, int]]:
    """Billionths by licensee and month, the largest licensee first, and those beyond the colours together."""
    sums = dict[str, int]()
    for each in found:
        sums[each.licensee_id] = sums.get(each.licensee_id, 0) + in_nanos(each.net)
    largest = sorted(sums, key=lambda licensee_id: (-sums[licensee_id], licensee_id))
    named = {name: name for name in (largest if len(largest) <= MOST_NAMED + 1 else largest[:MOST_NAMED])}
    amounts: dict[str, dict[str, int]] = {named.get(name, OTHERS): {} for name in largest}
    for each in found:
        months = amounts[named.get(each.licensee_id, OTHERS)]
        months[each.month] = months.get(each.month, 0) + in_nanos(each.net)
    return amounts


def _months(first: str, last: str) -> list[str]:
    """Every month from one to the other, also those in which nothing was billed."""
    (year, month), months = map(int, first.split("-")), list[str]()
    while (label := f"{year:04d}-{month:02d}") <= last:
        months.append(label)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return months
