"""`sluice usage import` against a metering that keeps what it is sent (M7)."""

import csv
import gzip
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from rich.text import Text
from typer.testing import CliRunner, Result

from services.chassis.refusals import Refusal
from services.console import access_files, pages
from services.console.access_rows import FORM
from services.console.app import app
from services.console.usage_import import import_
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import AccessKind, SeenAccess
from sluice.type.v1.revision_pb2 import Revision

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "logs"
LOG = SHARED / "apache_logs"
ROBOTS = SHARED / "ai-robots.json"

SERVICE = pb.DESCRIPTOR.services_by_name["UsageService"].full_name
ACCEPTED = pb.ReportOutcome.REPORT_OUTCOME_ACCEPTED
DUPLICATE = pb.ReportOutcome.REPORT_OUTCOME_DUPLICATE
CONFLICT = pb.ReportOutcome.REPORT_OUTCOME_CONFLICT
REJECTED = pb.ReportOutcome.REPORT_OUTCOME_REJECTED


@dataclass
class FakeMetering:
    """Counts each access once by its source and id or line; answers a request that it knows as before."""

    kept: dict[tuple[str, str | bytes], SeenAccess] = field(default_factory=dict)
    displaced: list[pb.DisplacedAccess] = field(default_factory=list)
    """By the first line of each request."""
    answers: dict[str, pb.ReportAccessesResponse] = field(default_factory=dict)
    """By request id."""
    requests: list[pb.ReportAccessesRequest] = field(default_factory=list)
    """As they came, repeated ones included."""
    breaks: set[int] = field(default_factory=set)
    """Of which requests, by their number from 0, the connection breaks before the answer; they are kept."""
    short_by: int = 0
    """Outcomes that an answer lacks."""
    authorization: str = ""

    def handlers(self) -> grpc.GenericRpcHandler:
        """Its one RPC."""
        report = grpc.stream_stream_rpc_method_handler(
            self._report,
            request_deserializer=pb.ReportAccessesRequest.FromString,
            response_serializer=pb.ReportAccessesResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"ReportAccesses": report})

    def _report(
        self, requests: Iterator[pb.ReportAccessesRequest], context: Any
    ) -> Iterator[pb.ReportAccessesResponse]:
        self.authorization = dict(context.invocation_metadata())["authorization"]
        for request in requests:
            number = len(self.requests)
            self.requests.append(request)
            if request.request_id not in self.answers:
                self.answers[request.request_id] = self._answer(request)
            if number in self.breaks:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            yield self.answers[request.request_id]

    def _answer(self, request: pb.ReportAccessesRequest) -> pb.ReportAccessesResponse:
        answer = pb.ReportAccessesResponse()
        for row in request.rows:
            outcome, reason = self._outcome(row.access)
            answer.outcomes.append(outcome)
            answer.absorbed += row.access.posts if row.access.reservation_id == "known" else 0
            if reason:
                answer.remarks.add(
                    line=row.line, outcome=outcome, reason=reason, message=f"said of {row.line}"
                )
        for displaced in self.displaced:
            reason = "ACCESS_DISPLACED"
            answer.remarks.add(
                line=request.rows[0].line,
                outcome=ACCEPTED,
                reason=reason,
                message="said",
                displaced=displaced,
            )
        answer.displaced_count = len(self.displaced)
        del answer.outcomes[len(answer.outcomes) - self.short_by :]
        answer.revision.CopyFrom(Revision(epoch=1, number=len(self.kept)))
        return answer

    def _outcome(self, access: SeenAccess) -> tuple[pb.ReportOutcome, str]:
        key = (access.source, access.id or access.line_digest)
        if access.party_id.startswith("-"):
            return REJECTED, "PARTY_ID_INVALID"
        if key in self.kept:
            same = self.kept[key] == access
            return (DUPLICATE, "") if same else (CONFLICT, "ACCESS_DIFFERS")
        self.kept[key] = access
        return ACCEPTED, "RESERVATION_UNKNOWN" if access.reservation_id == "unknown" else ""


@dataclass
class Cli:
    """The command, and where metering is."""

    folder: Path
    address: str

    def __call__(self, file: Path, *arguments: str | Path) -> Result:
        given = ["usage", "import", file, "--metering", self.address, "--state", self.folder, *arguments]
        return CliRunner().invoke(app, [str(argument) for argument in given], env={"SLUICE_TOKEN": "a-token"})

    def json(self, file: Path, *arguments: str | Path, status: int = 0) -> dict[str, Any]:
        told = self(file, "--json", *arguments)
        assert told.exit_code == status, told.output
        answer: dict[str, Any] = json.loads(told.stdout)
        return answer


@pytest.fixture
def metering() -> FakeMetering:
    return FakeMetering()


@pytest.fixture
def cli(metering: FakeMetering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    monkeypatch.setattr(pages, "FIRST_BACKOFF_US", 1)
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((metering.handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield Cli(tmp_path, f"127.0.0.1:{port}")
    server.stop(grace=None).wait()


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def log_line(number: int, *, client: str = "192.0.2.7") -> str:
    clock = f"{number // 60:02}:{number % 60:02}"
    return f'{client} - - [31/Jan/2026:12:{clock} +0000] "GET /posts/{number} HTTP/1.1" 200 5 "-" "Firefox"'


def test_m7_the_same_file_again_changes_nothing(cli: Cli, metering: FakeMetering, tmp_path: Path) -> None:
    file = write(tmp_path / "access.log", *(log_line(number) for number in range(5)))

    first = cli.json(file)
    kept = dict(metering.kept)
    again = cli.json(file)

    assert first == {
        "accepted": 5,
        "duplicate": 0,
        "conflict": 0,
        "rejected": 0,
        "absorbed_posts": 0,
        "displaced": 0,
        "passed_over": 0,
        "remarks": [],
        "revision": {"epoch": 1, "number": 5},
    }
    assert (again["accepted"], again["duplicate"]) == (0, 5)
    assert metering.kept == kept
    assert {source for source, _ in kept} == {"access.log"}
    assert metering.authorization == "Bearer a-token"
    assert "5 duplicate" in cli(file).stdout


def test_m7_a_log_that_was_compressed_since_is_the_same(cli: Cli, tmp_path: Path) -> None:
    lines = [log_line(number) for number in range(5)]
    file = write(tmp_path / "access.log", *lines)
    compressed = tmp_path / "access.log.gz"
    compressed.write_bytes(gzip.compress("\r\n".join(lines).encode()))

    cli.json(file)

    assert cli.json(compressed)["duplicate"] == 5
    assert cli.json(file, "--source", "another")["accepted"] == 5


def test_a_page_whose_answer_is_lost_is_sent_again_under_its_id(
    cli: Cli, metering: FakeMetering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_files, "PAGE_ROWS", 10)
    metering.breaks = {1, 3}
    file = write(tmp_path / "access.log", *(log_line(number) for number in range(45)))

    told = cli.json(file)

    ids = [request.request_id for request in metering.requests]
    assert (told["accepted"], told["duplicate"]) == (45, 0)
    assert len(set(ids)) == 5
    assert len(ids) > 5
    assert [len(request.rows) for request in metering.requests if len(request.rows) != 10] == [5]


def test_what_is_not_taken_is_listed_with_its_line_and_the_exit_code_says_so(
    cli: Cli, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "seen.csv",
        "id,party,time,access,reservation,posts",
        "1,acme,2026-01-31T12:00:00Z,access,,1",
        "2,acme,soon,access,,1",
        "3,-acme,2026-01-31T12:00:00Z,access,,1",
        "1,acme,2026-01-31T12:00:00Z,access,,2",
        "4,acme,2026-01-31T12:00:00Z,access,unknown,1",
        "5,acme,2026-01-31T12:00:00Z,access,known,7",
    )

    told = cli(file, "--bad-rows", tmp_path / "bad.csv")
    answer = cli.json(file, "--source", "again", status=1)

    assert told.exit_code == 1
    assert "3 accesses accepted, 0 duplicate, 1 conflict, 2 rejected." in told.stdout
    assert "Receipts absorbed 7 posts of them." in told.stdout
    assert "CELL_MALFORMED" in told.stdout
    with (tmp_path / "bad.csv").open(encoding="utf-8", newline="") as lines:
        rows = [(row["line"], row["outcome"], row["reason"]) for row in csv.DictReader(lines)]
    assert rows == [
        ("3", "rejected", "CELL_MALFORMED"),
        ("4", "rejected", "PARTY_ID_INVALID"),
        ("5", "conflict", "ACCESS_DIFFERS"),
        ("6", "accepted", "RESERVATION_UNKNOWN"),
    ]
    assert [(str(r["line"]), r["outcome"], r["reason"]) for r in answer["remarks"]] == rows
    assert answer["absorbed_posts"] == 7


def test_a_remark_on_a_line_that_was_taken_is_no_failure(cli: Cli, tmp_path: Path) -> None:
    file = write(
        tmp_path / "seen.jsonl",
        '{"party": "acme", "time": "2026-01-31T12:00:00Z", "access": "view", "reservation": "unknown"}',
    )

    told = cli(file)

    assert told.exit_code == 0
    assert "RESERVATION_UNKNOWN" in told.stdout


def test_m7_what_is_displaced_is_told_and_named(cli: Cli, metering: FakeMetering, tmp_path: Path) -> None:
    metering.displaced = [
        pb.DisplacedAccess(source="edge", id="a", posts=2),
        pb.DisplacedAccess(source="edge", line_digest=b"d" * 32, posts=1),
    ]
    file = write(tmp_path / "access.log", log_line(1))

    told = cli(file)
    answer = cli.json(file)

    assert told.exit_code == 0
    assert (
        "They took the place of 2 accesses that were absorbed before, and counted from now on." in told.stdout
    )
    assert "ACCESS_DISPLACED" in told.stdout
    assert answer["displaced"] == 2
    assert [remark["displaced"] for remark in answer["remarks"]] == [
        {"source": "edge", "id": "a", "posts": 2},
        {"source": "edge", "line_digest": "64" * 32, "posts": 1},
    ]


@pytest.mark.parametrize(
    ("name", "lines"), [("a.log", []), ("a.csv", ["party,time,access"]), ("a.jsonl", [""])]
)
def test_a_file_without_accesses_is_said_to_hold_none(
    cli: Cli, tmp_path: Path, name: str, lines: list[str]
) -> None:
    told = cli(write(tmp_path / name, *lines))

    assert told.exit_code == 0
    assert f"{name} holds no access." in told.stderr


def test_an_empty_csv_file_is_told_which_columns_it_needs(cli: Cli, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"a\.csv is empty; .* columns: party, time, access"):
        CliRunner().invoke(
            app,
            ["usage", "import", str(write(tmp_path / "a.csv")), "--metering", cli.address],
            env={"SLUICE_TOKEN": "a-token"},
            catch_exceptions=False,
        )


def test_who_has_a_file_read_as_what_it_is_not_is_told_of_the_format(cli: Cli, tmp_path: Path) -> None:
    rows = ["party,time,access", "acme,2026-01-01T12:00:00Z,view"]

    told = cli(write(tmp_path / "seen.txt", *rows))
    some = cli(write(tmp_path / "some.log", *rows, log_line(1)))

    assert (told.exit_code, some.exit_code) == (1, 1)
    assert "No line of seen.txt could be read as one of a combined access log. --format says" in told.stderr
    assert "--format" not in some.stderr


@pytest.mark.parametrize(("content", "why"), [(b"\x89PNG", "not even text"), (b"User-agent: *", "not JSON")])
def test_a_list_of_robots_that_is_none_is_told_why(
    cli: Cli, tmp_path: Path, content: bytes, why: str
) -> None:
    robots = tmp_path / "robots.txt"
    robots.write_bytes(content)

    told = cli(write(tmp_path / "a.log", log_line(1)), "--robots", robots)

    assert isinstance(told.exception, Refusal)
    assert why in told.exception.message


@pytest.mark.parametrize("zone", ["CEST", "+1", "Mars/Olympus", "+25:00"])
def test_a_zone_that_is_none_is_told_what_one_is_like(cli: Cli, tmp_path: Path, zone: str) -> None:
    told = cli(write(tmp_path / "a.log", log_line(1)), "--zone", zone)

    assert told.exit_code == 2
    assert "01:00" in told.stderr or "+14:00" in told.stderr


def test_the_first_remarks_are_shown_and_all_are_written(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "access.log", *(["garbage"] * 25))

    told = cli(file, "--bad-rows", tmp_path / "bad.csv")

    assert told.exit_code == 1
    assert told.stdout.count("ROW_MALFORMED") == 20
    assert "... and 5 more remarks" in told.stderr
    assert len((tmp_path / "bad.csv").read_text(encoding="utf-8").splitlines()) == 26


def test_nothing_to_send_is_no_failure(cli: Cli, metering: FakeMetering, tmp_path: Path) -> None:
    told = cli.json(write(tmp_path / "access.log", log_line(1)), "--only", "^/comments/")

    assert (told["accepted"], told["passed_over"], told["revision"]) == (0, 1, None)
    assert not metering.requests


def test_a_metering_that_is_not_there_is_told_in_words(cli: Cli, tmp_path: Path) -> None:
    nowhere = Cli(cli.folder, "127.0.0.1:1")

    for lines in (["garbage"], [log_line(1)]):
        told = nowhere(write(tmp_path / "access.log", *lines))
        assert "PEER_UNAVAILABLE" in str(told.exception)


def test_options_say_what_lines_do_not(cli: Cli, metering: FakeMetering, tmp_path: Path) -> None:
    file = write(tmp_path / "seen", "party,time,access", "acme,2026-01-31T12:00:00,access")
    rest = ["--kind", "reply", "--media", "image", "--media", "other", "--zone", "+01:00", "--source", "mine"]

    cli.json(file, "--format", "csv", *rest)

    [(source, _)] = metering.kept
    [access] = metering.kept.values()
    assert source == "mine"
    assert access.accessed_at.ToJsonString() == "2026-01-31T11:00:00Z"
    assert (access.kind, access.media_flags) == (2, 5)


def test_an_answer_that_does_not_fit_its_page_is_not_believed(
    cli: Cli, metering: FakeMetering, tmp_path: Path
) -> None:
    metering.short_by = 1

    told = cli(write(tmp_path / "access.log", log_line(1), log_line(2)))

    assert "ANSWER_UNREADABLE" in str(told.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "xml"],
        ["--only", "("],
        ["--kind", "poem"],
        ["--media", "smell"],
        ["--media", "9"],
        ["--zone", "Nowhere"],
        ["--by", "bot"],
        ["--by", "nobody"],
        ["--format", "csv", "--only", "x"],
        ["--format", "jsonl", "--by", "client"],
        ["--robots", "/nowhere"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_before_metering_is_called(
    cli: Cli, metering: FakeMetering, tmp_path: Path, arguments: list[str]
) -> None:
    told = cli(write(tmp_path / "access.log", log_line(1)), *arguments)

    assert told.exit_code == 2
    assert not metering.requests


def test_the_help_explains_every_column_and_option() -> None:
    shown = Text.from_ansi(CliRunner().invoke(app, ["usage", "import", "--help"]).output).plain

    for column in FORM.all:
        assert column in (import_.__doc__ or "")
    for option in ("--format", "--source", "--robots", "--by", "--only", "--zone", "--bad-rows", "--json"):
        assert option in shown


def clients_in(lines: list[str]) -> Counter[tuple[str, bool]]:
    """The oracle: distinct whole lines by client and whether they hold a post."""
    whole = {line for line in lines if line.endswith('"')}
    given = {line for line in whole if '] "GET ' in line and line.split('"')[2].split()[0].startswith("2")}
    return Counter((line.split()[0], line in given) for line in whole)


def counted_by(metering: FakeMetering) -> Counter[tuple[str, bool]]:
    accesses = metering.kept.values()
    return Counter((seen.party_id, seen.access == AccessKind.ACCESS_KIND_ACCESS) for seen in accesses)


@pytest.mark.skipif(not LOG.is_file(), reason="the real log is not at hand")
def test_m7_a_real_log_is_counted_once_per_client_in_whatever_order_it_comes(
    cli: Cli, metering: FakeMetering, tmp_path: Path
) -> None:
    lines = LOG.read_text(encoding="utf-8").splitlines()
    shuffled = random.Random(7).sample(lines, len(lines))
    source = ("--source", "apache_logs")

    told = cli.json(LOG, status=1)
    again = cli.json(write(tmp_path / "shuffled", *shuffled), *source, status=1)
    tail = cli.json(write(tmp_path / "tail", *lines[8_000:]), *source, status=1)

    assert counted_by(metering) == clients_in(lines)
    assert (told["accepted"], told["duplicate"], told["rejected"]) == (9_980, 19, 1)
    assert [(remark["line"], remark["reason"]) for remark in told["remarks"]] == [(8_899, "ROW_MALFORMED")]
    assert (again["accepted"], again["duplicate"], again["conflict"]) == (0, 9_999, 0)
    assert tail["duplicate"] == 1_999
    digests = {hashlib.sha256(line.encode()).digest() for line in lines if line.endswith('"')}
    assert {digest for _, digest in metering.kept} == digests


@pytest.mark.skipif(not ROBOTS.is_file(), reason="the real log is not at hand")
def test_m7_robots_of_a_real_log_are_parties(cli: Cli, metering: FakeMetering) -> None:
    cli.json(LOG, "--robots", ROBOTS, status=1)
    parties = Counter(access.party_id for access in metering.kept.values())
    by_client = cli.json(LOG, "--robots", ROBOTS, "--by", "client", "--source", "again", status=1)

    lines = {line for line in LOG.read_text(encoding="utf-8").splitlines() if "facebookexternalhit" in line}
    assert parties["facebookexternalhit"] == len(lines)
    assert [party for party in parties if not party[0].isdigit()] == ["facebookexternalhit"]
    assert by_client["accepted"] == 9_980
