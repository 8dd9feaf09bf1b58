"""One decision: what was decided and why, its receipt, its place in the log, and what each service did."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import not_found
from services.console.operations.decision_wishes import is_id
from services.console.operations.decisions import WORDS
from services.console.operations.log_parts import inclusion, of_log
from services.console.operations.receipt_claims import asked_in, claims_of
from services.console.operations.tracing import SCALE, Traces
from services.console.operations.words_decisions import DELIVERIES, VERDICTS
from services.console.web.asking import together
from services.console.web.page import SignedIn, page_of, shown
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice_gate.verifying.proof_files import proof_file

POSTS = 200
"""Posts on a page; a decision has 10,000 at most."""
MOST_POSTS = 10_000
TABLES = {**WORDS, "VERDICTS": VERDICTS, "DELIVERIES": DELIVERIES, "SCALE": SCALE}
"""What the template says numbers with."""


@dataclass(frozen=True)
class Answer:
    """What was answered for one post."""

    place: int
    """In the request, from 1."""
    verdict: int
    reason: int
    """0 where it is not told."""


def answers(decision: pb.Decision, begin: int, count: int = POSTS) -> list[Answer]:
    """The answers to `count` posts from place `begin`, counted from 0, on."""
    verdicts, reasons = decision.verdicts, decision.reasons or bytes(len(decision.verdicts))
    end = min(begin + count, len(verdicts))
    return [Answer(place + 1, verdicts[place], reasons[place]) for place in range(begin, end)]


def counts(decision: pb.Decision) -> list[tuple[tuple[int, int], int]]:
    """Posts by verdict and reason, the commonest first."""
    reasons = decision.reasons or bytes(len(decision.verdicts))
    return Counter(zip(decision.verdicts, reasons, strict=True)).most_common()


def showing(traces: Traces) -> APIRouter:
    """The routes; `traces` is where those of decisions are."""
    router = APIRouter()

    @router.get("/decisions/{decision_id}")
    async def one(
        request: Request,
        session: SignedIn,
        decision_id: str,
        begin: Annotated[int, Query(alias="from", ge=0, lt=MOST_POSTS)] = 0,
    ) -> Response:
        licensing, now_us = page_of(request).services.peer("licensing"), page_of(request).clock.now_us()
        found = await _decision(licensing, decision_id)
        parts = await together(
            proof=of_log(inclusion(licensing, found.decision_id)), trace=traces.look(found, now_us)
        )
        claims = claims_of(found.receipt)
        told = {"found": found, "claims": claims, "asked": asked_in(claims), "counts": counts(found)}
        places = {"answers": answers(found, begin), "begin": begin, "step": POSTS}
        return shown(request, "decision.html", 200, **told, **places, **TABLES, **parts)

    @router.get("/decisions/{decision_id}/receipt")
    async def receipt(request: Request, session: SignedIn, decision_id: str) -> Response:
        found = await _decision(page_of(request).services.peer("licensing"), decision_id)
        return file_of(f"{found.receipt}\n".encode(), f"{found.decision_id}.receipt")

    @router.get("/decisions/{decision_id}/proof")
    async def proof(request: Request, session: SignedIn, decision_id: str) -> Response:
        found = await inclusion(page_of(request).services.peer("licensing"), known_form(decision_id))
        content = proof_file(found.receipt_number - 1, found.hashes, found.checkpoint.note)
        return file_of(content, f"{found.decision_id}.proof")

    return router


def file_of(content: bytes, name: str) -> Response:
    """A text to keep; `name` is made of letters, digits, points and hyphens."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/plain; charset=utf-8", headers=headers)


def known_form(decision_id: str) -> str:
    """The id; raises Refusal (not found, DECISION_UNKNOWN) for what is the id of nothing."""
    if not is_id(decision_id):
        raise not_found("DECISION_UNKNOWN", "there is no such decision")
    return decision_id


async def _decision(licensing: Peer, decision_id: str) -> pb.Decision:
    request = pb.GetDecisionRequest(decision_id=known_form(decision_id))
    return (await licensing.call(ReleaseServiceStub(licensing.channel).GetDecision, request)).decision
