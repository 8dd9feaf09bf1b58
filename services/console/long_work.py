"""How far something long is, beside its answer: a bar on a terminal, else lines on stderr as steps begin."""

import contextlib
from collections.abc import Callable, Iterator

from services.console.output import console, note, note_json, progress

Tell = Callable[[str, int, int], None]
"""Is told what is going on, how much of it is done, and of how much."""


@contextlib.contextmanager
def told(*, as_json: bool) -> Iterator[Tell]:
    """Tells while it lasts; with `as_json` a line is a JSON document."""
    is_terminal = console(stderr=True).is_terminal
    seen: set[str] = set()
    with progress() as bar:
        task = bar.add_task("", total=None)

        def tell(step: str, done: int, of: int) -> None:
            bar.update(task, description=step, completed=done, total=of)
            if step not in seen and not is_terminal:
                note_json({"step": step}) if as_json else note(f"{step} ...")
            seen.add(step)

        yield tell
