"""`sluice usage import`: accesses that were seen elsewhere than at the gate (M7)."""

import csv
import enum
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from services.chassis.refusals import Kind, Refusal
from services.console import options
from services.console.access_files import Form, LogAccesses, form_of, read_accesses, uncompressed_name
from services.console.access_rows import Defaults, read_media
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.exact_times import zone_of
from services.console.imports import LISTED_BAD_ROWS, Destination, Rows, deliver_chunks, progress_through
from services.console.names import number_of, plain, word_of
from services.console.output import counted, give_json, note, say, show, table
from services.console.robots import read_robots
from services.console.rows import BadRow
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import SeenAccess
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.content_pb2 import ContentKind
from sluice.type.v1.revision_pb2 import Revision

OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")
"""Words of all that can become of a line."""


class By(enum.StrEnum):
    """Whom the lines of a log count for."""

    BOT = "bot"
    CLIENT = "client"


@dataclass(frozen=True)
class Remark:
    """Something to say of a line."""

    line: int
    outcome: str
    """Its word."""
    reason: str
    """UPPER_SNAKE."""
    message: str


@dataclass
class Tally:
    """What became of a file."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Lines by the outcome's word."""
    absorbed: int = 0
    """Posts that were counted with the receipt that they show."""
    remarks: list[Remark] = field(default_factory=list)
    revision: Revision | None = None
    """Of metering, after the last page; None when nothing was sent."""

    @property
    def is_clean(self) -> bool:
        """Whether every line is counted, now or before."""
        return not self.outcomes["conflict"] and not self.outcomes["rejected"]

    def reject(self, bad: Iterable[BadRow]) -> None:
        """Counts lines that are no accesses."""
        found = [Remark(row.line, "rejected", row.reason, row.message) for row in bad]
        self.outcomes["rejected"] += len(found)
        self.remarks += found

    def add(self, answer: pb.ReportAccessesResponse, rows: int) -> None:
        """Counts the answer to one page; raises Refusal (internal, ANSWER_UNREADABLE)."""
        words = [_word(outcome) for outcome in answer.outcomes]
        if len(words) != rows or not set(words) <= set(OUTCOMES):
            said = f"metering did not say of each of {counted(rows, 'line')} what became of it"
            raise Refusal(Kind.INTERNAL, "ANSWER_UNREADABLE", said)
        self.outcomes.update(words)
        self.absorbed += answer.absorbed
        self.remarks += [
            Remark(remark.line, _word(remark.outcome), remark.reason, remark.message)
            for remark in answer.remarks
        ]
        self.revision = answer.revision


def import_(
    file: Annotated[
        Path,
        typer.Argument(help="CSV file, JSON lines or access log; .gz, too.", exists=True, dir_okay=False),
    ],
    *,
    format: Annotated[
        Form | None,
        typer.Option(
            help="How it is written. Else csv for .csv, jsonl for .jsonl, combined for other names."
        ),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who saw the accesses: the same line of the same source counts once. Else the file's name"
            " (without .gz); give it where files are renamed, as logs are when they rotate.",
        ),
    ] = "",
    robots: Annotated[
        Path | None,
        typer.Option(
            help="Of logs: robots as ai.robots.txt lists them, a JSON object by name. A line counts for the"
            " robot that its user agent names in full, by that name in lower case.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    by: Annotated[
        By | None,
        typer.Option(
            help="Of logs: bot counts lines for the robots they name and others for their addresses, client"
            " all for their addresses. Else bot with --robots."
        ),
    ] = None,
    only: Annotated[
        str,
        typer.Option(
            metavar="REGEX",
            help="Of logs: paths in which this is found are posts (^/posts/), other lines are passed over.",
        ),
    ] = "",
    kind: Annotated[
        str, typer.Option(help="Kind of the posts where a line has none: post, reply, quote, repost.")
    ] = "post",
    media: Annotated[
        list[str] | None,
        typer.Option(help="Media of the posts where a line has none: image, video, other. Repeatable."),
    ] = None,
    zone: Annotated[
        str,
        typer.Option(help="Zone of times without one (Europe/Berlin, +01:00). Else they are refused."),
    ] = "",
    bad_rows: Annotated[
        Path | None,
        typer.Option(
            "--bad-rows",
            help="Write every remark to this file, as CSV: line, outcome, reason, message.",
            dir_okay=False,
            writable=True,
        ),
    ] = None,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take over accesses seen elsewhere: from CSV, JSON lines, or combined access logs of Apache and nginx.

    Columns, or fields of each JSON object: party, time (2026-01-31T12:00:00Z) and access (request, view,
    access), and, optionally, source, id (the line itself where there is none), kind, media (image, video,
    other; separated by |), posts (else 1) and reservation (the one in the receipt that the access shows).

    A line of a log is one post: GET answered with 2xx is an access, anything else a request. An address is a
    party by its letters, with - for a colon.

    Each access counts once, at its own time, in any order and however late, and never against an allowance.
    The same lines again change nothing. Exits with 1 when a line was rejected or is in conflict with what
    was counted.
    """
    form = format or form_of(file)
    defaults = _defaults(source or uncompressed_name(file), kind, media or [], zone)
    log = _log(defaults, form, robots, by, only)
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    tally = connections.run(lambda connections: import_accesses(connections, file, form, log))
    conclude(tally, log.passed_over, bad_rows, as_json=as_json)


async def import_accesses(connections: Connections, file: Path, form: Form, log: LogAccesses) -> Tally:
    """Imports a file; raises Refusal and OSError (what was answered before stays counted)."""
    tally = Tally()
    with progress_through(file) as on_progress:
        chunks = read_accesses(file, form, log)
        await deliver_chunks(chunks, destination(connections), tally, on_progress)
    tally.remarks.sort(key=lambda remark: remark.line)
    return tally


def destination(connections: Connections) -> Destination[SeenAccess]:
    """The stream of an import."""
    peer = connections.peer("metering")

    def to_request(rows: Rows[SeenAccess]) -> pb.ReportAccessesRequest:
        return pb.ReportAccessesRequest(
            request_id=connections.new_id(),
            rows=[pb.ReportAccessesRequest.Row(line=line, access=access) for line, access in rows],
        )

    return Destination(to_request, lambda: peer.open(UsageServiceStub(peer.channel).ReportAccesses))


def conclude(tally: Tally, passed_over: int, bad_rows: Path | None, *, as_json: bool) -> None:
    """Says what became of the file, and exits: with 1 when a line is not counted as it stands there."""
    if bad_rows is not None:
        write_remarks(bad_rows, tally.remarks)
    if as_json:
        give_json(_plain(tally, passed_over))
    else:
        report(tally, passed_over, bad_rows)
    raise typer.Exit(0 if tally.is_clean else 1)


def write_remarks(path: Path, remarks: Iterable[Remark]) -> None:
    """All of them, as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "outcome", "reason", "message"))
        writer.writerows(_cells(remark) for remark in remarks)


def report(tally: Tally, passed_over: int, bad_rows: Path | None) -> None:
    """Says to people what became of the file."""
    accepted = counted(tally.outcomes["accepted"], "access", "accesses")
    others = ", ".join(f"{tally.outcomes[word]:,} {word}" for word in OUTCOMES[1:])
    say(f"{accepted} accepted, {others}.")
    if tally.absorbed:
        say(f"Receipts absorbed {counted(tally.absorbed, 'post')} of them.")
    if passed_over:
        say(f"{counted(passed_over, 'line')} of other paths passed over.")
    if tally.remarks:
        listed = [_cells(remark) for remark in tally.remarks[:LISTED_BAD_ROWS]]
        show(table((">line", "outcome", "reason", "message"), listed))
    if len(tally.remarks) > LISTED_BAD_ROWS:
        where = f"{bad_rows} lists them all" if bad_rows else "--bad-rows FILE lists them all"
        note(f"... and {len(tally.remarks) - LISTED_BAD_ROWS:,} more remarks; {where}.")


def _defaults(source: str, kind: str, media: list[str], zone: str) -> Defaults:
    try:
        number_of(ContentKind.DESCRIPTOR, kind.lower())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    try:
        flags = read_media(media)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--media") from None
    try:
        return Defaults(source, kind.lower(), flags, zone_of(zone) if zone else None)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from None


def _log(defaults: Defaults, form: Form, robots: Path | None, by: By | None, only: str) -> LogAccesses:
    given = {"--robots": robots, "--by": by, "--only": only}
    if form is not Form.COMBINED and (stray := [name for name, value in given.items() if value]):
        raise typer.BadParameter(f"it goes with access logs, and this is {form}", param_hint=stray[0])
    if by is By.BOT and robots is None:
        raise typer.BadParameter("bot needs --robots FILE", param_hint="--by")
    try:
        pattern = re.compile(only) if only else None
    except re.error as error:
        raise typer.BadParameter(f"this is no regular expression: {error}", param_hint="--only") from None
    known = read_robots(robots) if robots and by is not By.CLIENT else None
    return LogAccesses(defaults, known, pattern)


def _plain(tally: Tally, passed_over: int) -> dict[str, Any]:
    return {
        **{word: tally.outcomes[word] for word in OUTCOMES},
        "absorbed_posts": tally.absorbed,
        "passed_over": passed_over,
        "remarks": [vars(remark) for remark in tally.remarks],
        "revision": plain(tally.revision) if tally.revision is not None else None,
    }


def _cells(remark: Remark) -> tuple[int, str, str, str]:
    return remark.line, remark.outcome, remark.reason, remark.message


def _word(outcome: int) -> str:
    return word_of(pb.ReportOutcome.DESCRIPTOR, outcome)
