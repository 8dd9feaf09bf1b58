"""Tells the story, and remembers whatever did not happen as it should."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from services.console.output import progress


class Narrator:
    """Writes chapters to a console."""

    def __init__(self, console: Console) -> None:
        self.failures: list[str] = []
        """Checks that did not hold."""
        self._console = console
        self._chapters = 0

    def title(self, text: str) -> None:
        """The first line."""
        self._console.print(Text(text, style="bold"))

    def chapter(self, title: str) -> None:
        """Begins the next chapter."""
        self._chapters += 1
        self._console.print(Text(f"\n{self._chapters}. {title}", style="bold cyan"))

    def tell(self, text: str) -> None:
        """A sentence or two."""
        self._console.print(Text(text))

    def line(self, text: str) -> None:
        """A line with something in it to be copied, which is not broken."""
        self._console.print(Text(text), soft_wrap=True)

    def show(self, renderable: Any) -> None:
        """A table or drawing."""
        self._console.print(renderable)

    def check(self, holds: bool, expected: str) -> None:
        """Notes, and says, if what the story claims is not so."""
        if not holds:
            self.failures.append(expected)
            self._console.print(Text(f"This is not as it should be: {expected}.", style="bold red"))

    @contextmanager
    def long_step(self, description: str) -> Iterator["Step"]:
        """A step that takes a while, with a progress bar and a stopwatch."""
        with progress(self._console) as bar:
            task = bar.add_task(description, total=None)
            yield Step(lambda done, total: bar.update(task, completed=done, total=total))


class Step:
    """How far a long step is, and how long it has taken."""

    def __init__(self, update: Any) -> None:
        self._update = update
        self._began = time.perf_counter()

    def advance(self, done: int, total: int) -> None:
        """`done` of `total` is done."""
        self._update(done, total)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return max(time.perf_counter() - self._began, 1e-9)
