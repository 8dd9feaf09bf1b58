"""A subject's records as a file, passed on as consent gives them: nothing is kept here.

That there is nothing to give in a form is an answer too: a page that says why. Whatever else goes wrong is a
page of failure. A file that could not be given to its end breaks off, so that no browser takes
what it has for the whole.
"""

import asyncio
import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from services.chassis.deadlines import within
from services.chassis.refusals import Refusal, unavailable
from services.console.settings_page.whose import OwnSubject
from services.console.web.page import SignedIn, page_of, shown
from services.console.web.reading import msgid
from services.console.web.sessions import Session
from sluice.consent.v1 import subject_service_pb2 as pb
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub

FIRST_PART_SECONDS = 5.0
"""So long does a page wait for the first part; a browser that gets none shows nothing at all."""
AT_MOST_US = 120_000_000
"""So long may a file take, in microseconds."""
ENDINGS = {"application/json": "json", "application/ld+json": "jsonld"}
"""Of names of files, by media type."""


class Form(enum.StrEnum):
    """In which form."""

    JSON = "json"
    DPV = "dpv"
    KANTARA = "kantara"


_FORMATS: Mapping[Form, pb.ExportFormat] = {
    Form.JSON: pb.EXPORT_FORMAT_JSON,
    Form.DPV: pb.EXPORT_FORMAT_DPV,
    Form.KANTARA: pb.EXPORT_FORMAT_KANTARA,
}
WHY_NOT: Mapping[str, str] = {
    "NOTHING_ALLOWED": msgid(
        "A consent receipt says what you allow. You allow nothing at present: there is none."
    ),
    "SUBJECT_ERASED": msgid(
        "Your records were erased, and everything is denied. Only “All records” can say so."
    ),
    "SUBJECT_UNKNOWN": msgid("Nothing is on record about you. Only “All records” can say so."),
    "CONTROLLER_UNKNOWN": msgid(
        "This platform has not set up this form yet. “All records” has the same facts."
    ),
}
"""By reason of a refusal: what a reader is told."""


def giving(*, standard_forms: bool) -> APIRouter:
    """The routes; without `standard_forms` nothing but plain JSON is offered, for there is nothing else."""
    router = APIRouter()
    offered = tuple(Form) if standard_forms else (Form.JSON,)

    @router.get("/data")
    async def data(request: Request, _subject_id: OwnSubject) -> HTMLResponse:
        """Which files there are."""
        return shown(request, "data.html", why_not="", offered=offered)

    @router.get("/data/{form}")
    async def download(request: Request, session: SignedIn, subject_id: OwnSubject, form: Form) -> Response:
        """One of them."""
        asked = pb.ExportSubjectRequest(subject_id=subject_id, format=_FORMATS[form])
        return Exported(request, session, asked, form, offered)

    return router


class Exported(Response):
    """The answer that passes a document on; it asks for it when it is sent."""

    def __init__(
        self,
        request: Request,
        session: Session,
        asked: pb.ExportSubjectRequest,
        form: Form,
        offered: Sequence[Form],
    ) -> None:
        """`offered` are the forms to show where there is nothing to give in this one."""
        super().__init__()
        self._request = request
        self._session = session
        self._asked = asked
        self._form = form
        self._offered = offered
        self._is_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Refusal, after the first part as well: whatever serves this then closes the connection."""
        page = page_of(self._request)
        peer = page.services.for_files("consent")
        try:
            with page.downloads.place(self._session), within(AT_MOST_US):
                async with peer.open(SubjectServiceStub(peer.channel).ExportSubject, self._asked) as parts:
                    await self._pass_on(aiter(parts), page.downloads.in_time(send))
        except Refusal as refusal:
            if self._is_begun or refusal.reason not in WHY_NOT:
                raise
            given: dict[str, Any] = {"why_not": WHY_NOT[refusal.reason], "offered": self._offered}
            answer = shown(self._request, "data.html", **given)
            await answer(scope, receive, send)

    async def _pass_on(self, parts: AsyncIterator[pb.ExportSubjectResponse], send: Send) -> None:
        first = await _first(parts)
        if first is None:
            raise unavailable("PEER_UNAVAILABLE", "consent answered with no part of the document")
        await send(self._start(first.media_type))
        self._is_begun = True
        await send(_body(first.part))
        async for part in parts:
            await send(_body(part.part))
        await send({"type": "http.response.body"})

    def _start(self, media_type: str) -> Message:
        day = datetime.fromtimestamp(page_of(self._request).clock.now_us() / 1_000_000, UTC)
        ending = ENDINGS.get(media_type, "json")
        name = f"records-{self._form}-{day:%Y-%m-%d}.{ending}"
        headers = {"content-type": media_type, "content-disposition": f'attachment; filename="{name}"'}
        raw = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        return {"type": "http.response.start", "status": 200, "headers": raw}


async def _first(parts: AsyncIterator[pb.ExportSubjectResponse]) -> pb.ExportSubjectResponse | None:
    try:
        async with asyncio.timeout(FIRST_PART_SECONDS):
            return await anext(parts, None)
    except TimeoutError:
        raise unavailable("PEER_UNAVAILABLE", "consent did not begin with the document in time") from None


def _body(part: bytes) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": True}
