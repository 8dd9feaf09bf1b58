"""The login wall: how it stands, raising it, lowering it, and its changes."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from services.console.operations.roles import LOWER_WALL, RAISE_WALL, is_open, open_to
from services.console.operations.typed_texts import Typed, fault_in, one_line_ends
from services.console.operations.wall_wishes import LENGTHS, WallWish, overtakes, read_wall
from services.console.operations.words_licenses import TIERS
from services.console.web.asking import together
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import msgid
from services.console.web.sessions import Session
from services.console.web.words import word
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.wall_service_pb2_grpc import WallServiceStub

router = APIRouter()
CHANGES = 25
LONGEST_REASON = 1000
NO_REASON = msgid("Say why: a change of the wall needs a reason.")
CHANGED = msgid("Nothing was done: the wall has changed since you looked at it. This is how it stands now.")
WORDS: dict[str, Any] = {"word": word, "TIERS": TIERS, "LENGTHS": LENGTHS}
FormField = Annotated[str, Form(max_length=4000)]


@router.get("/wall")
async def wall(
    request: Request, session: SignedIn, page: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """How it stands, and every change, newest first."""
    return await _shown(request, session, WallWish(), page)


@router.get("/wall/raise")
async def confirm_raise(
    request: Request,
    session: SignedIn,
    hours: Annotated[str | None, Query(max_length=10)] = None,
    tier: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """Whom it will keep out, and the button."""
    wish = read_wall(hours, tier or [])
    if wish.faults:
        return await _shown(request, session, wish, "", 400)
    return await _asked(request, session, wish)


@router.post("/wall/raise")
async def raise_(
    request: Request, session: SignedIn, reader: Reading, form: FormField, reason: Typed = ""
) -> Response:
    """Raises it once, exactly as its reader saw it."""
    opened, why = form_of(request, session, "raise-wall", form), one_line_ends(reason)
    wish = WallWish(opened.seen["hours"], tuple(opened.seen["tiers"]))
    licensing = page_of(request).services.peer("licensing")
    last, fault = (await _standing(licensing)).last, fault_in(why, LONGEST_REASON, NO_REASON)
    if fault or overtakes(last, opened.seen, why, f"operator:{session.party}"):
        return await _asked(request, session, wish, fault or CHANGED, why)
    await licensing.call(WallServiceStub(licensing.channel).RaiseWall, wish.request(opened.request_id, why))
    return done(request, "/wall", reader.say("The wall is up. Every process holds it within a second."))


@router.get("/wall/lower")
async def confirm_lower(request: Request, session: SignedIn) -> Response:
    """Whom it will let in, and the button."""
    return await _asked(request, session, None)


@router.post("/wall/lower")
async def lower(
    request: Request, session: SignedIn, reader: Reading, form: FormField, reason: Typed = ""
) -> Response:
    """Lowers it once, if it is the one that its reader saw."""
    opened, why = form_of(request, session, "lower-wall", form), one_line_ends(reason)
    licensing = page_of(request).services.peer("licensing")
    found = await _standing(licensing)
    fault, is_another = fault_in(why, LONGEST_REASON, NO_REASON), found.last.number != opened.seen["number"]
    if fault or (found.up and is_another) or not await _lowered(licensing, opened.request_id, why):
        return await _asked(request, session, None, fault or CHANGED, why)
    return done(request, "/wall", reader.say("The wall is down: callers who have not signed in are let in."))


async def _lowered(licensing: Peer, request_id: str, reason: str) -> bool:
    """Whether it was; False where none was up."""
    wanted = pb.LowerWallRequest(request_id=request_id, reason=reason)
    try:
        await licensing.call(WallServiceStub(licensing.channel).LowerWall, wanted)
    except Refusal as refusal:
        if refusal.reason != "WALL_NOT_UP":
            raise
        return False
    return True


async def _standing(licensing: Peer) -> pb.GetWallResponse:
    return await licensing.call(WallServiceStub(licensing.channel).GetWall, pb.GetWallRequest())


async def _changes(licensing: Peer, token: str) -> pb.ListWallChangesResponse:
    request = pb.ListWallChangesRequest(page_size=CHANGES, page_token=token)
    return await licensing.call(WallServiceStub(licensing.channel).ListWallChanges, request)


async def _shown(
    request: Request, session: Session, wish: WallWish, token: str, status: int = 200
) -> Response:
    licensing = page_of(request).services.peer("licensing")
    parts = await together(standing=_standing(licensing), changes=_changes(licensing, token))
    roles = {"may_raise": is_open(session, RAISE_WALL), "may_lower": is_open(session, LOWER_WALL)}
    return shown(request, "wall.html", status, wish=wish, token=token, **parts, **roles, **WORDS)


async def _asked(
    request: Request, session: Session, wish: WallWish | None, fault: str = "", reason: str = ""
) -> Response:
    """The page that asks whether it is meant; with no `wish`, to lower it."""
    standing = await _standing(page_of(request).services.peer("licensing"))
    method = RAISE_WALL if wish else LOWER_WALL
    status = 409 if fault == CHANGED else 400 if fault else 200
    given: dict[str, Any] = {"wish": wish, "standing": standing, "fault": fault, "reason": reason}
    roles = {"is_open": is_open(session, method), "open_to": open_to(method)}
    return shown(request, "wall-step.html", status, **given, **roles, **WORDS)
