"""`sluice subjects import`: what consent knows about accounts beside their choices."""

import contextlib
from pathlib import Path

import typer

from services.console import options
from services.console.cells import an_id, digest, listed, moment, word
from services.console.columns import Columns
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.imports import Destination, Rows, Totals, conclude, import_file
from services.console.pages import Calls
from services.console.rows import read_chunks
from sluice.consent.v1 import consent_service_pb2 as consent
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.subject_pb2 import Subject, SubjectState

IMPORT_DEADLINE_US = 60_000_000
"""For one page; consent holds imports back to the pace of its index."""
COLUMNS = ("subject_id", "jurisdiction", "states", "notice")
OPTIONAL = ("withheld", "as_of")
FORM = Columns(COLUMNS + OPTIONAL, OPTIONAL)

app = typer.Typer(help="Subjects: the accounts whose posts are asked for.", no_args_is_help=True)


@app.command("import")
def import_(
    file: options.ImportFile,
    *,
    bad_rows: options.BadRows = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take over subjects from a CSV or Parquet file.

    Columns: subject_id, jurisdiction (DE, US-CA), states (minor, deactivated, suspended, deleted, protected;
    separated by |), notice (SHA-256 of the notices served, in hex; separated by |) and, optionally, withheld
    (countries in which everything of the subject is withheld; separated by |) and as_of (when this was so,
    2026-01-31T12:00:00Z; empty for now: give it where changes of state are imported too). In Parquet ids may
    be integers, times timestamps, digests bytes, and what | separates lists. Each row replaces what was known
    of the subject, but a notice stays served. The same rows again change nothing; only those without as_of
    are of now each time. Exits with 1 when a row was refused.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    totals = connections.run(lambda connections: import_subjects(connections, file))
    conclude(totals, "subject", bad_rows, as_json=as_json)


async def import_subjects(connections: Connections, file: Path) -> Totals:
    """Imports a file; raises Refusal and OSError."""
    return await import_file(file, read_chunks(file, FORM, read_subject), destination(connections))


def destination(connections: Connections) -> Destination[Subject]:
    """A call for each page of an import."""
    peer = connections.peer("consent")

    def to_request(rows: Rows[Subject]) -> consent.ImportSubjectsRequest:
        return consent.ImportSubjectsRequest(
            request_id=connections.new_id(),
            rows=[consent.ImportSubjectsRequest.Row(line=line, subject=subject) for line, subject in rows],
        )

    async def call(request: consent.ImportSubjectsRequest) -> consent.ImportSubjectsResponse:
        stub = ConsentServiceStub(peer.channel)
        return await peer.call(stub.ImportSubjects, request, at_most_us=IMPORT_DEADLINE_US)

    return Destination(to_request, lambda: contextlib.nullcontext(Calls(call)))


def read_subject(row: dict[str, str]) -> Subject:
    """One row of the file; raises ValueError."""
    return Subject(
        subject_id=an_id("subject_id", row["subject_id"]),
        jurisdiction=row["jurisdiction"].strip(),
        states=[word("states", SubjectState.DESCRIPTOR, state) for state in listed(row["states"])],
        notice_digests=[digest("notice", text) for text in listed(row["notice"])],
        withheld_countries=listed(row["withheld"]),
        as_of=moment("as_of", row["as_of"]),
    )
