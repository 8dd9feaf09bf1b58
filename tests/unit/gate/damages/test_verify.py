"""D2: an assessment is computed again from its bundle, and whatever differs is named."""

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice_gate.damages.bundle import open_folder, sum_faults
from sluice_gate.damages.document import DERIVED
from sluice_gate.damages.not_shown import NOT_SHOWN
from sluice_gate.damages.verify import Report, verify
from sluice_gate.errors import VerificationError
from tests.support.damages_bundles import (
    DAY_US,
    HOUR_US,
    SINCE_US,
    UNTIL_US,
    Json,
    Row,
    a_bundle,
    a_document,
    a_policy,
    as_bytes,
    released,
    seen,
    sum_up,
)

ROWS: list[Row] = [
    seen(0, 60, number=1),
    seen(HOUR_US, 70, "bot2", 2),
    seen(HOUR_US, -5, "bot2", 3, id="id:line-2"),
    released(2 * HOUR_US, 40, number=4),
    seen(3 * HOUR_US, 30, number=5, access=1),
    seen(26 * HOUR_US, 120, number=6),
    seen(20 * DAY_US, 301, "late", 7),
]
MEMBERS = [
    {"party": "bot", "since_us": SINCE_US, "until_us": UNTIL_US},
    {"party": "bot2", "since_us": SINCE_US, "until_us": SINCE_US + 2 * DAY_US},
    {"party": "late", "since_us": SINCE_US + 10 * DAY_US, "until_us": UNTIL_US},
]
EXEMPT = [{"party": "bot2", "since_us": SINCE_US + 2 * DAY_US, "until_us": UNTIL_US}]


def quiet(what: str, done: int, of: int) -> None:
    """Progress that nobody looks at."""


def the_document() -> Json:
    return a_document(ROWS, members=MEMBERS, exempt=EXEMPT)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_bundle(tmp_path_factory.mktemp("original") / "bundle", ROWS, the_document())


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    copied = tmp_path / "bundle"
    (copied / "evidence").mkdir(parents=True)
    for path in original.rglob("*"):
        if path.is_file():
            (copied / path.relative_to(original)).write_bytes(path.read_bytes())
    return copied


def with_document(bundle: Path, document: Json | bytes) -> Report:
    """Of the bundle with another document, and sums made right."""
    data = document if isinstance(document, bytes) else as_bytes(document)
    (bundle / "assessment.json").write_bytes(data)
    sum_up(bundle)
    return verify(bundle, None, quiet)


def places(report: Report) -> list[str]:
    return [each.field for each in report.differences]


def leaves(
    value: Any, path: str, steps: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Every value that holds no others: its path as differences tell it, and the steps to it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key, (*steps, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{index}]", (*steps, index))
    else:
        yield path, steps


def altered(document: Json, *places: tuple[str | int, ...]) -> Json:
    """With other values of the same kind in some places."""
    document = copy.deepcopy(document)
    for *outer, last in places:
        holder: Any = document
        for step in outer:
            holder = holder[step]
        value = holder[last]
        if isinstance(value, bool):
            holder[last] = not value
        else:
            holder[last] = value + 1 if isinstance(value, int) else f"{value}x"
    return document


def test_what_the_service_and_the_verifier_compute_is_the_same(bundle: Path) -> None:
    digest = hashlib.sha256((bundle / "assessment.json").read_bytes()).hexdigest()

    report = verify(bundle, digest, quiet)

    assert (report.differences, report.not_checked, report.digest) == ((), (), digest)
    assert report.agrees
    assert "that nothing is missing" in NOT_SHOWN[0]


def test_figures_worked_out_by_hand_agree(bundle: Path) -> None:
    document = json.loads((bundle / "assessment.json").read_bytes())

    # 125 posts are 2 full units of 50 at 15.00: 60/125 and 65/125 of 30.00; 301 posts are 6.
    assert document["periods"][0] == {
        "since_us": SINCE_US,
        "until_us": SINCE_US + DAY_US,
        "posts": 125,
        "amount": 3000,
        "members": [
            {"party": "bot", "posts": 60, "share": 1440},
            {"party": "bot2", "posts": 65, "share": 1560},
        ],
    }
    assert document["liable"] == [
        {"party": "bot", "posts": 180, "share": 4440, "liable_for": 15000},
        {"party": "bot2", "posts": 65, "share": 1560, "liable_for": 6000},
        {"party": "late", "posts": 301, "share": 9000, "liable_for": 9000},
    ]
    assert verify(bundle, None, quiet).agrees


@pytest.mark.parametrize("overlap", ["DISJOINT", "SHORTER_ALLOWED", "CALENDAR_DAYS", "ONE_PER_BREACH"])
@pytest.mark.parametrize("rounding", ["WHOLE_UNITS", "STARTED_UNITS", "PRO_RATA", "EXCESS_ONLY"])
def test_every_reading_can_be_the_one_that_is_claimed(tmp_path: Path, overlap: str, rounding: str) -> None:
    policy = a_policy(
        overlap=overlap, rounding=rounding, licensed_volume_counts=True, rate_nanos=333_333_335, unit=7
    )

    document = a_document(ROWS, policy, members=MEMBERS, jurisdiction="FR")
    report = verify(a_bundle(tmp_path / "bundle", ROWS, document), None, quiet)

    assert report.differences == ()


@pytest.mark.parametrize(
    ("jurisdiction", "enforceable"),
    [("US", False), ("US-CA", False), ("DE-BY", False), ("DE", True), ("USA", True), ("", True)],
)
def test_d4_a_country_that_is_barred_bars_its_parts_and_not_the_other_way_round(
    bundle: Path, jurisdiction: str, enforceable: bool
) -> None:
    barred = [{"jurisdiction": place, "reason": "a penalty"} for place in ("DE-BY", "US")]
    document = a_document(ROWS, a_policy(not_enforceable=barred), members=MEMBERS, jurisdiction=jurisdiction)

    report = with_document(bundle, document)
    other = with_document(bundle, document | {"enforceable": not enforceable})

    assert document["enforceable"] is enforceable
    assert "enforceable" not in places(report)
    assert "enforceable" in places(other)


def test_an_assessment_of_nothing_agrees(tmp_path: Path) -> None:
    assert verify(a_bundle(tmp_path / "bundle", [], a_document([])), None, quiet).agrees


def test_every_figure_that_is_altered_is_named_also_if_all_are(bundle: Path) -> None:
    document = the_document()
    found = [each for each in leaves(document, "") if each[1][0] in DERIVED]

    report = with_document(bundle, altered(document, *(steps for _, steps in found)))

    assert len(found) > 450
    assert sorted(places(report)) == sorted(path for path, _ in found)


@pytest.mark.parametrize("name", ["enforceable", "periods", "posts", "amount", "liable"])
def test_each_figure_that_is_altered_is_the_only_one_that_is_named(bundle: Path, name: str) -> None:
    document = the_document()

    for path, steps in leaves(document[name], name, (name,)):
        assert places(with_document(bundle, altered(document, steps))) == [path]


def test_a_digest_quoted_elsewhere_finds_any_other_document(bundle: Path) -> None:
    document = the_document()
    digest = hashlib.sha256(as_bytes(document)).hexdigest()

    for _, steps in leaves({key: value for key, value in document.items() if key not in DERIVED}, ""):
        (bundle / "assessment.json").write_bytes(as_bytes(altered(document, steps)))
        sum_up(bundle)
        assert "assessment.json" in places(verify(bundle, digest, quiet))


@pytest.mark.parametrize("name", sorted(the_document()))
def test_a_field_that_is_missing_or_of_another_type_is_named(bundle: Path, name: str) -> None:
    document = the_document()
    without = {key: value for key, value in document.items() if key != name}
    placed = as_bytes(document | {name: "@"})

    assert name in places(with_document(bundle, without))
    for other in (b"null", b"7.5", b"[[]]", b'{"a":1}', b"[1]", b"-1" + b"0" * 30, b"1" + b"0" * 5000):
        assert not with_document(bundle, placed.replace(b'"@"', other)).agrees, other


@pytest.mark.parametrize("name", ["policy", "as_of", "evidence", "of"])
def test_fields_within_fields_are_all_needed_and_no_others_known(bundle: Path, name: str) -> None:
    document = the_document()

    assert f"{name}.more" in places(
        with_document(bundle, document | {name: document[name] | {"more": 1}})
    ) or (name == "of")
    for key in document[name]:
        without = {other: value for other, value in document[name].items() if other != key}
        report = with_document(bundle, document | {name: without})
        assert places(report)[0].startswith(name)
        assert not report.agrees


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"more": 1}, "more"),
        ({'\x1b[2J\n"': 1}, r'"\u001b[2J\n\""'),
        ({"format": "sluice-assessment-2"}, "format"),
        ({"assessment_id": "1"}, "assessment_id"),
        ({"recorded_by": "ann"}, "recorded_by"),
        ({"of": {}}, "of"),
        ({"of": {"party": "bot", "group": "bots"}}, "of"),
        ({"of": {"party": "bot"}}, "members[1].party"),
        ({"until_us": SINCE_US}, "until_us"),
        ({"jurisdiction": "\ud800"}, "jurisdiction"),
        ({"members": MEMBERS[::-1]}, "members[1]"),
        ({"members": [*MEMBERS, MEMBERS[2]]}, "members[3]"),
        ({"members": [MEMBERS[0] | {"until_us": UNTIL_US + 1}, *MEMBERS[1:]]}, "members[0]"),
        ({"members": [MEMBERS[0], MEMBERS[0] | {"since_us": SINCE_US + 1}, *MEMBERS[1:]]}, "members[1]"),
        ({"exempt": [{"party": "bot", "since_us": SINCE_US + 1, "until_us": SINCE_US + 2}]}, "members[0]"),
        ({"policy": a_policy(accesses=["VIEW", "ACCESS"])}, "policy.accesses[1]"),
        ({"policy": a_policy(accesses=[])}, "policy.accesses"),
        ({"policy": a_policy(unit=0)}, "policy.unit"),
        ({"policy": a_policy(window_us=0)}, "policy.window_us"),
        ({"policy": a_policy(decimals=10)}, "policy.decimals"),
        ({"policy": a_policy(threshold=-1)}, "policy.threshold"),
        ({"policy": a_policy(threshold=True)}, "policy.threshold"),
        ({"policy": a_policy(terms_digest="AB" * 32)}, "policy.terms_digest"),
        ({"evidence": {"rows": 7, "chunk_rows": 0, "root": "00" * 32}}, "evidence.chunk_rows"),
        ({"evidence": {"rows": 2**62, "chunk_rows": 1, "root": "00" * 32}}, "evidence.root"),
        ({"evidence": {"rows": 7, "chunk_rows": 4, "root": "00" * 32}}, "evidence.root"),
        ({"evidence": {"rows": 6, "chunk_rows": 4, "root": "00" * 32}}, "evidence/part-00001.parquet"),
        ({"evidence": {"rows": 4, "chunk_rows": 4, "root": "00" * 32}}, '"evidence/part-00001.parquet"'),
    ],
)
def test_what_cannot_be_is_named(bundle: Path, change: Json, place: str) -> None:
    report = with_document(bundle, the_document() | change)

    assert place in places(report)
    assert not report.agrees


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\n",
        lambda data: data.replace(b":", b": ", 1),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b'"amount":', b'"amount":1,"amount":', 1),
        lambda data: data.replace(b'"decimals":2', b'"decimals":2.0'),
        lambda data: data.replace(b'"decimals":2', b'"decimals":2e0'),
        lambda data: data.replace(b'"decimals":2', b'"decimals":NaN'),
        lambda data: data.replace(b'"decimals":2', b'"decimals":-0'),
        lambda data: data.replace(b'"title":"T', b'"title":"\\u0054'),
        lambda data: data.replace(b'"title":"T', b'"title":"\xc3\xbc'),
        lambda data: b"[" * 100_000,
        lambda data: b"[" + data + b"]",
        lambda data: b"null",
        lambda data: b"",
    ],
)
def test_bytes_that_are_not_the_one_form_are_named(bundle: Path, spoil: Any) -> None:
    report = with_document(bundle, spoil((bundle / "assessment.json").read_bytes()))

    assert "assessment.json" in places(report)


def test_any_byte_changed_in_any_file_is_found(bundle: Path) -> None:
    # Whatever they hold: short ones stand for those that are long.
    document = the_document()
    (bundle / "assessment.json").write_bytes(as_bytes(document | {"readings": [], "periods": []}))
    (bundle / "README.md").write_text("words", encoding="ascii")
    (bundle / "window.svg").write_text("<svg/>", encoding="ascii")
    (bundle / "evidence" / "part-00001.parquet").unlink()
    sum_up(bundle)
    folder = open_folder(bundle)
    assert list(sum_faults(folder, quiet)) == []

    for name, path in folder.files.items():
        data = path.read_bytes()
        for index in range(len(data)):
            path.write_bytes(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :])
            assert list(sum_faults(folder, quiet)), (name, index)
        path.write_bytes(data)


@pytest.mark.parametrize(
    "name", ["assessment.json", "SHA256SUMS", "README.md", "window.svg", "evidence/part-00001.parquet"]
)
def test_a_file_that_is_missing_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()

    with_sums = verify(bundle, None, quiet) if name != "assessment.json" else None
    if name != "SHA256SUMS":
        sum_up(bundle)

    if with_sums is None:
        with pytest.raises(VerificationError, match="NOT_A_BUNDLE"):
            verify(bundle, None, quiet)
    else:
        assert name in places(with_sums)
        assert name in places(verify(bundle, None, quiet))


@pytest.mark.parametrize("name", ["extra.txt", "evidence/part-00002.parquet", "evidence/.hidden", "\udcff"])
def test_a_file_too_many_is_named(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"x")
    if name.isascii():
        sum_up(bundle)

    assert json.dumps(name) in places(verify(bundle, None, quiet))


@pytest.mark.parametrize("name", ["README.md", "evidence/part-00000.parquet", "assessment.json", "more"])
def test_a_link_is_named_and_not_followed(bundle: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (bundle / name).rename(outside) if (bundle / name).exists() else outside.write_bytes(b"x")
    (bundle / name).symlink_to(outside)

    report = verify(bundle, None, quiet)

    assert (json.dumps(name), "a link") in [(each.field, each.said) for each in report.differences]


def test_a_link_in_place_of_the_folder_of_evidence_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    (bundle / "evidence").rename(tmp_path / "outside")
    (bundle / "evidence").symlink_to(tmp_path / "outside")

    report = verify(bundle, None, quiet)

    assert {'"evidence"', "evidence/part-00000.parquet", "evidence.root"} <= set(places(report))


def test_folders_and_pipes_in_a_bundle_are_named_and_not_opened(bundle: Path) -> None:
    import os

    (bundle / "folder").mkdir()
    os.mkfifo(bundle / "evidence" / "pipe")

    report = verify(bundle, None, quiet)

    assert places(report)[:2] == ['"folder"', '"evidence/pipe"']


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "evidence/../README.md"])
def test_a_sum_of_a_path_outside_is_named(bundle: Path, path: str) -> None:
    with (bundle / "SHA256SUMS").open("a", encoding="ascii") as sums:
        sums.write(f"{'0' * 64}  {path}\n")

    assert f'SHA256SUMS: "{path}"' in places(verify(bundle, None, quiet))


def test_sums_in_another_order_or_without_their_end_are_named(bundle: Path) -> None:
    lines = (bundle / "SHA256SUMS").read_bytes().splitlines(keepends=True)

    for other in (lines[::-1], [*lines, lines[0]], [*lines, b"more"], [*lines[:-1], lines[-1].strip()]):
        (bundle / "SHA256SUMS").write_bytes(b"".join(other))
        assert not verify(bundle, None, quiet).agrees


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(VerificationError, match="NOT_A_BUNDLE"):
            verify(path, None, quiet)
