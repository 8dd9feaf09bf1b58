"""`sluice usage import`: accesses that were seen elsewhere than at the gate (M7)."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from services.chassis.refusals import Kind, Refusal
from services.console import options
from services.console import usage_import_options as given
from services.console.access_files import Form, LogAccesses, form_of, read_accesses, uncompressed_name
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.imports import LISTED_BAD_ROWS, Destination, Rows, deliver_chunks, progress_through
from services.console.names import plain, word_of
from services.console.output import counted, give_json, note, say, show, table
from services.console.rows import BadRow
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import SeenAccess
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.revision_pb2 import Revision

_FORM_WORDS = {
    Form.CSV: "one of CSV",
    Form.JSONL: "a JSON object",
    Form.COMBINED: "one of a combined access log",
}

OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")
"""Words of all that can become of a line."""


@dataclass(frozen=True)
class Remark:
    """Something to say of a line."""

    line: int
    outcome: str
    """Its word."""
    reason: str
    """UPPER_SNAKE."""
    message: str
    displaced: dict[str, Any] | None = None
    """The access whose place under a receipt the line has taken, where that is what is said."""


@dataclass
class Tally:
    """What became of a file."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Lines by the outcome's word."""
    absorbed: int = 0
    """Posts that were counted with the receipt that they show."""
    displaced: int = 0
    """Accesses reported before that are counted from now on, for others came earlier under their receipts."""
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
        self.displaced += answer.displaced_count
        self.remarks += [_remark(remark) for remark in answer.remarks]
        self.revision = answer.revision


def import_(
    file: given.File,
    *,
    format: given.Format = None,
    source: given.Source = "",
    robots: given.RobotsFile = None,
    by: given.CountBy = None,
    only: given.Only = "",
    kind: given.Kind = "post",
    media: given.Media = None,
    zone: given.Zone = "",
    bad_rows: given.Remarks = None,
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
    defaults = given.defaults(source or uncompressed_name(file), kind, media or [], zone)
    log = given.log_of(defaults, form, robots, by, only)
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    tally = connections.run(lambda connections: import_accesses(connections, file, form, log))
    if said := unread(tally, file, form, log.passed_over):
        note(said)
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


def unread(tally: Tally, file: Path, form: Form, passed_over: int) -> str:
    """What to say beside the answer of a file that held no access at all; empty where it did."""
    if not passed_over and not tally.outcomes.total():
        return f"{file.name} holds no access."
    malformed = sum(remark.reason == "ROW_MALFORMED" for remark in tally.remarks)
    if malformed and malformed == tally.outcomes.total() and not passed_over:
        what = _FORM_WORDS[form]
        return f"No line of {file.name} could be read as {what}. --format says how a file is written."
    return ""


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
    if tally.displaced:
        were = "an access that was" if tally.displaced == 1 else f"{tally.displaced:,} accesses that were"
        say(f"They took the place of {were} absorbed before, and counted from now on.")
    if passed_over:
        say(f"{counted(passed_over, 'line')} of other paths passed over.")
    if tally.remarks:
        listed = [_cells(remark) for remark in tally.remarks[:LISTED_BAD_ROWS]]
        show(table((">line", "outcome", "reason", "message"), listed))
    if len(tally.remarks) > LISTED_BAD_ROWS:
        where = f"{bad_rows} lists them all" if bad_rows else "--bad-rows FILE lists them all"
        note(f"... and {len(tally.remarks) - LISTED_BAD_ROWS:,} more remarks; {where}.")


def _plain(tally: Tally, passed_over: int) -> dict[str, Any]:
    return {
        **{word: tally.outcomes[word] for word in OUTCOMES},
        "absorbed_posts": tally.absorbed,
        "displaced": tally.displaced,
        "passed_over": passed_over,
        "remarks": [vars(remark) for remark in tally.remarks],
        "revision": plain(tally.revision) if tally.revision is not None else None,
    }


def _cells(remark: Remark) -> tuple[int, str, str, str]:
    return remark.line, remark.outcome, remark.reason, remark.message


def _remark(remark: pb.ReportRemark) -> Remark:
    displaced = plain(remark.displaced) if remark.HasField("displaced") else None
    return Remark(remark.line, _word(remark.outcome), remark.reason, remark.message, displaced)


def _word(outcome: int) -> str:
    return word_of(pb.ReportOutcome.DESCRIPTOR, outcome)
