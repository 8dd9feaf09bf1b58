"""The folder of the log where processes share it, and where one of them holds it for too long."""

import fcntl
from pathlib import Path

import pytest

from services.licensing.storage import log_folder
from services.licensing.storage.log_folder import LogFolder
from tests.support.logs import ALog, some_leaves

LOG = ALog(some_leaves(5))


def test_the_checkpoint_never_goes_back(tmp_path: Path) -> None:
    folder = LogFolder(tmp_path / "log")
    folder.publish(5, LOG.note())

    folder.publish(3, LOG.note(size=3))

    assert (tmp_path / "log" / "checkpoint").read_bytes() == LOG.note()


def test_an_empty_folder_shows_nothing(tmp_path: Path) -> None:
    assert LogFolder(tmp_path / "none").note() is None


def test_a_process_that_keeps_the_folder_does_not_keep_the_others_waiting_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_folder, "LOCK_SECONDS", 0.0)
    LogFolder(tmp_path).publish(3, LOG.note(size=3))
    with (tmp_path / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(TimeoutError):
            LogFolder(tmp_path).publish(5, LOG.note())

    LogFolder(tmp_path).publish(5, LOG.note())
    assert LogFolder(tmp_path).note() == LOG.note()
