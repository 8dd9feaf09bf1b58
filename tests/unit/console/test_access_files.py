"""Files of accesses: every line becomes an access, or is named with its reason (M7)."""

import gzip
import hashlib
import json
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from services.chassis.refusals import Refusal
from services.console import line_files
from services.console.access_files import Form, LogAccesses, form_of, read_accesses, uncompressed_name
from services.console.access_rows import FORM, Defaults
from services.console.robots import Robots, party_of_address, read_robots
from services.console.rows import BadRow
from sluice.metering.v1.access_pb2 import AccessKind, SeenAccess
from sluice.type.v1.content_pb2 import ContentKind

DEFAULTS = Defaults("edge")
HEADER = "source,id,party,time,access,kind,media,posts,reservation"
FULL = "scraper,a-1,acme,2026-01-31T12:00:00Z,view,reply,image|video,12,r-1"
LOG_LINE = '192.0.2.7 - - [31/Jan/2026:12:00:00 +0000] "GET /posts/1 HTTP/1.1" 200 5 "-" "GPTBot/1.0"'

Read = tuple[list[tuple[int, SeenAccess]], list[BadRow]]


def read(path: Path, content: bytes | str, log: LogAccesses | None = None) -> Read:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    chunks = list(read_accesses(path, form_of(path), log or LogAccesses(DEFAULTS)))
    assert chunks[-1].bytes_read == path.stat().st_size
    return [row for chunk in chunks for row in chunk.rows], [bad for chunk in chunks for bad in chunk.bad]


def reasons(bad: list[BadRow]) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in bad]


def sha256(line: str) -> bytes:
    return hashlib.sha256(line.encode()).digest()


def a_log_line(**replaced: str) -> str:
    line = LOG_LINE
    for name, value in replaced.items():
        line = line.replace({"client": "192.0.2.7", "agent": "GPTBot/1.0"}.get(name, name), value)
    return line


def test_a_row_of_csv_says_everything(tmp_path: Path) -> None:
    [(line, access)], bad = read(tmp_path / "a.csv", f"{HEADER}\n{FULL}\n")

    assert not bad
    assert line == 2
    assert (access.source, access.id, access.party_id) == ("scraper", "a-1", "acme")
    assert access.accessed_at.ToJsonString() == "2026-01-31T12:00:00Z"
    assert access.access == AccessKind.ACCESS_KIND_VIEW
    assert access.kind == ContentKind.CONTENT_KIND_REPLY
    assert (access.media_flags, access.posts, access.reservation_id) == (3, 12, "r-1")
    assert access.line_digest == b""


def test_a_row_may_leave_out_what_has_a_default(tmp_path: Path) -> None:
    log = LogAccesses(Defaults("edge", "quote", 4, UTC))
    row = "acme,2026-01-31T12:00:00,access"

    [(_, access)], _ = read(tmp_path / "a.csv", f"party,time,access\n{row}\n", log)

    assert (access.source, access.id, access.posts, access.media_flags) == ("edge", "", 1, 4)
    assert access.kind == ContentKind.CONTENT_KIND_QUOTE
    assert access.line_digest == sha256(row)


def test_json_lines_have_the_same_names(tmp_path: Path) -> None:
    fields: dict[str, Any] = dict(zip(FORM.all, FULL.split(","), strict=True))
    typed = fields | {"posts": 12, "media": ["image", "video"], "reservation": None, "id": 7}

    [(_, first), (_, second)], bad = read(
        tmp_path / "a.jsonl", json.dumps(fields) + "\n\n" + json.dumps(typed) + "\n"
    )
    [(_, of_csv)], _ = read(tmp_path / "a.csv", f"{HEADER}\n{FULL}\n")

    assert not bad
    assert first == of_csv
    assert (second.id, second.media_flags, second.posts, second.reservation_id) == ("7", 3, 12, "")


def test_a_line_of_a_log_is_one_post_and_is_its_own_id(tmp_path: Path) -> None:
    [(_, access)], _ = read(tmp_path / "access.log", LOG_LINE + "\n")

    assert (access.source, access.id, access.party_id, access.posts) == ("edge", "", "192.0.2.7", 1)
    assert access.access == AccessKind.ACCESS_KIND_ACCESS
    assert access.kind == ContentKind.CONTENT_KIND_POST
    assert access.line_digest == sha256(LOG_LINE)


@pytest.mark.parametrize(
    ("method", "status", "kind"),
    [
        ("GET", "200", AccessKind.ACCESS_KIND_ACCESS),
        ("GET", "299", AccessKind.ACCESS_KIND_ACCESS),
        ("GET", "304", AccessKind.ACCESS_KIND_REQUEST),
        ("GET", "404", AccessKind.ACCESS_KIND_REQUEST),
        ("GET", "199", AccessKind.ACCESS_KIND_REQUEST),
        ("HEAD", "200", AccessKind.ACCESS_KIND_REQUEST),
        ("POST", "200", AccessKind.ACCESS_KIND_REQUEST),
    ],
)
def test_m5_only_a_get_that_went_well_gave_a_post(
    tmp_path: Path, method: str, status: str, kind: AccessKind
) -> None:
    line = LOG_LINE.replace('"GET ', f'"{method} ').replace(" 200 ", f" {status} ")

    [(_, access)], _ = read(tmp_path / "access.log", line)

    assert access.access == kind


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::7", "2001-db8--7"),
        ("::1", "ip---1"),
        ("Crawler.Example", "crawler.example"),
        ("\u00fc.example", "ip-\u00fc.example"),
    ],
)
def test_an_address_is_a_party(address: str, party: str) -> None:
    assert party_of_address(address) == party


def test_only_paths_that_are_posts_count(tmp_path: Path) -> None:
    log = LogAccesses(DEFAULTS, only=re.compile("^/posts/[0-9]+$"))
    lines = [
        LOG_LINE,
        LOG_LINE.replace("/posts/1", "/style.css"),
        LOG_LINE.replace("/posts/1", "/posts/2?x=1"),
    ]

    rows, bad = read(tmp_path / "access.log", "\n".join([*lines, "garbage"]), log)

    assert [line for line, _ in rows] == [1, 3]
    assert log.passed_over == 1
    assert reasons(bad) == [(4, "ROW_MALFORMED")]


def test_a_robot_counts_for_its_name_and_others_for_their_address(tmp_path: Path) -> None:
    file = tmp_path / "robots.json"
    file.write_text(json.dumps({"GPTBot": {"operator": "OpenAI"}, "Brightbot 1.0": {}}), encoding="utf-8")
    log = LogAccesses(DEFAULTS, read_robots(file))
    agents = ["GPTBot/1.0", r"\x22Brightbot 1.0\x22", "Firefox"]

    rows, _ = read(tmp_path / "access.log", "\n".join(a_log_line(agent=agent) for agent in agents), log)

    assert [access.party_id for _, access in rows] == ["gptbot", "brightbot-1.0", "192.0.2.7"]


@pytest.mark.parametrize(
    ("agent", "party"),
    [
        ("Mozilla/5.0 (compatible; Applebot-Extended/0.1)", "applebot-extended"),
        ("Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)", "applebot"),
        ("Mozilla/4.0 (compatible; MSIE 8.0; SLCC2; .NET CLR 2.0)", None),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", None),
        ("(iaskspider/2.0)", "iaskspider-2.0"),
        ("", None),
    ],
)
def test_a_robot_is_named_in_full(agent: str, party: str | None) -> None:
    robots = Robots(["Applebot", "Applebot-Extended", "LCC", "Spider", "iaskspider", "iaskspider/2.0"])

    assert robots.party(agent) == party


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"...": {}}', "[" * 100_000, "\x00"])
def test_a_list_that_lists_no_robots_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "robots.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(Refusal, match="ROBOTS_MALFORMED"):
        read_robots(file)


def test_garbage_is_listed_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        LOG_LINE.encode(),
        b"garbage",
        LOG_LINE.replace("+0000", "+2561").encode(),
        LOG_LINE.replace("31/Jan", "30/Feb").encode(),
        LOG_LINE.encode() + b"\xff",
        b"",
        a_log_line(client="2001:db8::7").encode(),
        LOG_LINE[:50].encode(),
    ]

    rows, bad = read(tmp_path / "access.log", b"\n".join(lines))

    assert [line for line, _ in rows] == [1, 7]
    assert reasons(bad) == [
        (2, "ROW_MALFORMED"),
        (3, "CELL_MALFORMED"),
        (4, "CELL_MALFORMED"),
        (5, "ROW_MALFORMED"),
        (8, "ROW_MALFORMED"),
    ]
    assert bad[3].message == f"byte {len(LOG_LINE) + 1} of the line is no UTF-8"


@pytest.mark.parametrize(
    ("row", "reason", "message"),
    [
        ("a,2026-01-31T12:00:00,access,1", "CELL_MALFORMED", "time: "),
        ("a,,access,1", "CELL_MALFORMED", "time: "),
        ("a,2026-01-31T12:00:00Z,stare,1", "CELL_MALFORMED", "access: "),
        ("a,2026-01-31T12:00:00Z,,1", "CELL_MALFORMED", "access: "),
        (",2026-01-31T12:00:00Z,access,1", "CELL_MALFORMED", "party: "),
        ("a,2026-01-31T12:00:00Z,access,0", "CELL_MALFORMED", "posts: "),
        ("a,2026-01-31T12:00:00Z,access,-1", "CELL_MALFORMED", "posts: "),
        ("a,2026-01-31T12:00:00Z,access,2147483648", "CELL_MALFORMED", "posts: "),
        ("a,2026-01-31T12:00:00Z,access,1.5", "CELL_MALFORMED", "posts: "),
        ("a,2026-01-31T12:00:00Z,access", "ROW_MALFORMED", "3 cells for 4 columns"),
        ("a,2026-01-31T12:00:00Z,access,1,2", "ROW_MALFORMED", "5 cells for 4 columns"),
        ('"a,2026-01-31T12:00:00Z,access,1', "ROW_MALFORMED", "this is not CSV"),
        ('"a"x,2026-01-31T12:00:00Z,access,1', "ROW_MALFORMED", "this is not CSV"),
    ],
)
def test_a_bad_row_of_csv_spoils_no_other(tmp_path: Path, row: str, reason: str, message: str) -> None:
    good = "b,2026-01-31T12:00:00Z,access,1"

    rows, [bad] = read(tmp_path / "a.csv", f"party,time,access,posts\n{row}\n{good}\n")

    assert [(line, access.party_id) for line, access in rows] == [(3, "b")]
    assert (bad.line, bad.reason) == (2, reason)
    assert bad.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "ROW_MALFORMED"),
        ("[" * 100_000, "ROW_MALFORMED"),
        ("[]", "ROW_MALFORMED"),
        ("7", "ROW_MALFORMED"),
        ('{"party": "a", "party": "b"}', "ROW_MALFORMED"),
        ('{"party": "a", "colour": "red"}', "ROW_MALFORMED"),
        ('{"party": ["a"]}', "CELL_MALFORMED"),
        ('{"party": true}', "CELL_MALFORMED"),
        ('{"party": "\\ud800", "time": "2026-01-31T12:00:00Z", "access": "view"}', "CELL_MALFORMED"),
        ('{"party": "a", "time": "2026-01-31T12:00:00Z", "access": "view", "posts": 1.0}', "CELL_MALFORMED"),
        ('{"party": "a", "time": 1769860800, "access": "view"}', "CELL_MALFORMED"),
        ('{"party": "a", "time": "2026-01-31T12:00:00Z", "access": "view", "media": 8}', "CELL_MALFORMED"),
        ('{"posts": ' + "9" * 5_000 + "}", "ROW_MALFORMED"),
    ],
)
def test_a_bad_line_of_json_spoils_no_other(tmp_path: Path, text: str, reason: str) -> None:
    good = '{"party": "b", "time": "2026-01-31T12:00:00Z", "access": "view"}'

    rows, bad = read(tmp_path / "a.jsonl", f"{text}\n{good}\n")

    assert [(line, access.party_id) for line, access in rows] == [(2, "b")]
    assert reasons(bad) == [(1, reason)]


@pytest.mark.parametrize("header", ["", "party,time\n", "party,time,access,color\n", 'party,"time,access\n'])
def test_another_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(Refusal, match="CSV_COLUMNS"):
        read(tmp_path / "a.csv", header)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.csv", ["party,time,access", "acme,2026-01-31T12:00:00Z,access"]),
        ("a.jsonl", ['{"party": "acme", "time": "2026-01-31T12:00:00Z", "access": "access"}']),
        ("access.log", [LOG_LINE]),
    ],
)
def test_line_ends_compression_and_marks_are_no_part_of_a_line(
    tmp_path: Path, name: str, lines: list[str]
) -> None:
    unix = "".join(f"{line}\n" for line in lines).encode()
    windows = "\ufeff".encode() + "".join(f"{line}\r\n" for line in lines).encode()
    torn_end = "\n".join(lines).encode()

    expected = read(tmp_path / name, unix)

    assert len(expected[0]) == 1
    assert expected[0][0][1].line_digest == sha256(lines[-1])
    assert read(tmp_path / name, windows) == expected
    assert read(tmp_path / name, torn_end) == expected
    assert read(tmp_path / f"{name}.gz", gzip.compress(unix)) == expected


def test_compressed_data_that_breaks_off_is_listed_after_what_could_be_read(tmp_path: Path) -> None:
    lines = [a_log_line(client=f"10.0.{number // 256}.{number % 256}") for number in range(3_000)]
    whole = gzip.compress("\n".join(lines).encode())

    rows, bad = read(tmp_path / "access.log.gz", whole[: len(whole) // 2])
    nothing, not_gzip = read(tmp_path / "plain.log.gz", LOG_LINE)

    assert 0 < len(rows) < 3_000
    assert [access.line_digest for _, access in rows] == [sha256(line) for line in lines[: len(rows)]]
    assert reasons(bad) == [(len(rows) + 1, "ROW_MALFORMED")]
    assert (nothing, reasons(not_gzip)) == ([], [(1, "ROW_MALFORMED")])


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_files, "LONGEST_LINE", 200)
    endless = "x" * 5_000

    rows, bad = read(tmp_path / "access.log", f"{LOG_LINE}\n{endless}\n{LOG_LINE} \n{LOG_LINE}\n{endless}")

    assert [line for line, _ in rows] == [1, 4]
    assert reasons(bad) == [(2, "ROW_MALFORMED"), (3, "ROW_MALFORMED"), (5, "ROW_MALFORMED")]
    assert "longer than 200 bytes" in bad[0].message


def test_a_file_is_read_in_pages(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text("".join(f"{LOG_LINE}\n" for _ in range(4_001)), encoding="ascii")

    chunks = list(read_accesses(file, Form.COMBINED, LogAccesses(DEFAULTS)))

    assert [len(chunk.rows) for chunk in chunks] == [2_000, 2_000, 1]


@pytest.mark.parametrize(
    ("name", "form", "uncompressed"),
    [
        ("a.csv", Form.CSV, "a.csv"),
        ("a.CSV.gz", Form.CSV, "a.CSV"),
        ("a.jsonl", Form.JSONL, "a.jsonl"),
        ("a.ndjson.gz", Form.JSONL, "a.ndjson"),
        ("access.log", Form.COMBINED, "access.log"),
        ("access.log.2.gz", Form.COMBINED, "access.log.2"),
        ("apache_logs", Form.COMBINED, "apache_logs"),
    ],
)
def test_the_name_says_how_it_is_written(name: str, form: Form, uncompressed: str) -> None:
    assert form_of(Path(name)) is form
    assert uncompressed_name(Path(name)) == uncompressed
