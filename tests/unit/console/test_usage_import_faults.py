"""What `sluice usage import` says of files and options that are not what they should be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.access_files import Form
from services.console.installation import StateFolder
from services.console.rows import BadRow
from services.console.usage_import import Tally, unread
from tests.support.command_line import Cli
from tests.support.fake_metering import FakeMetering, served

LOG_LINE = '192.0.2.7 - - [31/Jan/2026:12:00:00 +0000] "GET /posts/1 HTTP/1.1" 200 5 "-" "Firefox"'


@pytest.fixture
def cli(cli: Cli, tmp_path: Path) -> Iterator[Cli]:
    """An installation whose metering takes accesses."""
    with served(FakeMetering()) as address:
        StateFolder(tmp_path / "state").announcement("metering").write_text(address, encoding="ascii")
        yield cli


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "lines"), [("a.log", []), ("a.csv", ["party,time,access"]), ("a.jsonl", [""])]
)
def test_a_file_without_accesses_is_said_to_hold_none(
    cli: Cli, tmp_path: Path, name: str, lines: list[str]
) -> None:
    cli("usage", "import", write(tmp_path / name, *lines))

    assert f"{name} holds no access." in cli.err


def test_an_empty_csv_file_is_told_which_columns_it_needs(cli: Cli, tmp_path: Path) -> None:
    refusal = cli.refusal("usage", "import", write(tmp_path / "a.csv"))

    assert refusal["reason"] == "CSV_COLUMNS"
    assert "a.csv is empty" in refusal["message"]
    assert "party, time, access" in refusal["message"]


def test_who_has_a_file_read_as_what_it_is_not_is_told_of_the_format(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "seen.txt", "party,time,access", "acme,2026-01-01T12:00:00Z,view")

    cli("usage", "import", file, status=1)

    assert "No line of seen.txt could be read as one of a combined access log. --format says" in cli.err


def test_where_some_lines_could_be_read_nothing_is_said_of_the_format() -> None:
    tally = Tally()
    tally.reject([BadRow(1, "ROW_MALFORMED", "garbage")])
    tally.outcomes["accepted"] += 1

    assert unread(tally, Path("a.log"), Form.COMBINED, passed_over=0) == ""
    tally.outcomes["accepted"] -= 1
    assert unread(tally, Path("a.log"), Form.COMBINED, passed_over=3) == ""


@pytest.mark.parametrize(
    ("content", "why"), [(b"\x89PNG", "not even text"), (b"User-agent: *", "not JSON (line 1")]
)
def test_a_list_of_robots_that_is_none_is_told_why(
    cli: Cli, tmp_path: Path, content: bytes, why: str
) -> None:
    robots = tmp_path / "robots.txt"
    robots.write_bytes(content)

    refusal = cli.refusal("usage", "import", write(tmp_path / "a.log", LOG_LINE), "--robots", robots)

    assert refusal["reason"] == "ROBOTS_MALFORMED"
    assert why in refusal["message"]


@pytest.mark.parametrize(
    ("zone", "like"), [("CEST", "+01:00"), ("+1", "+01:00"), ("Mars/Olympus", "+01:00"), ("+25:00", "+14:00")]
)
def test_a_zone_that_is_none_is_told_what_one_is_like(cli: Cli, tmp_path: Path, zone: str, like: str) -> None:
    said = cli.wrong("usage", "import", write(tmp_path / "a.log", LOG_LINE), "--zone", zone)

    assert like in said
