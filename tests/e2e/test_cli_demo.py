"""`sluice demo`: the story holds, and leaves nothing behind, told to its end or interrupted."""

import signal
from pathlib import Path

import pytest

from tests.support.commands import Command, sluice
from tests.support.waiting import until

SMALL = ("--posts-count", "1500", "--accounts", "200")


def remains(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_every_claim_of_the_story_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("SLUICE_TOKEN", "of-another-installation")

    told = await sluice(tmp_path / "unused", "demo", *SMALL, "--json")

    assert told.status == 0, told.err
    assert told.answer["failures"] == []
    assert "Every claim above was checked" in told.err
    assert remains(tmp_path) == []


async def test_ctrl_c_ends_the_story_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    telling = await Command.start(tmp_path / "unused", "demo", *SMALL)
    await until(lambda: list(tmp_path.glob("sluice-demo-*/state/run/licensing.addr")), "the services run")
    telling.send(signal.SIGINT)
    ended = await telling.ending()

    assert ended.status == 130
    assert "Traceback" not in ended.err
    assert "Stopped; the services have drained." in ended.err
    assert remains(tmp_path) == []


async def test_a_folder_with_something_in_it_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")

    refused = await sluice(tmp_path / "unused", "demo", "--state", str(tmp_path))

    assert refused.status == 1
    assert "STATE_NOT_EMPTY" in refused.err
