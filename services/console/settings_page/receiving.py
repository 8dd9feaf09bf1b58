"""Who received a subject's posts (W4): licensing is asked, of the subject themselves and of nobody else.

What a release held of them is proved by files that need no server to be checked (R4).
"""

from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from services.chassis.refusals import Refusal
from services.console.recall_files import post_ids
from services.console.settings_page import words_records
from services.console.settings_page.whose import OwnSubject, PageToken
from services.console.web import words
from services.console.web.asking import together
from services.console.web.page import page_of, shown
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1 import manifest_service_pb2
from sluice.licensing.v1.disclosure_service_pb2_grpc import DisclosureServiceStub
from sluice.licensing.v1.manifest_proof_pb2 import ManifestProof
from sluice.licensing.v1.manifest_service_pb2_grpc import ManifestServiceStub
from sluice_gate.verifying.manifest_proofs import manifest_proof_file, manifest_proof_of

PAGE = 20
"""Releases."""
SHOWN_IDS = 20
"""Ids of posts on the page, of each release; all are in a file."""

router = APIRouter()


@router.get("/received")
async def received(request: Request, subject_id: OwnSubject, token: PageToken) -> HTMLResponse:
    """The sums, and the releases with the newest first."""
    parts: dict[str, Awaitable[Any]] = {"listed": _listed(request, subject_id, token)}
    if not token:
        parts["added"] = _added(request, subject_id)
    found = {"added": None, **await together(**parts)}
    status = 200 if found["listed"] else 503
    told = {"words": words, "recalls": words_records.RECALLS, "post_ids": post_ids, "shown_ids": SHOWN_IDS}
    return shown(request, "received.html", status, token=token, **found, **told)


@router.get("/received/{decision_id}/receipt")
async def receipt(request: Request, subject_id: OwnSubject, decision_id: str) -> Response:
    """The receipt of a release that held something of theirs, as a compact JWS."""
    proof = await _proof(request, subject_id, decision_id)
    return _file(proof.receipt.encode(), "application/jose", f"{proof.decision_id}.jws")


@router.get("/received/{decision_id}/proof")
async def proof(request: Request, subject_id: OwnSubject, decision_id: str) -> Response:
    """What it held of theirs, as `sluice subjects verify-proof` takes it."""
    proof = await _proof(request, subject_id, decision_id)
    content = manifest_proof_file(manifest_proof_of(proof))
    return _file(content, "application/json", f"{proof.decision_id}.manifest-proof")


@router.get("/received/{decision_id}/posts")
async def posts(request: Request, subject_id: OwnSubject, decision_id: str) -> Response:
    """The ids of these posts, one a line."""
    proof = await _proof(request, subject_id, decision_id)
    content = "".join(f"{id}\n" for id in proof.leaf.post_ids)
    return _file(content.encode(), "text/plain", f"{proof.decision_id}-posts.txt")


async def _listed(request: Request, subject_id: int, token: str) -> pb.ListSubjectReleasesResponse:
    peer = page_of(request).services.peer("licensing")
    asked = pb.ListSubjectReleasesRequest(subject_id=subject_id, page_size=PAGE, page_token=token)
    return await peer.call(DisclosureServiceStub(peer.channel).ListSubjectReleases, asked)


async def _added(request: Request, subject_id: int) -> pb.GetSubjectSummaryResponse | None:
    """The sums; None of somebody with so many releases that they are listed alone. Raises Refusal."""
    peer = page_of(request).services.peer("licensing")
    asked = pb.GetSubjectSummaryRequest(subject_id=subject_id)
    try:
        return await peer.call(DisclosureServiceStub(peer.channel).GetSubjectSummary, asked)
    except Refusal as refusal:
        if refusal.reason != "SUBJECT_RELEASES_TOO_MANY":
            raise
        return None


async def _proof(request: Request, subject_id: int, decision_id: str) -> ManifestProof:
    peer = page_of(request).services.peer("licensing")
    asked = manifest_service_pb2.GetManifestProofRequest(decision_id=decision_id, subject_id=subject_id)
    return (await peer.call(ManifestServiceStub(peer.channel).GetManifestProof, asked)).proof


def _file(content: bytes, media_type: str, name: str) -> Response:
    """A file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
