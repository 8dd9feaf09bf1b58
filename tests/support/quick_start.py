"""A page of docs/ whose commands are run as they are printed.

Of its fenced blocks, "sh run" is run, in order and in one shell, and "python NAME.py" is a file of that name;
"sh" and another word is for somebody else to run, and the rest is for the eye. The first command that fails
ends it.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_FENCED = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "---- block {} ends here ----"


class Block(NamedTuple):
    """A fenced block of a page."""

    info: str
    """What stands after the fence: language and manner."""
    text: str

    @property
    def file(self) -> str | None:
        """The name that it is written to, if it is a file."""
        words = self.info.split()
        return words[1] if len(words) == 2 and words[1].endswith(".py") else None

    def is_for(self, whom: str) -> bool:
        """Whether they run it in a shell."""
        return self.info.split() == ["sh", whom]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(found["info"], found["text"]) for found in _FENCED.finditer(text)]


def run_page(
    page: Path, folder: Path, environment: Mapping[str, str], whom: str = "run", patience_seconds: float = 600
) -> list[str]:
    """What each block that is run has said, stdout and stderr together; all of them run in `folder`.

    `environment` is the whole of it; `whom` says whose commands are run. Raises AssertionError, with the
    block and what it said, where one fails.
    """
    told = blocks(page)
    for block in told:
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    commands = [block.text for block in told if block.is_for(whom)]
    script = folder / "page.sh"
    script.write_text("".join(_script(commands)), encoding="utf-8")
    done = subprocess.run(
        ["bash", script.name],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience_seconds,
        check=False,
    )
    said = re.split(r"^---- block \d+ ends here ----\n", done.stdout, flags=re.MULTILINE)
    at = len(said) - 1
    assert done.returncode == 0, f"status {done.returncode} of\n{commands[at]}\nwhich said\n{said[at]}"
    return said[:-1]


def _script(commands: list[str]) -> Iterator[str]:
    yield "set -euo pipefail\n"
    for number, command in enumerate(commands):
        # A block that ends without a line break would hide the mark of its end.
        yield f"{command}printf '\\n{_MARK.format(number)}\\n'\n"
