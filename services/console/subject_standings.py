"""`sluice subjects standing`: whether posts of a subject may go, to whom and for what, and why."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import complete, word_of
from services.console.output import give_json, say, show, table
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.policy_pb2 import Regime
from sluice.consent.v1.reason_pb2 import ConsentReason
from sluice.consent.v1.standing_pb2 import GetStandingRequest, GetStandingResponse, PurposeStanding
from sluice.type.v1.purpose_pb2 import Purpose

HEADINGS = ("licensee", "purpose", "answer", "because of", "regime", ">record")
ANYONE = "(any other)"
"""No licensee can be called that."""


def standing(
    subject: options.SubjectId,
    *,
    licensee: Annotated[
        list[str] | None,
        typer.Option(help="One to answer for, beside those that choices and halts name. Repeatable."),
    ] = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Say whether posts of a subject may go, to each licensee for each purpose, and what decides that.

    Of a post that embeds nothing and of which nothing is on record, under a license that covers everything;
    `choices explain` looks at one post and license. Exits with 0 whatever the answer is.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    # Named twice by mistake, a licensee is answered for once.
    request = GetStandingRequest(subject_id=subject, licensee_ids=dict.fromkeys(licensee or ()))
    answer = connections.run(lambda connections: get_standing(connections, request))
    if as_json:
        give_json(complete(answer))
        return
    show(table(HEADINGS, standing_rows(answer)))
    policy = f"policy version {answer.policy_version}" if answer.policy_version else "no policy"
    revision = answer.revision.number
    say(f"As of {clock_face(answer.as_of)}, under {policy}; read up to revision {revision:,}.")


async def get_standing(connections: Connections, request: GetStandingRequest) -> GetStandingResponse:
    """Raises Refusal."""
    peer = connections.peer("consent")
    return await peer.call(ConsentServiceStub(peer.channel).GetStanding, request)


def standing_rows(answer: GetStandingResponse) -> Iterator[tuple[Any, ...]]:
    """Rows of the table: those that are named first, then anyone else."""
    for each in answer.licensees:
        yield from _rows(each.licensee_id, each.purposes)
    yield from _rows(ANYONE, answer.anyone)


def _rows(licensee: str, purposes: Sequence[PurposeStanding]) -> Iterator[tuple[Any, ...]]:
    for told in purposes:
        yield (
            licensee,
            word_of(Purpose.DESCRIPTOR, told.purpose),
            word_of(ConsentReason.DESCRIPTOR, told.reason),
            _because_of(told),
            word_of(Regime.DESCRIPTOR, told.regime) if told.regime else "",
            told.record_revision or "",
        )


def _because_of(told: PurposeStanding) -> str:
    choice = "a choice" if told.by_choice else ""
    needed = word_of(Purpose.DESCRIPTOR, told.denied_by_purpose) if told.denied_by_purpose else ""
    return " on ".join(filter(None, (choice, needed)))
