"""The page on which a subject says yes: with the notice that they agree to, open and in full (C1).

There is no other way to a yes: only the form of this page is sealed for one, with the digest of the text that
stands above it.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.chassis.refusals import not_found, precondition
from services.console.settings_page.choosing import InPlace
from services.console.settings_page.outlook import Outlook, outlook_of, standing_of
from services.console.settings_page.recording import record
from services.console.settings_page.sentences import Speaker
from services.console.settings_page.signals import honoured
from services.console.settings_page.switches import (
    EVERYONE,
    Board,
    Switch,
    board_of_everyone,
    board_of_licensee,
)
from services.console.settings_page.texts import Text, Texts
from services.console.settings_page.view import Place, switch_id
from services.console.settings_page.whose import OwnSubject
from services.console.settings_page.wishes import Wish
from services.console.web import words
from services.console.web.asking import Missing
from services.console.web.own_paths import next_of
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import instant

AGREE = "agree"
"""What the form of a yes is sealed for."""
LICENSEE = r"^([a-z0-9][a-z0-9._-]{0,62})?$"
USES = r"^[0-9]{1,3}(,[0-9]{1,3}){0,31}$"
Sealed = Annotated[str, Form(max_length=8_000)]


@dataclass(frozen=True)
class Asked:
    """What somebody is about to say yes to, as the address says."""

    licensee: str
    """Its id, or EVERYONE."""
    uses: tuple[int, ...]
    place: Place
    """To go back to."""


@dataclass(frozen=True)
class Question:
    """What the page asks, and under which text."""

    name: str
    """Of the licensee, for people; "" of everyone."""
    switch: Switch
    wish: Wish
    """To what a yes can change now."""
    notice: Text


async def _asked(
    place: InPlace,
    licensee: Annotated[str, Query(pattern=LICENSEE)] = "",
    uses: Annotated[str, Query(pattern=USES)] = "0",
) -> Asked:
    return Asked(licensee, tuple(sorted(map(int, uses.split(",")))), place)


def agreeing(texts: Texts) -> APIRouter:
    """The routes, over the platform's texts."""
    router = APIRouter()

    @router.get("/yes")
    async def ask(
        request: Request, subject_id: OwnSubject, reader: Reading, asked: Annotated[Asked, Depends(_asked)]
    ) -> Response:
        """Shows the notice and says to what a yes would be; nothing is recorded."""
        services, also = page_of(request).services, [asked.licensee] if asked.licensee else []
        outlook = await outlook_of(services, subject_id, asked.place.token, also)
        question = question_of(outlook, texts, reader.language, asked)
        speaker = Speaker(reader, outlook.choices.choices)
        path = next_of(request.url.path, request.url.query)
        values: dict[str, Any] = {"question": question, "speaker": speaker, "path": path}
        return shown(request, "yes.html", words=words, action=AGREE, **values)

    @router.post("/yes")
    async def agree(
        request: Request, session: SignedIn, subject_id: OwnSubject, reader: Reading, form: Sealed
    ) -> Response:
        """Records a yes to what is still so, and before it what the reader's browser says: it lifts that."""
        opened = form_of(request, session, AGREE, form)
        wish, consent = Wish.opened(opened.seen), page_of(request).services.peer("consent")
        speaker = Speaker(reader, ())
        if not wish.still_stands(await standing_of(consent, subject_id, wish.licensees)):
            return done(request, wish.where, speaker.changed())
        signal = await honoured(request, session)
        in_force_after = await record(consent, list(wish.requests(subject_id, opened.request_id)))
        said = speaker.recorded(wish, instant(in_force_after))
        return done(request, wish.where, f"{signal} {said}".strip())

    return router


def question_of(outlook: Outlook, texts: Texts, language: str, asked: Asked) -> Question:
    """What is asked of a reader of this language.

    Raises Refusal: (precondition) NOTICE_MISSING where there is no notice to show, SUBJECT_ERASED; (not
    found) NO_SUCH_SWITCH where the page has no switch for these uses.
    """
    policy = outlook.policies.in_force
    notice = texts.notice(policy.notice_digests, language) if policy else None
    if outlook.choices.erased:
        raise precondition("SUBJECT_ERASED", "everything is denied, for good")
    if notice is None:
        raise precondition("NOTICE_MISSING", "there is no notice here that the policy in force accepts")
    switch = _board(outlook, asked.licensee).switch_of(asked.uses)
    if switch is None:
        raise not_found("NO_SUCH_SWITCH", "there is no switch for these uses")
    where = f"{asked.place.path()}#{switch_id(switch)}"
    wish = Wish.yes(switch, where, outlook.standing.policy_version, notice.digest)
    return Question(_name(outlook, asked.licensee), switch, wish, notice)


def _board(outlook: Outlook, licensee: str) -> Board:
    standing, choices = outlook.standing, outlook.choices.choices
    if licensee == EVERYONE:
        return board_of_everyone(standing, choices)
    # Asked for by its id, so that it is among those that consent answers for.
    found = next(each for each in standing.licensees if each.licensee_id == licensee)
    return board_of_licensee(found, choices)


def _name(outlook: Outlook, licensee: str) -> str:
    """As licensing knows it on the page that the reader came from; else its id."""
    recipients = [] if isinstance(outlook.recipients, Missing) else outlook.recipients.recipients
    names = [each.display_name for each in recipients if each.licensee_id == licensee]
    return next((name for name in names if name), licensee)
