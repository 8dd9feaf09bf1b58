"""CSV files of imports, and what their cells mean: every row is taken or named."""

from pathlib import Path

import pytest

from services.chassis.refusals import Refusal
from services.console import choices, rows, states, subjects
from services.console.rows import BadRow, Chunk, read_chunks
from sluice.consent.v1.choice_pb2 import ChoiceMethod, Stance
from sluice.consent.v1.state_change_pb2 import StateChangeKind
from sluice.consent.v1.subject_pb2 import Subject, SubjectState
from sluice.type.v1.purpose_pb2 import Purpose

NOTICE = "0f" * 32
SUBJECT = {
    "subject_id": "7",
    "jurisdiction": "DE",
    "states": "",
    "notice": "",
    "withheld": "",
    "as_of": "",
}
CHOICE = {
    "subject_id": "7",
    "stance": "deny",
    "licensee": "",
    "purpose": "",
    "stated_at": "2026-01-31T12:00:00Z",
    "notice_digest": "",
    "method": "",
}
CHANGE = {
    "subject_id": "7",
    "post_id": "",
    "change": "delete",
    "countries": "",
    "notice_digest": "",
    "occurred_at": "",
}


def read_subjects(folder: Path, text: str) -> list[Chunk[Subject]]:
    file = folder / "subjects.csv"
    file.write_bytes(text.encode())
    return list(read_chunks(file, subjects.FORM, subjects.read_subject))


def test_a_subject_has_its_states_and_notices() -> None:
    row = SUBJECT | {"states": "minor|protected", "notice": f"{NOTICE}|{'ff' * 32}"}

    subject = subjects.read_subject(row)

    assert subject.subject_id == 7
    assert subject.jurisdiction == "DE"
    assert list(subject.states) == [
        SubjectState.SUBJECT_STATE_MINOR,
        SubjectState.SUBJECT_STATE_PROTECTED,
    ]
    assert list(subject.notice_digests) == [bytes.fromhex(NOTICE), b"\xff" * 32]


def test_ids_over_2_to_the_53_stay_exact() -> None:
    assert subjects.read_subject(SUBJECT | {"subject_id": "18446744073709551615"}).subject_id == 2**64 - 1


@pytest.mark.parametrize("text", ["0", "-1", "18446744073709551616", "1.0", "", "seven", "1e3", "٣"])
def test_an_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="subject_id"):
        subjects.read_subject(SUBJECT | {"subject_id": text})


@pytest.mark.parametrize(("column", "cell"), [("states", "asleep"), ("notice", "0f0f"), ("notice", "no hex")])
def test_a_bad_cell_is_named_by_its_column(column: str, cell: str) -> None:
    with pytest.raises(ValueError, match=f"^{column}: "):
        subjects.read_subject(SUBJECT | {column: cell})


def test_a_subject_can_be_withheld_somewhere_and_described_as_of_a_time() -> None:
    subject = subjects.read_subject(SUBJECT | {"withheld": "DE | FR", "as_of": "2026-01-31"})

    assert list(subject.withheld_countries) == ["DE", "FR"]
    assert subject.as_of.ToJsonString() == "2026-01-31T00:00:00Z"


def test_an_empty_scope_is_everyone_and_all_purposes() -> None:
    choice = choices.read_choice(CHOICE)

    assert choice.stance == Stance.STANCE_DENY
    assert choice.everyone
    assert choice.all_purposes
    assert choice.method == ChoiceMethod.CHOICE_METHOD_IMPORT
    assert choice.stated_at.ToJsonString() == "2026-01-31T12:00:00Z"


@pytest.mark.parametrize("licensee", ["everyone", "all", " Everyone ", "ALL"])
@pytest.mark.parametrize("purpose", ["all", "All", ""])
def test_c1_the_words_for_the_broad_scope_are_no_names(licensee: str, purpose: str) -> None:
    choice = choices.read_choice(CHOICE | {"licensee": licensee, "purpose": purpose})

    assert (choice.everyone, choice.licensee_id) == (True, "")
    assert choice.all_purposes


def test_words_of_a_choice_may_be_written_in_capitals() -> None:
    choice = choices.read_choice(
        CHOICE | {"stance": "Deny", "purpose": "AI_Input", "method": "Settings", "licensee": "acme"}
    )

    assert choice.stance == Stance.STANCE_DENY
    assert choice.purpose == Purpose.PURPOSE_AI_INPUT
    assert choice.method == ChoiceMethod.CHOICE_METHOD_SETTINGS


def test_a_choice_can_be_for_one_licensee_and_one_purpose() -> None:
    choice = choices.read_choice(
        CHOICE | {"stance": "allow", "licensee": "acme", "purpose": "ai_input", "notice_digest": NOTICE}
    )

    assert choice.licensee_id == "acme"
    assert choice.purpose == Purpose.PURPOSE_AI_INPUT
    assert choice.notice_digest == bytes.fromhex(NOTICE)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("stance", "maybe"),
        ("stance", ""),
        ("purpose", "everyone"),
        ("stated_at", "soon"),
        ("stated_at", "9999-12-31T23:00:00-05:00"),
        ("method", "fax"),
    ],
)
def test_a_bad_choice_is_named_by_its_column(column: str, cell: str) -> None:
    with pytest.raises(ValueError, match=f"^{column}: "):
        choices.read_choice(CHOICE | {column: cell})


@pytest.mark.parametrize("change", ["notice_served", "notice-served", " NOTICE-SERVED "])
def test_a_change_is_a_word_with_either_dash(change: str) -> None:
    row = CHANGE | {"change": change, "notice_digest": NOTICE, "occurred_at": "2026-01-31T12:00:00Z"}

    read = states.read_change(row)

    assert read.subject_id == 7
    assert read.kind == StateChangeKind.STATE_CHANGE_KIND_NOTICE_SERVED
    assert read.notice_digest == bytes.fromhex(NOTICE)
    assert read.occurred_at.ToJsonString() == "2026-01-31T12:00:00Z"


def test_a_change_of_a_post_names_its_countries_and_is_of_now_without_a_time() -> None:
    row = CHANGE | {"subject_id": "", "post_id": "9", "change": "withheld", "countries": "DE|FR"}

    read = states.read_change(row)

    assert read.WhichOneof("target") == "post_id"
    assert read.post_id == 9
    assert list(read.countries) == ["DE", "FR"]
    assert not read.HasField("occurred_at")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"subject_id": ""}, "one of them is expected"),
        ({"post_id": "9"}, "one of them is expected"),
        ({"subject_id": "", "post_id": "0"}, "^post_id: "),
        ({"change": "vanish"}, "^change: "),
        ({"change": ""}, "^change: "),
        ({"notice_digest": "0f"}, "^notice_digest: "),
        ({"occurred_at": "soon"}, "^occurred_at: "),
    ],
)
def test_a_bad_change_is_named_by_its_column(cells: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        states.read_change(CHANGE | cells)


def test_bad_rows_are_listed_by_line_and_good_ones_are_read(tmp_path: Path) -> None:
    text = "subject_id,jurisdiction,states,notice\n1,DE,,\nx,DE,,\n\n3,FR\n4,US,,,,more\n5,US,,\n"

    [chunk] = read_subjects(tmp_path, text)

    assert [(line, subject.subject_id) for line, subject in chunk.rows] == [(2, 1), (5, 3), (7, 5)]
    assert [(bad.line, bad.reason) for bad in chunk.bad] == [(3, "CELL_MALFORMED"), (6, "ROW_MALFORMED")]


def test_what_is_not_csv_is_a_bad_row_and_no_end(tmp_path: Path) -> None:
    text = 'states,notice,jurisdiction,subject_id\n,,DE,"1"x\n,,DE,2\n'

    [chunk] = read_subjects(tmp_path, text)

    assert [bad.line for bad in chunk.bad] == [2]
    assert [subject.subject_id for _, subject in chunk.rows] == [2]


def test_a_quoted_cell_over_lines_counts_from_its_first(tmp_path: Path) -> None:
    text = 'subject_id,jurisdiction,states,notice\n1,DE,"\nodd",\n2,DE,,\n'

    [chunk] = read_subjects(tmp_path, text)

    assert [bad.line for bad in chunk.bad] == [2]
    assert [line for line, _ in chunk.rows] == [4]


def test_a_file_is_read_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_ROWS", 2)
    text = "subject_id,jurisdiction,states,notice\n" + "".join(f"{id},DE,,\n" for id in range(1, 6))

    chunks = read_subjects(tmp_path, text)

    assert [[subject.subject_id for _, subject in chunk.rows] for chunk in chunks] == [[1, 2], [3, 4], [5]]
    assert chunks[-1].bytes_read == len(text)


def test_columns_that_are_optional_may_be_there(tmp_path: Path) -> None:
    [chunk] = read_subjects(tmp_path, "as_of,subject_id,jurisdiction,states,notice\n2026-01-31,1,DE,,\n")

    [(_, subject)] = chunk.rows
    assert subject.HasField("as_of")
    assert not subject.withheld_countries


@pytest.mark.parametrize(
    "header",
    [
        "",
        "subject_id,jurisdiction\n",
        "subject_id,jurisdiction,states,notices\n",
        "subject_id,jurisdiction,states,notice,color\n",
        "subject_id,jurisdiction,states,notice,notice\n",
    ],
)
def test_another_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_subjects(tmp_path, header)

    assert refused.value.reason == "CSV_COLUMNS"


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    [chunk] = read_subjects(tmp_path, "\ufeffsubject_id,jurisdiction,states,notice\n1,DE,,\n")

    assert len(chunk.rows) == 1


def test_bytes_that_are_no_text_make_a_bad_row(tmp_path: Path) -> None:
    file = tmp_path / "subjects.csv"
    file.write_bytes(b"subject_id,jurisdiction,states,notice\n\xff\xfe,DE,,\n2,DE,,\n")

    [chunk] = read_chunks(file, subjects.FORM, subjects.read_subject)

    assert [(bad.line, bad.reason) for bad in chunk.bad] == [(2, "CELL_MALFORMED")]
    assert BadRow(2, "CELL_MALFORMED", chunk.bad[0].message) == chunk.bad[0]
