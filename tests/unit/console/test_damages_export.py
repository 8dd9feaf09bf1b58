"""`sluice damages export`: a folder with the rows that an assessment names, as a whole or not at all."""

import hashlib
import json
import os
import shutil
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from services.chassis.refusals import unavailable
from services.console.damages_rows import Rows
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Evidence
from tests.support.assessments import ASSESSMENT_ID, on_record
from tests.support.command_line import Cli
from tests.support.scripted import Script
from tests.support.waiting import PATIENCE_SECONDS

DOCUMENT = b'{"format":"sluice-assessment-1"}'
DIGEST = hashlib.sha256(DOCUMENT).hexdigest()


def longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


FIRST = pb.ReadEvidenceResponse(
    at_us=longs(5, 7),
    numbers=longs(1, 2),
    parties=["acme", "beta"],
    party_indexes=words(1, 0),
    origins=b"\2\1",
    accesses=b"\3\2",
    kinds=b"\1\1",
    media_flags=b"\0\4",
    posts=longs(900, -3),
    sources=["", "edge"],
    source_indexes=words(1, 0),
    ids=["id:é", ""],
)
SECOND = pb.ReadEvidenceResponse(
    at_us=longs(9),
    numbers=longs(3),
    parties=["acme"],
    party_indexes=words(0),
    origins=b"\1",
    accesses=b"\3",
    kinds=b"\2",
    media_flags=b"\0",
    posts=longs(1),
    sources=[""],
    source_indexes=words(0),
    ids=[""],
)
# By hand, as docs/evidence-format.md has it.
COLUMNS = (
    longs(5, 7) + longs(1, 2) + words(4, 4) + b"betaacme" + b"\2\1" + b"\3\2" + b"\1\1" + b"\0\4"
    + longs(900, -3) + words(4, 0) + b"edge" + words(5, 0) + "id:é".encode(),
    longs(9) + longs(3) + words(4) + b"acme" + b"\1" + b"\3" + b"\2" + b"\0" + longs(1) + words(0) + words(0),
)  # fmt: skip
DIGESTS = [
    hashlib.sha256(b"sluice/evidence/v1" + longs(rows) + columns).digest()
    for rows, columns in zip((2, 1), COLUMNS, strict=True)
]
ROOT = hashlib.sha256(b"sluice/evidence-root/v1" + longs(2) + b"".join(DIGESTS)).digest()


@dataclass
class FakeWriter:
    """Writes each chunk as a line; a folder that is not whole is removed."""

    after_chunk: Callable[[], None] = lambda: None
    steps: list[str] = field(default_factory=list)

    def write_bundle(
        self,
        document: bytes,
        chunks: Iterable[Rows],
        bundle: Path,
        progress: Callable[[str, int, int], None],
    ) -> None:
        """As services.console.damages_bundles."""
        unfinished = bundle.with_name(f"{bundle.name}.unfinished")
        unfinished.mkdir()
        try:
            (unfinished / "assessment.json").write_bytes(document)
            with (unfinished / "rows").open("w", encoding="utf-8") as file:
                for done, chunk in enumerate(chunks):
                    progress("rows", done, 2)
                    file.write(
                        json.dumps({name: list(map(plain, each)) for name, each in vars(chunk).items()})
                    )
                    file.write("\n")
                    self.after_chunk()
            unfinished.rename(bundle)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> FakeWriter:
    """In the place of what writes Parquet and pictures."""
    writer = FakeWriter()
    module = ModuleType("services.console.damages_bundles")
    vars(module).update(write_bundle=writer.write_bundle)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return writer


def serve(
    script: Script, *chunks: Any, rows: int = 3, root: bytes = ROOT, document: bytes = DOCUMENT
) -> None:
    assessment = on_record(
        evidence=Evidence(rows=rows, chunk_rows=2, root=root), digest=bytes.fromhex(DIGEST)
    )
    script.stream("GetAssessment", [pb.GetAssessmentResponse(assessment=assessment)])
    pieces = [
        pb.ReadDocumentResponse(piece=document[begin : begin + 9]) for begin in range(0, len(document), 9)
    ]
    script.stream("ReadDocument", pieces)
    script.stream("ReadEvidence", chunks)


@pytest.mark.usefixtures("writer")
def test_d2_the_document_and_every_row_are_written(script: Script, cli: Cli, tmp_path: Path) -> None:
    serve(script, FIRST, SECOND)
    folder = tmp_path / "bundle"

    said = cli("damages", "export", ASSESSMENT_ID, folder)

    assert script.asked["ReadEvidence"] == [pb.ReadEvidenceRequest(assessment_id=ASSESSMENT_ID)]
    assert (folder / "assessment.json").read_bytes() == DOCUMENT
    first, second = map(json.loads, (folder / "rows").read_text(encoding="utf-8").splitlines())
    assert first == {
        "at_us": [5, 7],
        "number": [1, 2],
        "party": ["beta", "acme"],
        "origin": [2, 1],
        "access": [3, 2],
        "kind": [1, 1],
        "media": [0, 4],
        "posts": [900, -3],
        "source": ["edge", ""],
        "id": ["id:é", ""],
    }
    assert second["at_us"] == [9]
    assert said.splitlines() == [
        f"Done: {folder} holds the assessment and 3 rows of evidence.",
        f"To verify it: sluice damages verify {folder} --digest {DIGEST}",
    ]
    assert cli.err.splitlines() == ["rows ..."]


@pytest.mark.usefixtures("writer")
def test_programs_are_told_the_digest(script: Script, cli: Cli, tmp_path: Path) -> None:
    serve(script, FIRST, SECOND)

    answer = cli.json("damages", "export", ASSESSMENT_ID, tmp_path / "bundle")

    assert answer == {
        "folder": str(tmp_path / "bundle"),
        "assessment_id": ASSESSMENT_ID,
        "digest": DIGEST,
        "rows": 3,
    }


def one_by_one(message: pb.ReadEvidenceResponse) -> list[pb.ReadEvidenceResponse]:
    """The same rows, each in a message."""
    wide, narrow = ("at_us", "numbers", "posts"), ("party_indexes", "source_indexes")
    return [
        pb.ReadEvidenceResponse(
            **{name: getattr(message, name)[8 * n : 8 * n + 8] for name in wide},
            **{name: getattr(message, name)[4 * n : 4 * n + 4] for name in narrow},
            **{
                name: getattr(message, name)[n : n + 1]
                for name in ("origins", "accesses", "kinds", "media_flags", "ids")
            },
            parties=message.parties,
            sources=message.sources,
        )
        for n in range(len(message.ids))
    ]


@pytest.mark.usefixtures("writer")
def test_d2_a_chunk_may_come_in_several_messages(script: Script, cli: Cli, tmp_path: Path) -> None:
    serve(script, *one_by_one(FIRST), SECOND)

    cli("damages", "export", ASSESSMENT_ID, tmp_path / "bundle")

    lines = (tmp_path / "bundle" / "rows").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["at_us"] for line in lines] == [[5, 7], [9]]


CHANGED = pb.ReadEvidenceResponse()
CHANGED.CopyFrom(SECOND)
CHANGED.posts = longs(2)
RAGGED = pb.ReadEvidenceResponse()
RAGGED.CopyFrom(SECOND)
RAGGED.ids.append("")
LOST_PLACE = pb.ReadEvidenceResponse()
LOST_PLACE.CopyFrom(SECOND)
LOST_PLACE.party_indexes = words(1)
TORN = pb.ReadEvidenceResponse()
TORN.CopyFrom(SECOND)
TORN.at_us += b"\0"


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((FIRST, CHANGED), "EVIDENCE_DIFFERS"),
        ((FIRST,), "EVIDENCE_DIFFERS"),
        ((SECOND, FIRST), "EVIDENCE_DIFFERS"),
        ((FIRST, SECOND, SECOND), "EVIDENCE_DIFFERS"),
        ((), "EVIDENCE_DIFFERS"),
        ((FIRST, RAGGED), "ANSWER_MALFORMED"),
        ((FIRST, LOST_PLACE), "ANSWER_MALFORMED"),
        ((FIRST, TORN), "ANSWER_MALFORMED"),
        ((FIRST, unavailable("PEER_UNAVAILABLE", "metering went away")), "PEER_UNAVAILABLE"),
    ],
)
def test_d2_rows_that_are_not_those_named_leave_nothing_behind(
    script: Script, cli: Cli, tmp_path: Path, steps: tuple[Any, ...], reason: str
) -> None:
    serve(script, *steps)
    folder = tmp_path / "out"
    folder.mkdir()

    cli("damages", "export", ASSESSMENT_ID, folder / "bundle", "--json", status=1)

    assert json.loads(cli.err.splitlines()[-1])["refusal"]["reason"] == reason
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", [".", "bundle", "other"])
def test_a_folder_that_is_not_free_is_refused_before_metering_is_asked(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for taken in ("bundle", "other.unfinished"):
        (tmp_path / taken).mkdir()

    # The script has no answer to anything.
    refusal = cli.refusal("damages", "export", ASSESSMENT_ID, name)

    assert refusal["reason"] == "BUNDLE_EXISTS"


@pytest.mark.usefixtures("writer")
def test_d2_a_document_that_is_not_the_one_digested_is_not_written(
    script: Script, cli: Cli, tmp_path: Path
) -> None:
    serve(script, FIRST, SECOND, document=DOCUMENT + b" ")

    refusal = cli.refusal("damages", "export", ASSESSMENT_ID, tmp_path / "bundle")

    assert refusal["reason"] == "DOCUMENT_DIFFERS"
    assert not (tmp_path / "bundle").exists()


def test_ctrl_c_while_a_chunk_is_written_leaves_nothing_behind(
    script: Script, cli: Cli, tmp_path: Path, writer: FakeWriter
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    serve(script, FIRST, SECOND)
    writer.after_chunk = interrupt
    folder = tmp_path / "out"
    folder.mkdir()

    said = cli("damages", "export", ASSESSMENT_ID, folder / "bundle", status=130)

    assert said == ""
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("writer")
def test_ctrl_c_while_a_chunk_is_waited_for_leaves_nothing_behind(
    script: Script, cli: Cli, tmp_path: Path
) -> None:
    is_over = threading.Event()

    def wait() -> None:
        is_over.wait(PATIENCE_SECONDS)

    serve(script, FIRST, lambda: os.kill(os.getpid(), signal.SIGINT), wait)
    folder = tmp_path / "out"
    folder.mkdir()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        said = cli("damages", "export", ASSESSMENT_ID, folder / "bundle", status=130)
    finally:
        is_over.set()
        signal.signal(signal.SIGINT, handler)

    assert said == ""
    assert list(folder.iterdir()) == []
