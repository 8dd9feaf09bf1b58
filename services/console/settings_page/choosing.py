"""What a subject has chosen and what follows from it, and the switches by which they choose."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.settings_page.outlook import outlook_of
from services.console.settings_page.recording import record, record_signal, still_stands
from services.console.settings_page.sentences import Speaker
from services.console.settings_page.texts import Texts
from services.console.settings_page.view import Place, view_of
from services.console.settings_page.whose import OwnSubject, PageToken, own_subject
from services.console.settings_page.wishes import Wish
from services.console.web import words
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown

Sealed = Annotated[str, Form(max_length=8_000)]
Named = Annotated[str, Query(max_length=63)]


async def _place(page: PageToken, after: Named = "", open: Named = "") -> Place:
    return Place(page, after, open)


def choosing(texts: Texts) -> APIRouter:
    """The routes, over the platform's texts."""
    router = APIRouter()

    @router.get("/")
    async def choices(
        request: Request, session: SignedIn, reader: Reading, place: Annotated[Place, Depends(_place)]
    ) -> Response:
        """The page that everything else hangs on: it needs consent alone. An agent has one of their own."""
        if session.kind == "agent":
            return RedirectResponse("/agent", 303)
        subject_id = await own_subject(session)
        outlook = await outlook_of(page_of(request).services, subject_id, place.token)
        view = view_of(outlook, texts, reader.language, place)
        speaker = Speaker(reader, outlook.choices.choices)
        objects = request.headers.get("sec-gpc") == "1"
        return shown(request, "choices.html", view=view, speaker=speaker, words=words, objects=objects)

    @router.post("/choose")
    async def choose(
        request: Request, session: SignedIn, subject_id: OwnSubject, reader: Reading, form: Sealed
    ) -> Response:
        """Records a no whatever has happened, and a yes to what is still so."""
        opened = form_of(request, session, "choose", form)
        wish, consent = Wish.opened(opened.seen), page_of(request).services.peer("consent")
        speaker = Speaker(reader, ())
        if not await still_stands(consent, subject_id, wish):
            return done(request, wish.where, speaker.changed())
        in_force_after = await record(consent, wish.requests(subject_id, opened.request_id))
        return done(request, wish.where, speaker.recorded(wish, in_force_after))

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
