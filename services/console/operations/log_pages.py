"""The log of receipts: how far it is published, how it is checked, and proofs that it only grew (R2, R5)."""

import base64
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from services.console.operations.ages import span
from services.console.operations.counting import count
from services.console.operations.decision import file_of
from services.console.operations.log_parts import NONE_YET, checkpoint, log_standing, of_log
from services.console.stats import By
from services.console.web.asking import Missing, together
from services.console.web.page import SignedIn, page_of, shown
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub

router = APIRouter()
RESTORES = 20
_SIZE = re.compile(r"[1-9][0-9]{0,18}")
NO_SUCH_SIZES = frozenset({"CONSISTENCY_OUT_OF_RANGE", NONE_YET})
Size = Annotated[str, Query(max_length=30)]


@router.get("/log")
async def log(
    request: Request, session: SignedIn, page: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """The newest checkpoint, and the restores that were accepted."""
    licensing, now_us = page_of(request).services.peer("licensing"), page_of(request).clock.now_us()
    parts = await together(
        log=of_log(log_standing(licensing, now_us)),
        last=_last_receipt(licensing, now_us),
        restores=_restores(licensing, page),
    )
    last = None if isinstance(parts["last"], Missing) else parts["last"]
    return shown(request, "log.html", **{**parts, "last": last}, page_token=page, span=span)


@router.get("/log/checkpoint")
async def note(request: Request, session: SignedIn) -> Response:
    """The checkpoint as a signed note, to keep."""
    found = await checkpoint(page_of(request).services.peer("licensing"))
    return file_of(found.note, f"checkpoint-{found.size}.txt")


@router.get("/log/consistency")
async def consistency(
    request: Request, session: SignedIn, first: Size = "", second: Size = "", form: str = ""
) -> Response:
    """The proof that the log of `second` receipts begins with that of `first`; `form` "file" is to keep."""
    sizes = sizes_of(first, second)
    proof = await _grown(page_of(request).services.peer("licensing"), *sizes) if sizes else None
    if proof and form == "file":
        return file_of(hashes_of(proof).encode(), f"consistency-{proof.first}-{proof.second}.txt")
    given: dict[str, Any] = {"first": first, "second": second, "is_number": sizes is not None}
    hashes = hashes_of(proof) if proof else ""
    return shown(request, "consistency.html", 200 if proof else 400, proof=proof, hashes=hashes, **given)


def sizes_of(first: str, second: str) -> tuple[int, int] | None:
    """Two sizes, 0 for an empty second one, which is the newest; None where they are no such numbers."""
    first, second = first.strip(), second.strip()
    if not _SIZE.fullmatch(first) or (second and not _SIZE.fullmatch(second)):
        return None
    sizes = int(first), int(second or 0)
    return sizes if max(sizes) < 2**63 else None


def hashes_of(proof: pb.GetConsistencyProofResponse) -> str:
    """The hashes in base64, one a line."""
    return "".join(f"{base64.b64encode(each).decode()}\n" for each in proof.hashes)


async def _grown(licensing: Peer, first: int, second: int) -> pb.GetConsistencyProofResponse | None:
    """None where the log has no such sizes."""
    request = pb.GetConsistencyProofRequest(first=first, second=second)
    try:
        return await licensing.call(LogServiceStub(licensing.channel).GetConsistencyProof, request)
    except Refusal as refusal:
        if refusal.reason not in NO_SUCH_SIZES:
            raise
        return None


async def _restores(licensing: Peer, token: str) -> pb.ListRestoresResponse:
    request = pb.ListRestoresRequest(page_size=RESTORES, page_token=token)
    return await licensing.call(LogServiceStub(licensing.channel).ListRestores, request)


async def _last_receipt(licensing: Peer, now_us: int) -> int:
    return (await count(licensing, By.MINUTE, now_us, now_us + 1)).as_of
