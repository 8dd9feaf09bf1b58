"""`sluice subjects export` and `erase`: the rights of a subject over what is on record about them (C11)."""

import enum
import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from services.chassis.refusals import Refusal, not_found
from services.console import options
from services.console.choice_queries import get_choices
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain, value_name, word_of
from services.console.output import counted, give_json, say
from sluice.consent.v1 import subject_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2 import GetChoicesResponse
from sluice.consent.v1.subject_pb2 import SubjectState
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub

OWNER_ONLY = 0o600


class Form(enum.StrEnum):
    """The forms of an export."""

    JSON = "json"
    DPV = "dpv"
    KANTARA = "kantara"


def export(
    subject: options.SubjectId,
    *,
    format: Annotated[
        Form,
        typer.Option(
            help="json: every record. dpv: consent records of ISO/IEC TS 27560 in JSON-LD."
            " kantara: a consent receipt of what is allowed now."
        ),
    ] = Form.JSON,
    out: Annotated[
        Path | None,
        typer.Option(help="Write to this file, for its owner alone. Else to stdout.", dir_okay=False),
    ] = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Give out everything on record about a subject.

    dpv and kantara name the platform, which the settings of consent must say (SLUICE_CONSENT_CONTROLLER_NAME
    and others); without, they are refused: CONTROLLER_UNKNOWN.
    """
    request = pb.ExportSubjectRequest(
        subject_id=subject, format=value_name(pb.ExportFormat.DESCRIPTOR, format.value)
    )
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    if out is None:
        connections.run(lambda connections: export_subject(connections, request, sys.stdout.buffer))
        return
    first = connections.run(lambda connections: export_to_file(connections, request, out))
    if as_json:
        give_json({"out": str(out), **plain(first)})
    else:
        say(f"Wrote {out} ({first.media_type}), as of revision {first.revision.number}.")


def erase(
    subject: options.SubjectId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    is_never_seen: Annotated[
        bool, typer.Option("--never-seen", help="Of somebody of whom nothing is on record, too.")
    ] = False,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Erase what is on record about a subject, for good. A deny of everything remains.

    No later import brings the records back: a mistyped id is denied for good once its owner appears, so
    somebody of whom nothing is on record takes --never-seen. Says what is on record and asks; without a
    terminal it takes --yes.
    """
    given = {"consent": address}
    looking = Connections.open(state, token_file, OPERATOR, given)
    found = looking.run(lambda connections: find_records(connections, subject))
    if found is None and not is_never_seen:
        message = f"nothing is on record about subject {subject}; --never-seen erases them all the same"
        raise not_found("SUBJECT_UNKNOWN", message)
    if not yes:
        told = f"On record about subject {subject}: {in_words(found)}.\nErase everything, for good?"
        typer.confirm(told, abort=True, err=True)
    connections = Connections.open(state, token_file, OPERATOR, given)
    answer = connections.run(lambda connections: erase_subject(connections, subject))
    if as_json:
        give_json(plain(answer))
        return
    say(f"Erased at revision {answer.revision.number}, {clock_face(answer.erased_at)}.")
    say(f"In force everywhere after {clock_face(answer.in_force_after)}.")


async def export_subject(
    connections: Connections, request: pb.ExportSubjectRequest, out: BinaryIO
) -> pb.ExportSubjectResponse:
    """Writes the document; returns what is said of it, without a part. Raises Refusal and OSError."""
    peer = connections.peer("consent")
    first = pb.ExportSubjectResponse()
    async with peer.open(SubjectServiceStub(peer.channel).ExportSubject, request) as parts:
        async for part in parts:
            if part.media_type:
                first = pb.ExportSubjectResponse(media_type=part.media_type, revision=part.revision)
            out.write(part.part)
    # A text ends with the end of a line: whatever comes next on a terminal or in a file begins a new one.
    out.write(b"\n")
    out.flush()
    return first


async def export_to_file(
    connections: Connections, request: pb.ExportSubjectRequest, out: Path
) -> pb.ExportSubjectResponse:
    """`export_subject` into a file that is whole once it is there. Raises Refusal and OSError."""
    unfinished = out.with_name(f"{out.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(OWNER_ONLY)
        with unfinished.open("wb") as file:
            first = await export_subject(connections, request, file)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return first


async def find_records(connections: Connections, subject: int) -> GetChoicesResponse | None:
    """What is on record about a subject; None where nothing is. Raises Refusal."""
    try:
        return await get_choices(connections, subject)
    except Refusal as refusal:
        if refusal.reason != "SUBJECT_UNKNOWN":
            raise
        return None


def in_words(found: GetChoicesResponse | None) -> str:
    """What is on record, for somebody who is to tell whether it is the subject that they mean."""
    if found is None:
        return "nothing"
    if found.erased:
        return "that they were erased before"
    chosen = counted(len(found.choices), "choice that still matters", "choices that still matter")
    if not found.HasField("subject"):
        return f"{chosen}, of no account seen yet"
    states = [word_of(SubjectState.DESCRIPTOR, state) for state in found.subject.states]
    return ", ".join([f"an account in {found.subject.jurisdiction}", *states, chosen])


async def erase_subject(connections: Connections, subject: int) -> pb.EraseSubjectResponse:
    """Erases under a fresh id; raises Refusal."""
    peer = connections.peer("consent")
    request = pb.EraseSubjectRequest(request_id=connections.new_id(), subject_id=subject)
    return await peer.call(SubjectServiceStub(peer.channel).EraseSubject, request)
