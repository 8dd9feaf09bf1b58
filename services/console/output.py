"""What people and programs get to read: answers on stdout, progress and refusals on stderr.

With --json an answer is one JSON document, and so is a refusal.
"""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from services.chassis.refusals import Refusal
from services.console.durations import patience

WIDTH_WITHOUT_TERMINAL = 120


def console(*, stderr: bool = False) -> Console:
    """A console that prints what it is given, without reading markup into it."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def progress(on: Console | None = None) -> Progress:
    """A progress bar that leaves nothing behind; silent where there is no terminal."""
    on = on or console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    return Progress(*columns, TimeRemainingColumn(), console=on, transient=True, disable=not on.is_terminal)


def log_beside() -> None:
    """Has this process log beside its answers, which programs read; warnings and errors alone."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # A trace by itself: what the variables were, tokens among them, is nobody's to read.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        # Whatever is standard error when something is logged.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def say(text: str) -> None:
    """One line or paragraph of an answer."""
    console().print(text, soft_wrap=True)


def shout(text: str) -> None:
    """One line of an answer that nobody should pass over."""
    console().print(Text(text, style="bold red"), soft_wrap=True)


def note(text: str) -> None:
    """One line about what is going on, beside the answer."""
    console(stderr=True).print(text, soft_wrap=True)


def note_json(what: Any) -> None:
    """One JSON document on a line about what is going on, beside the answer."""
    sys.stderr.write(json.dumps(what, ensure_ascii=False) + "\n")
    sys.stderr.flush()


def give_json(answer: Any) -> None:
    """One JSON document."""
    sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")


def give_line(answer: Any) -> None:
    """One JSON document of several, on a line of its own, at once."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 receipt", "2,000 receipts"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """A table; columns whose name begins with ">" hold numbers and stand to the right.

    Neither these are broken, nor those whose name begins with "=", which hold what is copied, such as ids.
    """
    drawn = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(
            column.lstrip(">="),
            justify="right" if column.startswith(">") else "left",
            overflow="fold",
            no_wrap=column.startswith((">", "=")),
        )
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row))
    return drawn


def show(renderable: Any) -> None:
    """Prints something that rich can draw."""
    console().print(renderable)


def refuse(refusal: Refusal, *, as_json: bool) -> None:
    """Says why something was not done."""
    if as_json:
        sys.stderr.write(json.dumps({"refusal": as_plain(refusal)}, ensure_ascii=False) + "\n")
        return
    said = Text(refusal.reason, style="bold red").append(": ", style="").append(_sentence(refusal), style="")
    for violation in refusal.violations:
        # A refusal of one field describes it in its own words: those are said already, the field is not.
        what = "" if violation.description == refusal.message else f": {violation.description}"
        said.append(f"\n  {violation.field}{what}", style="")
    console(stderr=True).print(said, soft_wrap=True)


def as_plain(refusal: Refusal) -> dict[str, Any]:
    """A refusal as JSON values."""
    return {
        "kind": refusal.kind.value,
        "reason": refusal.reason,
        "message": refusal.message,
        "violations": [
            {"field": violation.field, "description": violation.description}
            for violation in refusal.violations
        ],
        "retry_after_us": refusal.retry_after_us,
        "metadata": refusal.metadata,
    }


def _sentence(refusal: Refusal) -> str:
    if refusal.reason == "PEER_UNAVAILABLE":
        return f"{refusal.message}. Are the services running? `sluice up` starts them"
    if refusal.retry_after_us is None:
        return refusal.message
    return f"{refusal.message}; try again in {patience(refusal.retry_after_us)}"


def _cell(value: Any) -> Text:
    return Text(f"{value:,}" if isinstance(value, int) else str(value))
