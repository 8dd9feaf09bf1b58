"""The README is true: its commands are run as they are printed, in a folder of their own."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLUICE = [sys.executable, "-m", "services.console"]
FREE_PORTS = [f"--{service}-port=0" for service in ("consent", "metering", "licensing")]


def commands() -> list[list[str]]:
    """Every `sluice` command of the section "Use it", in order."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Use it")[2].partition("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", section, flags=re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "sluice"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with the examples, where `sluice up` is running."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    up = subprocess.Popen(
        [*SLUICE, *commands()[0], *FREE_PORTS], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert up.stdout is not None
    while (line := up.stdout.readline()) and "Ctrl-C" not in line:
        continue
    yield tmp_path
    up.send_signal(signal.SIGINT)
    assert up.wait(timeout=60) == 0


def test_the_commands_of_the_readme_do_what_it_says(folder: Path) -> None:
    up, *others = commands()
    assert up == ["up"]

    for words in others:
        done = subprocess.run(
            [*SLUICE, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"sluice {shlex.join(words)}\n{done.stdout}\n{done.stderr}"

    posts = (folder / "examples" / "posts.jsonl").read_bytes().splitlines(keepends=True)
    released = (folder / "released.jsonl").read_bytes().splitlines(keepends=True)
    assert len(posts) == 11
    assert released == [line for line in posts if b'"text": "goes:' in line]
    assert len(released) == 3
