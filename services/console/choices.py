"""`sluice choices import`, `record` and `signal`: what subjects say about the use of their posts."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import invalid
from services.console import options
from services.console.cells import an_id, digest, moment, word
from services.console.choice_rows import show_choices
from services.console.columns import Columns
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.imports import Destination, Rows, Totals, conclude, import_file
from services.console.known_licensees import Naming, look_up
from services.console.moments import clock_face
from services.console.names import plain
from services.console.output import give_json, note, say
from services.console.rows import read_chunks
from sluice.consent.v1 import consent_service_pb2 as consent
from sluice.consent.v1.choice_pb2 import Choice, ChoiceMethod, Stance
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.type.v1.purpose_pb2 import Purpose

COLUMNS = ("subject_id", "stance", "licensee", "purpose", "stated_at", "notice_digest", "method")
FORM = Columns(COLUMNS, optional=("method",))
EVERY_LICENSEE = ("everyone", "all")
EVERY_PURPOSE = ("all",)
"""Words that stand for no restriction, beside an empty cell; they are the ids of no licensee."""

app = typer.Typer(help="Choices: what subjects allow and deny.", no_args_is_help=True)


@app.command("import")
def import_(
    file: options.ImportFile,
    *,
    bad_rows: options.BadRows = None,
    address: options.Consent = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take over choices from a CSV or Parquet file.

    Columns: subject_id, stance (allow, deny), licensee (empty, or everyone, for every licensee), purpose
    (empty, or all, for every purpose), stated_at (2026-01-31T12:00:00Z; an allow needs it), notice_digest
    (SHA-256 of the notice shown, in hex; an allow needs it) and, optionally, method (settings, operator,
    import; empty for import). In Parquet ids may be integers, times timestamps and digests bytes. Earlier
    choices come first; the same rows again change nothing. Licensees that licensing does not know are listed
    at the end. Exits with 1 when a row was refused.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address, "licensing": licensing})
    totals, naming = connections.run(lambda connections: import_checked(connections, file))
    fields = {"unknown_licensees": naming.plain_unknown}
    conclude(totals, "choice", bad_rows, as_json=as_json, notes=naming.notes(), fields=fields)


@app.command("record")
def record(
    subject: Annotated[str, typer.Argument(help="Id of the subject.")],
    stance: Annotated[str, typer.Argument(help="allow or deny.")],
    *,
    licensee: Annotated[
        str | None, typer.Option(help="For this licensee only. Else, or with everyone, for everyone.")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option(help="For this purpose only. Else, or with all, for all.")
    ] = None,
    notice_digest: Annotated[
        str, typer.Option(help="SHA-256 of the notice that was shown, in hex; an allow needs it.")
    ] = "",
    is_to_come: Annotated[
        bool, typer.Option("--licensee-to-come", help="Allow a licensee that is yet to be created.")
    ] = False,
    address: options.Consent = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Record one choice on a subject's behalf, and say from when on no earlier permit is valid any more.

    An allow for a licensee that licensing does not know is refused; a deny is recorded, with a note.
    """
    row = {"subject_id": subject, "stance": stance, "licensee": licensee or "", "purpose": purpose or ""}
    try:
        choice = read_choice(row | {"stated_at": "", "notice_digest": notice_digest, "method": "operator"})
    except ValueError as error:
        raise invalid("CHOICE_MALFORMED", str(error)) from error
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address, "licensing": licensing})
    answer, naming = connections.run(
        lambda connections: record_checked(connections, choice, is_to_come=is_to_come)
    )
    if as_json:
        known = {"licensee_known": naming.is_known()} if choice.licensee_id else {}
        give_json(plain(answer) | known)
        return
    say(f"Recorded at revision {answer.revision.number}, {clock_face(answer.stated_at)}.")
    say(f"In force everywhere after {clock_face(answer.in_force_after)}.")
    for sentence in naming.notes():
        note(sentence)


@app.command("signal")
def signal(
    subject: options.SubjectId,
    *,
    source: Annotated[str, typer.Option(help='What sent it, such as "browser" or the host of a site.')],
    sec_gpc: Annotated[str, typer.Option(help='The Sec-GPC header; only "1" says something.')] = "",
    content_usage: Annotated[
        list[str] | None, typer.Option(help="A Content-Usage header, such as train-ai=n. Repeatable.")
    ] = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Record what a subject's browser or a site objects to (GPC, AIPREF), and show the denies that it makes.

    The same objection of the same source counts once; what is no objection changes nothing.
    """
    request = consent.RecordSignalsRequest(
        subject_id=subject, source=source, sec_gpc=sec_gpc, content_usage=content_usage or []
    )
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: record_signals(connections, request))
    if as_json:
        give_json(plain(answer))
    elif answer.recorded:
        show_choices(answer.recorded)
        say(f"In force everywhere after {clock_face(answer.in_force_after)}.")
    else:
        say("Nothing was recorded: it is no objection, or this source has sent it before.")


async def import_checked(connections: Connections, file: Path) -> tuple[Totals, Naming]:
    """`import_choices`, and what licensing says of the licensees that the file names."""
    named: set[str] = set()
    totals = await import_choices(connections, file, named.add)
    return totals, await look_up(connections, named)


async def import_choices(
    connections: Connections, file: Path, on_licensee: Callable[[str], object] = lambda _licensee: None
) -> Totals:
    """Imports a file; each row that names a licensee tells it. Raises Refusal and OSError."""

    def read(row: dict[str, str]) -> Choice:
        choice = read_choice(row)
        if choice.licensee_id:
            on_licensee(choice.licensee_id)
        return choice

    return await import_file(file, read_chunks(file, FORM, read), destination(connections))


def destination(connections: Connections) -> Destination[Choice]:
    """The stream of an import."""
    peer = connections.peer("consent")

    def to_request(rows: Rows[Choice]) -> consent.RecordChoicesRequest:
        return consent.RecordChoicesRequest(
            request_id=connections.new_id(),
            rows=[consent.RecordChoicesRequest.Row(line=line, choice=choice) for line, choice in rows],
        )

    return Destination(to_request, lambda: peer.open(ConsentServiceStub(peer.channel).RecordChoices))


async def record_checked(
    connections: Connections, choice: Choice, *, is_to_come: bool
) -> tuple[consent.RecordChoiceResponse, Naming]:
    """`record_choice`, and what licensing says of the licensee that it names.

    Raises Refusal LICENSEE_UNKNOWN for an allow of an unknown one that is not to come, and records nothing.
    """
    named = [choice.licensee_id] if choice.licensee_id else []
    if choice.stance == Stance.STANCE_DENY:
        # Asked afterwards: nothing may hold up a deny.
        answer = await record_choice(connections, choice)
        return answer, await look_up(connections, named)
    naming = await look_up(connections, named)
    if not is_to_come:
        naming.check_allow()
    return await record_choice(connections, choice), naming


async def record_choice(connections: Connections, choice: Choice) -> consent.RecordChoiceResponse:
    """Records a choice under a fresh id; raises Refusal."""
    peer = connections.peer("consent")
    request = consent.RecordChoiceRequest(request_id=connections.new_id(), choice=choice)
    return await peer.call(ConsentServiceStub(peer.channel).RecordChoice, request)


async def record_signals(
    connections: Connections, request: consent.RecordSignalsRequest
) -> consent.RecordSignalsResponse:
    """Records objections under a fresh id; raises Refusal."""
    peer = connections.peer("consent")
    request.request_id = connections.new_id()
    return await peer.call(ConsentServiceStub(peer.channel).RecordSignals, request)


def read_choice(row: dict[str, str]) -> Choice:
    """One row of the file; raises ValueError."""
    cells = {column: cell.strip() for column, cell in row.items()}
    # Taken for names, the words that tables print for the broad scope would bind nobody.
    licensee = "" if cells["licensee"].lower() in EVERY_LICENSEE else cells["licensee"]
    purpose = "" if cells["purpose"].lower() in EVERY_PURPOSE else cells["purpose"].lower()
    return Choice(
        subject_id=an_id("subject_id", cells["subject_id"]),
        stance=word("stance", Stance.DESCRIPTOR, cells["stance"].lower()),
        method=word("method", ChoiceMethod.DESCRIPTOR, cells["method"].lower() or "import"),
        licensee_id=licensee or None,
        everyone=None if licensee else True,
        purpose=word("purpose", Purpose.DESCRIPTOR, purpose) if purpose else None,
        all_purposes=None if purpose else True,
        notice_digest=digest("notice_digest", cells["notice_digest"]) if cells["notice_digest"] else None,
        stated_at=moment("stated_at", cells["stated_at"]),
    )
