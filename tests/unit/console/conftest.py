"""Commands of `sluice` against services that answer as they are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.installation import PROGRAMS, StateFolder
from tests.support.command_line import Cli
from tests.support.scripted import Script, scripted


@pytest.fixture
def script() -> Iterator[Script]:
    """What metering and licensing answer."""
    with scripted() as script:
        yield script


@pytest.fixture
def cli(
    script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """An installation whose services are all in the script."""
    state = StateFolder(tmp_path / "state")
    state.prepare()
    for service in PROGRAMS:
        state.announcement(service).write_text(script.address, encoding="ascii")
    return Cli(state.root, capsys, monkeypatch)
