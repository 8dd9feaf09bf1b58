"""`sluice demo`: the story holds, and leaves nothing behind, told to its end or interrupted."""

import asyncio
import re
import signal
from pathlib import Path

import pytest

from tests.support.commands import Command, sluice
from tests.support.signing_in import page_after
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


async def test_after_the_story_its_pages_can_be_looked_at_until_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    told = tmp_path / "told"

    with told.open("wb") as out:
        telling = await Command.start(tmp_path / "unused", "demo", *SMALL, "--stay", out=out.fileno())
        await until(lambda: "Ctrl-C ends it." in told.read_text(encoding="utf-8"), "the pages run")
        links = re.findall(r"http://\S+code=\S+", told.read_text(encoding="utf-8"))
        pages = [await asyncio.to_thread(page_after, link) for link in links]
        telling.send(signal.SIGINT)
        ended = await telling.ending()

    assert ended.status == 0, ended.err
    assert [page.status_code for page in pages] == [200, 200]
    assert "Posts may be used to train models of companies" in pages[0].text
    assert remains(tmp_path) == [told]


async def test_what_is_kept_is_started_again_by_the_command_that_is_printed(tmp_path: Path) -> None:
    folder = tmp_path / "kept here"

    told = await sluice(tmp_path / "unused", "demo", *SMALL, "--state", str(folder), "--no-stay")

    assert told.status == 0, told.err
    assert told.err.splitlines()[-1] == f"sluice up --console --state '{folder}/state'"
    assert (folder / "state" / "texts" / "notice.de.txt").is_file()


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
