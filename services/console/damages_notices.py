"""`sluice damages notice` and `notices`: what was sent to a party about an assessment."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from services.console import damages_options as asked
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import complete
from services.console.output import give_json, say, show, table
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.dispute_pb2 import DamagesNotice
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub

PAGE = 200


def notice(
    assessment_id: asked.AssessmentId,
    *,
    party: Annotated[str, typer.Option(metavar="ID", help="To whom it was sent.")],
    sent: Annotated[str, typer.Option(metavar="TIME", help="When it was sent (2026-01-31T12:00:00Z).")],
    how: Annotated[
        str, typer.Option(metavar="TEXT", help="How, such as the address or the courier's number.")
    ],
    file: Annotated[
        Path, typer.Option(help="What was sent: its SHA-256 goes on record.", exists=True, dir_okay=False)
    ],
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Put on record that a notice about an assessment was sent to a party. The letter itself stays here.

    Example: `sluice damages notice 019a0000-0000-7000-8000-000000000000 --party acme
    --sent 2026-03-01T09:00:00Z --how "Courier 4711" --file letter.pdf`
    """
    sent_at = options.moment(sent, "--sent")
    if sent_at is None:
        raise typer.BadParameter("a time is expected", param_hint="--sent")
    request = pb.RecordNoticeRequest(
        assessment_id=assessment_id,
        notice=DamagesNotice(party_id=party, sent_at=sent_at, how=how, digest=file_digest(file)),
    )
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    recorded = connections.run(lambda connections: record_notice(connections, request))
    if as_json:
        give_json(complete(recorded))
        return
    say(f"On record: sent to {recorded.party_id} at {clock_face(recorded.sent_at)}, {recorded.how}.")
    say(f"SHA-256 of {file.name}: {recorded.digest.hex()}")


def notices(
    assessment_id: asked.AssessmentId,
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the notices of an assessment, latest first.

    Example: `sluice damages notices 019a0000-0000-7000-8000-000000000000`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    found = connections.run(lambda connections: all_notices(connections, assessment_id))
    if as_json:
        give_json([complete(each) for each in found])
    elif found:
        columns = ("party", "sent at", "how", "=SHA-256", "recorded by")
        show(table(columns, [notice_row(each) for each in found]))
    else:
        say("No notice is on record.")


async def record_notice(connections: Connections, request: pb.RecordNoticeRequest) -> DamagesNotice:
    """Under a fresh request id; raises Refusal (PARTY_NOT_LIABLE, NOTICE_IN_THE_FUTURE, and others)."""
    peer = connections.peer("metering")
    request.request_id = connections.new_id()
    return (await peer.call(DisputeServiceStub(peer.channel).RecordNotice, request)).notice


async def all_notices(connections: Connections, assessment_id: str) -> list[DamagesNotice]:
    """Of an assessment, latest first; raises Refusal."""
    peer = connections.peer("metering")
    stub = DisputeServiceStub(peer.channel)
    found: list[DamagesNotice] = []
    token = ""
    while True:
        request = pb.ListNoticesRequest(assessment_id=assessment_id, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListNotices, request)
        found += page.notices
        token = page.next_page_token
        if not token:
            return found


def file_digest(path: Path) -> bytes:
    """SHA-256 of what is in a file; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def notice_row(notice: DamagesNotice) -> tuple[str, ...]:
    """One row of the table."""
    sent = (notice.party_id, clock_face(notice.sent_at), notice.how)
    return (*sent, notice.digest.hex(), notice.recorded_by)
