"""A trace as a waterfall: who did what, when, and for how long."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.console.traces import ERROR, Span

BAR_WIDTH = 32
OURS = "sluice."
"""What our own attributes begin with."""

FUNCTION = "code.function.name"
"""The attribute with the full name of the function that had a database work."""

_STYLES = ("cyan", "magenta", "green", "yellow", "blue")


@dataclass(frozen=True)
class Line:
    """One span where it stands in the drawing."""

    span: Span
    depth: int
    offset_ns: int
    """From the start of the trace."""


def arrange(spans: Sequence[Span]) -> list[Line]:
    """Every span once under its parent, by start; one whose parent is missing stands at the left.

    So does the earliest of spans whose parents form a circle, for no span at the left leads to them.
    """
    known = {span.span_id for span in spans}
    by_start = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
    children: defaultdict[str, list[Span]] = defaultdict(list)
    for span in by_start:
        children[span.parent_id if span.parent_id in known else ""].append(span)
    began_ns = min((span.start_ns for span in spans), default=0)
    lines: dict[str, Line] = {}
    for first in [*children[""], *by_start]:
        waiting = [(first, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span.span_id not in lines:
                lines[span.span_id] = Line(span, depth, span.start_ns - began_ns)
                waiting += [(child, depth + 1) for child in reversed(children[span.span_id])]
    return list(lines.values())


def bar(offset_ns: int, duration_ns: int, total_ns: int, width: int = BAR_WIDTH) -> str:
    """Where in the whole a span lies, as `width` characters of which at least one is filled."""
    if total_ns <= 0:
        return "█" * width
    begin = min(width - 1, offset_ns * width // total_ns)
    end = min(width, max(begin + 1, -(-(offset_ns + duration_ns) * width // total_ns)))
    return " " * begin + "█" * (end - begin) + " " * (width - end)


def draw(spans: Sequence[Span], width: int = BAR_WIDTH) -> Group:
    """The waterfall of the spans of one trace, and below it what the services noted."""
    notes = [remarks(line.span) for line in arrange(spans)]
    return Group(_bars(spans, width), *(Padding(note, (0, 0, 0, 2)) for note in notes if note))


def _bars(spans: Sequence[Span], width: int) -> Table:
    lines = arrange(spans)
    total_ns = max((line.offset_ns + duration_ns(line.span) for line in lines), default=0)
    styles = {
        service: _STYLES[index % len(_STYLES)]
        for index, service in enumerate(dict.fromkeys(line.span.service for line in lines))
    }
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("service", no_wrap=True)
    table.add_column("span", no_wrap=True)
    table.add_column("at ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=width)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for line in lines:
        span, style = line.span, styles[line.span.service]
        table.add_row(
            Text(span.service, style=style),
            Text("  " * line.depth + label(span)),
            Text(_milliseconds(line.offset_ns)),
            Text(bar(line.offset_ns, duration_ns(span), total_ns, width), style=style),
            Text(_milliseconds(duration_ns(span))),
            Text("error", style="bold red") if span.status == ERROR else Text(""),
        )
    return table


def short_name(name: str) -> str:
    """An RPC without its package: `ReleaseService/Decide`."""
    service, slash, method = name.rpartition("/")
    return f"{service.rpartition('.')[2]}{slash}{method}"


def label(span: Span) -> str:
    """What a span is called in the drawing; work of a database is told by who asked for it."""
    asked_by = span.attributes.get(FUNCTION, "")
    words = [short_name(span.name), ".".join(asked_by.split(".")[-2:])]
    return ": ".join(filter(None, words))


def remarks(span: Span) -> Text:
    """How it failed, and the attributes of our own; empty where there is neither."""
    own = [
        f"{key.removeprefix(OURS)} {value}" for key, value in span.attributes.items() if key.startswith(OURS)
    ]
    failed = [span.attributes.get("error.type", ""), span.message] if span.status == ERROR else []
    said = ", ".join([*filter(None, failed), *own])
    return Text(f"{span.service} {short_name(span.name)}: {said}", style="dim") if said else Text("")


def duration_ns(span: Span) -> int:
    """How long it took; clocks that were set meanwhile make it nothing, never less."""
    return max(0, span.end_ns - span.start_ns)


def _milliseconds(ns: int) -> str:
    return f"{ns / 1e6:.2f}"
