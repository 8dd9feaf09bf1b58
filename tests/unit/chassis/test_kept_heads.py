"""R5: a head that is kept outside is whole, durable, and never goes back."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis import kept_heads
from services.chassis.actions import ActionHead
from services.chassis.heads import Head, Witness
from services.chassis.kept_heads import HeadFile, KeptHead, decode, encode
from services.chassis.refusals import Behind, Refusal


def a_kept(number: int, epoch: int = 1, database: str = "ours", *restores: Head) -> KeptHead:
    return KeptHead("consent", database, Head(epoch, number), restores)


@pytest.fixture
def file(tmp_path: Path) -> HeadFile:
    return HeadFile(tmp_path / "heads", "consent")


def test_there_is_none_before_the_first() -> None:
    assert HeadFile(Path("/nonexistent/heads"), "consent").read() is None


def test_what_was_written_is_read(file: HeadFile) -> None:
    kept = a_kept(7, 3, "ours", Head(2, 4), Head(3, 5))

    assert file.raise_to(kept) == kept
    assert file.read() == kept
    assert decode(encode(kept)) == kept


def test_r5_it_never_goes_back(file: HeadFile) -> None:
    file.raise_to(a_kept(7, 2, "ours", Head(2, 4)))

    assert file.raise_to(a_kept(6, 2)).head == Head(2, 7)
    assert file.raise_to(a_kept(99, 1)).head == Head(2, 7)
    assert file.read() == a_kept(7, 2, "ours", Head(2, 4))


def test_r5_of_two_writers_the_further_head_and_the_further_log_of_actions_are_kept(file: HeadFile) -> None:
    early, late = ActionHead(4, b"4" * 32), ActionHead(5, b"5" * 32)
    file.raise_to(replace(a_kept(7), actions=early))

    file.raise_to(replace(a_kept(6), actions=late))
    file.raise_to(replace(a_kept(8), actions=early))

    assert file.read() == replace(a_kept(8), actions=late)


def test_r5_the_log_of_actions_of_a_new_epoch_takes_the_place_of_a_longer_one(file: HeadFile) -> None:
    file.raise_to(replace(a_kept(7), actions=ActionHead(9, b"9" * 32)))
    shorter = replace(a_kept(7, 2), actions=ActionHead(3, b"3" * 32))

    assert file.raise_to(shorter) == shorter


def test_r5_a_head_of_a_release_that_kept_no_log_of_actions_is_read() -> None:
    written = json.loads(encode(a_kept(7)))
    del written["actions"]

    assert decode(json.dumps(written).encode()) == a_kept(7)


def test_r5_whoever_raises_it_keeps_the_restores_that_it_knows(file: HeadFile) -> None:
    file.raise_to(a_kept(7, 2, "ours", Head(2, 4)))

    file.raise_to(a_kept(8, 2))

    assert file.read() == a_kept(8, 2, "ours", Head(2, 4))


def test_r5_a_restore_that_the_database_alone_knows_of_is_kept_with_those_that_the_file_knows(
    file: HeadFile,
) -> None:
    file.raise_to(a_kept(300, 2, "ours", Head(2, 100)))

    file.raise_to(a_kept(150, 3, "ours", Head(3, 90)))

    assert file.read() == a_kept(150, 3, "ours", Head(2, 100), Head(3, 90))


def test_r5_processes_that_share_it_leave_the_highest(file: HeadFile, tmp_path: Path) -> None:
    def write(first: int) -> None:
        mine = HeadFile(tmp_path / "heads", "consent")
        for number in range(first, 40, 4):
            mine.raise_to(a_kept(number))

    threads = [threading.Thread(target=write, args=[first]) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert file.read() == a_kept(39)


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (a_kept(9, database="theirs"), "HEAD_OF_ANOTHER_DATABASE"),
        (KeptHead("metering", "ours", Head(1, 9)), "HEAD_OF_ANOTHER_SERVICE"),
    ],
)
def test_r5_what_is_kept_of_one_database_is_not_written_over_for_another(
    file: HeadFile, kept: KeptHead, reason: str
) -> None:
    file.raise_to(a_kept(7))

    with pytest.raises(Refusal) as refused:
        file.raise_to(kept)

    assert (refused.value.reason, file.read()) == (reason, a_kept(7))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"service": "consent"}',
        encode(a_kept(7)).replace(b"7", b"-7"),
        encode(a_kept(7)).replace(b"7", b"true"),
        encode(a_kept(7)).replace(b"7", b"7.0"),
        encode(a_kept(7)).replace(b'"ours"', b"5"),
        encode(a_kept(7)).replace(b"[]", b"[[1]]"),
        b"\xff" * 40,
    ],
)
def test_what_is_no_kept_head_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        decode(content)

    assert refused.value.reason == "HEAD_DAMAGED"


def test_a_process_that_stopped_while_it_wrote_keeps_nobody_waiting_for_ever(
    file: HeadFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_heads, "LOCK_SECONDS", 0.02)

    with HeadFile(tmp_path / "heads", "consent")._alone(), pytest.raises(TimeoutError):
        file.raise_to(a_kept(7))


def test_r5_a_witness_notices_a_head_below_one_that_it_saw_before_and_never_forgets_it() -> None:
    witness = Witness()
    witness.rise(Head(1, 9))

    with pytest.raises(Behind):
        witness.compare(Head(1, 8), witness.highest)
    with pytest.raises(Behind):
        witness.compare(Head(1, 99), witness.highest)


def test_r5_a_read_that_began_before_another_may_see_less() -> None:
    witness = Witness()
    since = witness.highest
    witness.rise(Head(1, 9))

    witness.compare(Head(1, 8), since)

    assert witness.highest == Head(1, 9)
