"""`sluice choices show`, `history` and `explain`: what a subject chose, and what comes of it."""

from typing import Annotated, Any, cast

import typer

from services.console import options
from services.console.choice_rows import show_choices
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain, word_of
from services.console.output import counted, give_json, say, show, table
from sluice.consent.v1 import consent_service_pb2 as consent
from sluice.consent.v1.choice_pb2 import RecordedChoice
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.explanation_pb2 import (
    ExplainConsentRequest,
    ExplainConsentResponse,
    ExplanationStep,
)
from sluice.consent.v1.reason_pb2 import ConsentReason
from sluice.consent.v1.subject_pb2 import Subject, SubjectState
from sluice.type.v1.purpose_pb2 import Purpose

PAGE = 200


def show_one(
    subject: options.SubjectId,
    *,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a subject's choices that still matter, and what is known of them beside."""
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: get_choices(connections, subject))
    if as_json:
        give_json(plain(answer))
        return
    show(table(("field", "value"), _subject_rows(answer)))
    say("")
    if answer.choices:
        show_choices(answer.choices)
    else:
        say("No choices.")
    say(f"As of revision {answer.revision.number}.")


def history(
    subject: options.SubjectId,
    *,
    limit: Annotated[int | None, typer.Option(help="At most so many. Else all.", min=1)] = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List everything that a subject ever chose, newest first."""
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    choices = connections.run(lambda connections: list_history(connections, subject, limit))
    if as_json:
        give_json([plain(choice) for choice in choices])
    elif choices:
        show_choices(choices)
    else:
        say("No choices.")


def explain(
    subject: options.SubjectId,
    *,
    licensee: Annotated[str, typer.Option(help="The licensee that would receive a post.")],
    purpose: Annotated[str, typer.Option(help="What for, such as ai_training_generative.")],
    post: Annotated[
        int | None,
        typer.Option(
            metavar="ID", help="The post, to look at its own states too.", parser=options.post_number
        ),
    ] = None,
    jurisdiction: Annotated[
        list[str] | None, typer.Option(help="One that the license covers. Repeatable; else all.")
    ] = None,
    territory: Annotated[
        list[str] | None,
        typer.Option(
            help="A country of the license. Repeatable; else everywhere: what is withheld anywhere is denied."
        ),
    ] = None,
    as_of: Annotated[str, typer.Option(metavar="TIME", help="As it was known then. Else now.")] = "",
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Say why a post of a subject may go to a licensee or not: what was looked at, and which record decided.

    Times are like 2026-01-31T12:00:00Z. Exits with 0 whatever the answer is.
    """
    request = ExplainConsentRequest(
        subject_id=subject,
        post_id=post or 0,
        licensee_id=licensee,
        purpose=cast("Purpose", options.purpose_number(purpose)),
        author_jurisdictions=jurisdiction or [],
        territory=territory or [],
        as_of=options.moment(as_of, "--as-of"),
    )
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: explain_consent(connections, request))
    if as_json:
        give_json(plain(answer))
        return
    show(table(("rule", "purpose", "came to", "why", ">record"), [step_row(step) for step in answer.steps]))
    for sentence in conclusion(answer):
        say(sentence)


async def get_choices(connections: Connections, subject: int) -> consent.GetChoicesResponse:
    """Raises Refusal (SUBJECT_UNKNOWN, and others)."""
    peer = connections.peer("consent")
    request = consent.GetChoicesRequest(subject_id=subject)
    return await peer.call(ConsentServiceStub(peer.channel).GetChoices, request)


async def list_history(connections: Connections, subject: int, limit: int | None) -> list[RecordedChoice]:
    """At most `limit` choices, newest first, and no more pages than it takes; raises Refusal."""
    peer = connections.peer("consent")
    stub = ConsentServiceStub(peer.channel)
    choices: list[RecordedChoice] = []
    token = ""
    while True:
        size = PAGE if limit is None else min(PAGE, limit - len(choices))
        request = consent.ListChoiceHistoryRequest(subject_id=subject, page_size=size, page_token=token)
        page = await peer.call(stub.ListChoiceHistory, request)
        choices += page.choices
        token = page.next_page_token
        if not token or len(choices) == limit:
            return choices


async def explain_consent(connections: Connections, request: ExplainConsentRequest) -> ExplainConsentResponse:
    """Raises Refusal (AS_OF_IN_FUTURE, SUBJECT_ERASED, and others)."""
    peer = connections.peer("consent")
    return await peer.call(ConsentServiceStub(peer.channel).ExplainConsent, request)


def step_row(step: ExplanationStep) -> tuple[Any, ...]:
    """One row of the table of steps."""
    return (
        step.rule,
        word_of(Purpose.DESCRIPTOR, step.purpose) if step.purpose else "",
        word_of(ConsentReason.DESCRIPTOR, step.reason),
        step.message,
        step.record_revision or "",
    )


def conclusion(answer: ExplainConsentResponse) -> list[str]:
    """The answer in sentences."""
    reason = word_of(ConsentReason.DESCRIPTOR, answer.reason)
    decisive = answer.steps[-1].record_revision if answer.steps else 0
    by = f"the record of revision {decisive:,}" if decisive else "the absence of a record"
    policy = f"policy version {answer.policy_version}" if answer.policy_version else "no policy"
    return [
        f"{reason}: decided by {by}.",
        f"As of {clock_face(answer.as_of)}, under {policy}; read up to revision {answer.revision.number:,}.",
    ]


def _subject_rows(answer: consent.GetChoicesResponse) -> list[tuple[str, Any]]:
    if answer.HasField("subject"):
        return _facts(answer.subject)
    return [("subject", "erased: everything is denied, for good" if answer.erased else "not known yet")]


def _facts(subject: Subject) -> list[tuple[str, Any]]:
    states = [word_of(SubjectState.DESCRIPTOR, state) for state in subject.states]
    return [
        ("subject", str(subject.subject_id)),
        ("jurisdiction", subject.jurisdiction),
        ("states", ", ".join(states) or "none"),
        ("withheld in", ", ".join(subject.withheld_countries) or "no country"),
        ("notices served", counted(len(subject.notice_digests), "notice")),
    ]
