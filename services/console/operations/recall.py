"""One recall: how it stands, how it ended, how it was announced, and what is to be deleted (W2, W3)."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import not_found
from services.console.bill_files import safe_cell
from services.console.operations.decision_wishes import is_id
from services.console.operations.recalls import TABLES
from services.console.recall_files import COLUMNS, post_ids, rows_of
from services.console.web.asking import together
from services.console.web.downloads import Given
from services.console.web.page import SignedIn, page_of, shown
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1 import webhook_service_pb2 as webhooks
from sluice.licensing.v1.recall_pb2 import Recall, RecallEntry
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from sluice.licensing.v1.webhook_service_pb2_grpc import WebhookServiceStub

router = APIRouter()
ENTRIES = 20
MOST_LINES, MOST_POSTS = 200, 10
"""Releases on a page, and posts of each that are named; all are in the file."""
IN_FILE = 500
"""Entries that are asked for at once for a file."""


@dataclass(frozen=True)
class Line:
    """Posts of one release that one withdrawal takes back."""

    withdrawal_id: str
    decision_id: str
    license_id: str
    posts: int
    first_ids: Sequence[int]


@router.get("/recalls/{id}")
async def recall(
    request: Request, session: SignedIn, id: str, page: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """It as it stands, and a page of what is to be deleted: no subject and no cause (W2)."""
    licensing, now_us = page_of(request).services.peer("licensing"), page_of(request).clock.now_us()
    found = await _recall(licensing, id)
    parts = await together(
        entries=_entries(licensing, id, ENTRIES, page), webhook=_webhook(licensing, found.licensee_id)
    )
    listed = lines(parts["entries"].entries) if parts["entries"] else []
    told: dict[str, Any] = {"lines": listed[:MOST_LINES], "more": len(listed) - MOST_LINES}
    return shown(request, "recall.html", found=found, now_us=now_us, token=page, **told, **parts, **TABLES)


@router.get("/recalls/{id}/posts.csv")
async def posts(request: Request, session: SignedIn, id: str) -> Response:
    """All posts of it, a row each, for as long as it takes."""
    page = page_of(request)
    licensing = page.services.for_files("licensing")
    found = await _recall(licensing, id)
    # Before the answer begins, so that what refuses it is a page.
    first = await _entries(licensing, id, IN_FILE, "")
    name = f"recall-{found.licensee_id}-{found.number}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Given(page.downloads, session, _rows(licensing, id, first), "text/csv", headers)


def lines(entries: Sequence[RecallEntry]) -> list[Line]:
    """A line a release of each withdrawal."""
    return [
        Line(
            entry.withdrawal_id,
            release.decision_id,
            release.license_id,
            len(ids := post_ids(release)),
            ids[:MOST_POSTS],
        )
        for entry in entries
        for release in entry.releases
    ]


async def _rows(licensing: Peer, recall_id: str, page: pb.ListRecallEntriesResponse) -> AsyncIterator[bytes]:
    """The file from its first page on.

    Where licensing stops answering the connection breaks off: half a list would leave posts undeleted.
    """
    yield written([COLUMNS])
    while True:
        rows = rows_of(page.entries)
        yield written([(*ids, safe_cell(license_id), post_id) for *ids, license_id, post_id in rows])
        if not page.next_page_token:
            return
        page = await _entries(licensing, recall_id, IN_FILE, page.next_page_token)


def written(rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as RFC 4180 has them."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def _recall(licensing: Peer, recall_id: str) -> Recall:
    """Raises Refusal (not found, RECALL_UNKNOWN)."""
    if not is_id(recall_id):
        raise not_found("RECALL_UNKNOWN", "there is no such recall")
    stub = RecallServiceStub(licensing.channel)
    return (await licensing.call(stub.GetRecall, pb.GetRecallRequest(recall_id=recall_id))).recall


async def _entries(licensing: Peer, recall_id: str, size: int, token: str) -> pb.ListRecallEntriesResponse:
    request = pb.ListRecallEntriesRequest(recall_id=recall_id, page_size=size, page_token=token)
    return await licensing.call(RecallServiceStub(licensing.channel).ListRecallEntries, request)


async def _webhook(licensing: Peer, licensee_id: str) -> webhooks.ListRecallWebhooksResponse:
    """That of the licensee, if there is one."""
    request = webhooks.ListRecallWebhooksRequest(licensee_id=licensee_id, page_size=1)
    return await licensing.call(WebhookServiceStub(licensing.channel).ListRecallWebhooks, request)
