"""Recalls on the command line: words, files that are whole or not there, and a stream without a gap."""

import contextlib
import csv
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import typer

from services.chassis.refusals import Kind, Refusal, forbidden, precondition, unavailable
from services.console.moments import read
from services.console.recall_files import EntriesFile, form_of
from services.console.recall_watching import line_of, place_of
from services.console.recalls import a_recall_id, statement_of, word
from services.console.subject_releases import recall_words
from services.console.watching import Watching
from sluice.licensing.v1.disclosure_service_pb2 import SubjectRecall, SubjectRelease
from sluice.licensing.v1.recall_pb2 import Recall, RecalledRelease, RecallEntry, RecallState
from sluice.licensing.v1.recall_service_pb2 import WatchRecallsResponse as Step
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-01-31T12:00:00Z")
LARGE = 2**64 - 1


def an_entry(*posts: int, license_id: str = "acme-training") -> RecallEntry:
    release = RecalledRelease(
        decision_id="d-1", license_id=license_id, post_ids=np.array(posts, "<u8").tobytes()
    )
    return RecallEntry(withdrawal_id="w-1", releases=[release])


def test_post_ids_of_64_bits_come_through_every_form_exactly(tmp_path: Path) -> None:
    for suffix in ("csv", "jsonl", "parquet"):
        with EntriesFile(tmp_path / f"posts.{suffix}") as file:
            file.write([an_entry(5, LARGE)])
            file.write([])
        assert file.posts == 2

    with (tmp_path / "posts.csv").open(newline="") as written:
        assert [row["post_id"] for row in csv.DictReader(written)] == ["5", str(LARGE)]
    assert f'"post_id": "{LARGE}"' in (tmp_path / "posts.jsonl").read_text()
    table = pyarrow.parquet.read_table(tmp_path / "posts.parquet")
    assert table.column("post_id").to_pylist() == [5, LARGE]
    assert table.column("withdrawal_id").to_pylist() == ["w-1", "w-1"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_file_that_is_not_finished_is_not_there_and_what_was_there_before_stays(
    tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"posts.{suffix}"
    out.write_text("before")

    with pytest.raises(Refusal), EntriesFile(out) as file:
        file.write([an_entry(5)])
        raise unavailable("PEER_UNAVAILABLE", "licensing did not answer")

    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert out.read_text() == "before"


def test_a_license_that_a_spreadsheet_would_compute_is_written_as_text(tmp_path: Path) -> None:
    with EntriesFile(tmp_path / "posts.csv") as file:
        file.write([an_entry(5, license_id="=1+1")])

    assert "'=1+1" in (tmp_path / "posts.csv").read_text()


def test_an_ending_that_no_form_has_is_wrong_before_anything_is_asked() -> None:
    with pytest.raises(typer.BadParameter, match="should end in"):
        form_of(Path("posts.xml"))


def test_a_recall_that_came_too_late_says_so() -> None:
    late = Recall(state=RecallState.RECALL_STATE_DELETED, overdue_at=NOON)
    late.resolution.outcome = RecallState.RECALL_STATE_DELETED

    assert word(late) == "deleted (late)"
    assert word(Recall(state=RecallState.RECALL_STATE_OVERDUE, overdue_at=NOON)) == "overdue"


def test_recalls_of_a_release_are_told_with_their_posts() -> None:
    recalls = [
        SubjectRecall(state=RecallState.RECALL_STATE_DELETED, posts=3),
        SubjectRecall(state=RecallState.RECALL_STATE_ISSUED, posts=1),
    ]

    assert recall_words(SubjectRelease(recalls=recalls)) == "3 deleted, 1 issued"
    assert recall_words(SubjectRelease()) == ""


def test_a_statement_comes_from_one_place(tmp_path: Path) -> None:
    file = tmp_path / "statement.txt"
    file.write_text("deleted from all stores\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    assert statement_of("gone", None) == "gone"
    assert statement_of("", file) == "deleted from all stores"
    for text, path, why in (
        ("", None, "one of --statement and"),
        ("gone", file, "just one of --statement and"),
        ("", tmp_path / "binary", "no text in UTF-8"),
    ):
        with pytest.raises(typer.BadParameter, match=why):
            statement_of(text, path)


def test_who_is_no_licensee_is_told_how_a_licensee_says_it(script: Script, cli: Cli) -> None:
    script.answer("AcknowledgeRecall", forbidden("NOT_ADMITTED", "not open to this kind of caller"))

    refused = cli.refusal("recall", "ack", "c4d1a0f2-7c1e-4a40-9d52-4f0f6f1c2b11")

    assert refused["reason"] == "NOT_ADMITTED"
    assert "--api-key-file" in refused["message"]


def test_an_id_of_a_recall_is_read_in_any_form() -> None:
    assert a_recall_id("01999999-1111-7000-8000-00000000000A") == "01999999-1111-7000-8000-00000000000a"
    with pytest.raises(typer.BadParameter):
        a_recall_id("7")


def a_recall(number: int) -> Step:
    return Step(recall=Recall(number=number, licensee_id="acme", posts=1), number=number)


class Licensing:
    """Gives one stream after the other: each some steps, then a refusal or an end."""

    def __init__(self, *streams: Sequence[Step | Refusal]) -> None:
        self.asked: list[int] = []
        self.told: list[int] = []
        self._streams = list(streams)

    @contextlib.asynccontextmanager
    async def follow(self, after: int) -> AsyncIterator[AsyncIterator[Step]]:
        self.asked.append(after)
        yield self._steps(self._streams.pop(0))

    async def watched(self, *, once: bool) -> Watching[int, Step]:
        async def sleep(seconds: float) -> None:
            assert seconds >= 0

        watching = Watching(0, lambda step: self.told.append(step.number), place_of, once=once, sleep=sleep)
        await watching.run(self.follow)
        return watching

    async def _steps(self, stream: Sequence[Step | Refusal]) -> AsyncIterator[Step]:
        for step in stream:
            if isinstance(step, Refusal):
                raise step
            yield step


async def test_recalls_are_taken_up_after_the_last_one_that_was_told() -> None:
    lost = unavailable("PEER_UNAVAILABLE", "licensing did not answer")
    licensing = Licensing([a_recall(1), a_recall(3), lost], [lost], [a_recall(4), Step(number=9)])

    watching = await licensing.watched(once=True)

    assert licensing.told == [1, 3, 4, 9]
    assert licensing.asked == [0, 3, 3]
    assert watching.position == 9


async def test_what_no_patience_helps_against_ends_it() -> None:
    licensing = Licensing([precondition("CURSOR_AHEAD", "beyond what was issued")])

    with pytest.raises(Refusal) as refused:
        await licensing.watched(once=False)

    assert refused.value.kind is Kind.PRECONDITION


def test_a_recall_is_one_line_for_people() -> None:
    recall = Recall(number=7, licensee_id="acme", recall_id="r", posts=2, withdrawals=1, due_at=NOON)

    assert line_of(Step(recall=recall, number=7)) == (
        "7  acme  r  2 posts by 1 withdrawal, due 2026-01-31 12:00:00.000 UTC"
    )
