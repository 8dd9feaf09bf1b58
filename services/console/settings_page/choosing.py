"""What a subject has chosen and what follows from it, and the switches by which they say no.

A no is one press. A yes takes a page of its own (`agreeing`).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.settings_page.outlook import outlook_of
from services.console.settings_page.recording import record
from services.console.settings_page.sentences import Speaker
from services.console.settings_page.signals import honoured, objects, record_signal
from services.console.settings_page.texts import Texts
from services.console.settings_page.view import Place, view_of
from services.console.settings_page.whose import OwnSubject, PageToken, own_subject
from services.console.settings_page.wishes import Wish
from services.console.web import words
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import instant

CHOOSE = "choose"
"""What a form of a no is sealed for; one of a yes is not."""
Sealed = Annotated[str, Form(max_length=8_000)]
Named = Annotated[str, Query(max_length=63)]


async def place_of(page: PageToken, after: Named = "", open: Named = "") -> Place:
    """Where in the page the reader is, as the address says."""
    return Place(page, after, open)


InPlace = Annotated[Place, Depends(place_of)]


def choosing(texts: Texts) -> APIRouter:
    """The routes, over the platform's texts."""
    router = APIRouter()

    @router.get("/")
    async def choices(request: Request, session: SignedIn, reader: Reading, place: InPlace) -> Response:
        """The page that everything else hangs on: it needs consent alone. An agent has one of their own."""
        if session.kind == "agent":
            return RedirectResponse("/agent", 303)
        subject_id = await own_subject(session)
        outlook = await outlook_of(page_of(request).services, subject_id, place.token)
        view = view_of(outlook, texts, reader.language, place)
        speaker = Speaker(reader, outlook.choices.choices)
        said: dict[str, Any] = {"view": view, "speaker": speaker, "words": words, "objects": objects(request)}
        return shown(request, "choices.html", **said)

    @router.post("/choose")
    async def choose(
        request: Request, session: SignedIn, subject_id: OwnSubject, reader: Reading, form: Sealed
    ) -> Response:
        """Records a no, whatever has happened since."""
        opened = form_of(request, session, CHOOSE, form)
        wish, consent = Wish.opened(opened.seen), page_of(request).services.peer("consent")
        in_force_after = await record(consent, list(wish.requests(subject_id, opened.request_id)))
        said = Speaker(reader, ()).recorded(wish, instant(in_force_after))
        return done(request, wish.where, f"{said} {await honoured(request, session)}".strip())

    @router.post("/signal")
    async def signal(
        request: Request, session: SignedIn, subject_id: OwnSubject, reader: Reading, form: Sealed
    ) -> Response:
        """Records what the reader's browser objects to, as it said when the page was made."""
        opened = form_of(request, session, "signal", form)
        consent = page_of(request).services.peer("consent")
        answer = await record_signal(consent, subject_id, opened.request_id)
        return done(request, "/", Speaker(reader, ()).kept(answer))

    return router
