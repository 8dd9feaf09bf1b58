"""`sluice choices`: what subjects say about the use of their posts."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.descriptor import EnumDescriptor

from services.chassis.refusals import invalid
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.imports import Rows, Totals, import_file, report
from services.console.moments import clock_face, read
from services.console.names import plain, value_name
from services.console.output import give_json, say
from services.console.rows import digest, in_column, read_chunks, subject_id
from sluice.consent.v1 import consent_service_pb2 as consent
from sluice.consent.v1.choice_pb2 import Choice, ChoiceMethod, Stance
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.type.v1.purpose_pb2 import Purpose

COLUMNS = ("subject_id", "stance", "licensee", "purpose", "stated_at", "notice_digest", "method")

app = typer.Typer(help="Choices: what subjects allow and deny.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)],
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take over choices from a CSV file.

    Columns: subject_id, stance (allow, deny), licensee (empty for everyone), purpose (empty for all),
    stated_at (2026-01-31T12:00:00Z), notice_digest (SHA-256 of the notice shown, in hex; an allow needs it)
    and method (settings, operator, import; empty for import). The same rows again change nothing. Exits with
    1 when a row was refused.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    totals = connections.run(lambda connections: import_choices(connections, file))
    report(totals, "choice", as_json=as_json)
    raise typer.Exit(1 if totals.bad else 0)


@app.command("record")
def record(
    subject: Annotated[str, typer.Argument(help="Id of the subject.")],
    stance: Annotated[str, typer.Argument(help="allow or deny.")],
    *,
    licensee: Annotated[str | None, typer.Option(help="For this licensee only. Else for everyone.")] = None,
    purpose: Annotated[str | None, typer.Option(help="For this purpose only. Else for all.")] = None,
    notice_digest: Annotated[
        str, typer.Option(help="SHA-256 of the notice that was shown, in hex; an allow needs it.")
    ] = "",
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Record one choice on a subject's behalf, and say from when on no earlier permit is valid any more."""
    row = {"subject_id": subject, "stance": stance, "licensee": licensee or "", "purpose": purpose or ""}
    try:
        choice = read_choice(row | {"stated_at": "", "notice_digest": notice_digest, "method": "operator"})
    except ValueError as error:
        raise invalid("CHOICE_MALFORMED", str(error)) from error
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: record_choice(connections, choice))
    if as_json:
        give_json(plain(answer))
        return
    say(f"Recorded at revision {answer.revision.number}, {clock_face(answer.stated_at)}.")
    say(f"In force everywhere after {clock_face(answer.in_force_after)}.")


async def import_choices(connections: Connections, file: Path) -> Totals:
    """Imports a file; raises Refusal and OSError."""
    chunks = read_chunks(file, COLUMNS, read_choice)
    return await import_file(file, chunks, lambda rows: send_choices(connections, rows))


async def send_choices(connections: Connections, rows: Rows[Choice]) -> consent.RecordChoicesResponse:
    """One request of an import, under a fresh id."""
    peer = connections.peer("consent")
    request = consent.RecordChoicesRequest(
        request_id=connections.new_id(),
        rows=[consent.RecordChoicesRequest.Row(line=line, choice=choice) for line, choice in rows],
    )
    stub = ConsentServiceStub(peer.channel)
    async with peer.open(stub.RecordChoices) as stream:
        await stream.send(request)
        return await stream.receive()


async def record_choice(connections: Connections, choice: Choice) -> consent.RecordChoiceResponse:
    """Records a choice under a fresh id; raises Refusal."""
    peer = connections.peer("consent")
    request = consent.RecordChoiceRequest(request_id=connections.new_id(), choice=choice)
    return await peer.call(ConsentServiceStub(peer.channel).RecordChoice, request)


def read_choice(row: dict[str, str]) -> Choice:
    """One row of the file; raises ValueError."""
    cells = {column: cell.strip() for column, cell in row.items()}
    choice = Choice(
        subject_id=subject_id(cells["subject_id"]),
        stance=_word("stance", Stance.DESCRIPTOR, cells["stance"]),
        method=_word("method", ChoiceMethod.DESCRIPTOR, cells["method"] or "import"),
        licensee_id=cells["licensee"] or None,
        everyone=None if cells["licensee"] else True,
        purpose=_word("purpose", Purpose.DESCRIPTOR, cells["purpose"]) if cells["purpose"] else None,
        all_purposes=None if cells["purpose"] else True,
    )
    if cells["notice_digest"]:
        choice.notice_digest = digest("notice_digest", cells["notice_digest"])
    if cells["stated_at"]:
        choice.stated_at.CopyFrom(in_column("stated_at", read, cells["stated_at"]))
    return choice


def _word(column: str, enum: EnumDescriptor, word: str) -> str:
    return in_column(column, lambda word: value_name(enum, word), word)
