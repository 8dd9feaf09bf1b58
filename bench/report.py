"""Figures with what they are compared with and what is aimed at; as a table, a column a size, and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

WIDTH = 130


@dataclass(frozen=True)
class Figure:
    """What was measured at one size."""

    what: str
    value: float
    unit: str
    size: int
    """How many subjects there were, or parties."""
    ratio: float | None = None
    """For a comparison: how many times the figure above it."""
    aim: float | None = None
    """At most; None where there is none."""
    least: float | None = None
    """At least, likewise."""

    @property
    def met(self) -> bool | None:
        """Whether the aim is; None where there is none."""
        if self.least is not None:
            return self.value >= self.least
        return None if self.aim is None else self.value <= self.aim

    @property
    def aim_words(self) -> str:
        """The aim; "" where there is none."""
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.aim is None else f"<= {self.aim:g}"

    def __str__(self) -> str:
        size = abs(self.value)
        value = f"{self.value:,.{0 if size >= 1_000 else 1 if size >= 1 or not size else 3}f}"
        ratio = (
            ""
            if self.ratio is None
            else f" ({self.ratio:,.2g}x)"
            if self.ratio < 10
            else f" ({self.ratio:,.0f}x)"
        )
        verdict = {None: "", True: " met", False: " NOT MET"}[self.met]
        return value + ratio + verdict


@dataclass(frozen=True)
class Report:
    """One run."""

    title: str
    engine: str
    sizes_of: str
    """What sizes are numbers of."""
    machine: Mapping[str, str | float | None]
    figures: Sequence[Figure]

    def print(self) -> None:
        """As a table for people."""
        sizes = sorted({figure.size for figure in self.figures})
        about = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        table = Table(title=f"{self.title} on {self.engine}", caption=about)
        table.add_column("what")
        table.add_column("unit")
        for size in sizes:
            table.add_column(f"{size:,} {self.sizes_of}", justify="right")
        table.add_column("aim", justify="right")
        for what, unit in dict.fromkeys((figure.what, figure.unit) for figure in self.figures):
            found = {figure.size: figure for figure in self.figures if figure.what == what}
            aim = next((figure.aim_words for figure in found.values() if figure.aim_words), "")
            table.add_row(what, unit, *(str(found.get(size, "")) for size in sizes), aim)
        Console(width=WIDTH).print(table)

    def write(self, path: Path) -> None:
        """As JSON for programs."""
        figures = [asdict(figure) | {"met": figure.met} for figure in self.figures]
        whole = {"engine": self.engine, "machine": self.machine, "figures": figures}
        path.write_text(json.dumps(whole, indent=1))
