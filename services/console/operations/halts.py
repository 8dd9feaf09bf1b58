"""Halts: what is stopped, ordering one, and lifting it (C12)."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, not_found
from services.console.operations.halt_wishes import HaltWish, read_halt
from services.console.operations.halts_in_force import halts_in_force
from services.console.operations.licensee_names import named
from services.console.operations.own_ids import number_in
from services.console.operations.roles import LIFT_HALT, ORDER_HALT, is_open, open_to
from services.console.operations.typed_texts import Typed, fault_in, one_line_ends
from services.console.web.asking import NAME_US, asked
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import instant, msgid
from services.console.web.sessions import Session
from services.console.web.telling import moment_in
from services.console.web.words import PURPOSES, word
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.halt_pb2 import Halt
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub

router = APIRouter()
PAGE = 50
LONGEST_CAUSE = 500
NO_CAUSE = msgid("Say why: a halt needs a cause.")
WORDS: dict[str, Any] = {"word": word, "PURPOSES": PURPOSES}
FormField = Annotated[str, Form(max_length=4000)]


@router.get("/halts")
async def halts(
    request: Request,
    session: SignedIn,
    show: Annotated[str, Query(max_length=10)] = "",
    page: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Those in force, or with `show` "all" those that have ended too; and the form for another."""
    return await _listed(request, session, HaltWish(), is_all=show == "all", token=page)


@router.get("/halts/order")
async def confirm_order(request: Request, session: SignedIn) -> Response:
    """What will stop, and the button."""
    wish = read_halt(request.query_params)
    if wish.faults:
        return await _listed(request, session, wish, status=400)
    return await _ordering(request, session, wish)


@router.post("/halts/order")
async def order(
    request: Request, session: SignedIn, reader: Reading, form: FormField, cause: Typed = ""
) -> Response:
    """Orders once exactly what its reader saw."""
    opened, why = form_of(request, session, "order-halt", form), one_line_ends(cause)
    wish = HaltWish(opened.seen["kind"], opened.seen["value"], opened.seen["recall"])
    if fault := fault_in(why, LONGEST_CAUSE, NO_CAUSE):
        return await _ordering(request, session, wish, fault, why)
    consent = page_of(request).services.peer("consent")
    wanted = pb.OrderHaltRequest(
        request_id=opened.request_id, scope=wish.scope, cause=why, recall=wish.recall
    )
    answer = await consent.call(StateServiceStub(consent.channel).OrderHalt, wanted)
    said = reader.say(
        "Halt %(id)s is ordered. It is in force everywhere after %(time)s.", **_told(reader, answer)
    )
    return done(request, "/halts", said)


@router.get("/halts/{id}/lift")
async def confirm_lift(request: Request, session: SignedIn, id: str) -> Response:
    """What will be released again, and the button."""
    halt = await _in_force(page_of(request).services.peer("consent"), number_in(id))
    given: dict[str, Any] = {"is_open": is_open(session, LIFT_HALT), "open_to": open_to(LIFT_HALT)}
    return shown(request, "halt-lift.html", halt=halt, **given, **WORDS)


@router.post("/halts/{id}/lift")
async def lift(request: Request, session: SignedIn, reader: Reading, id: str, form: FormField) -> Response:
    """Lifts it once."""
    number = number_in(id)
    opened = form_of(request, session, f"lift-halt-{number}", form)
    consent = page_of(request).services.peer("consent")
    wanted = pb.LiftHaltRequest(request_id=opened.request_id, halt_id=number)
    try:
        await consent.call(StateServiceStub(consent.channel).LiftHalt, wanted)
    except Refusal as refusal:
        if refusal.reason != "HALT_ENDED":
            raise
        return done(request, "/halts", reader.say("Nothing was done: halt %(id)s had ended already.", id=id))
    return done(request, "/halts", reader.say("Halt %(id)s has ended.", id=id))


def _told(reader: Reading, answer: pb.OrderHaltResponse) -> dict[str, str]:
    return {"id": str(answer.halt.halt_id), "time": moment_in(instant(answer.in_force_after))}


async def _listed(
    request: Request,
    session: Session,
    wish: HaltWish,
    *,
    is_all: bool = False,
    token: str = "",
    status: int = 200,
) -> Response:
    consent = page_of(request).services.peer("consent")
    listed = pb.ListHaltsRequest(page_size=PAGE, page_token=token, in_force_only=not is_all)
    found = await consent.call(StateServiceStub(consent.channel).ListHalts, listed)
    given: dict[str, Any] = {"given": request.query_params, "is_all": is_all, "token": token}
    roles = {"may_lift": is_open(session, LIFT_HALT), "may_order": is_open(session, ORDER_HALT)}
    return shown(request, "halts.html", status, found=found, wish=wish, **given, **roles, **WORDS)


async def _ordering(
    request: Request, session: Session, wish: HaltWish, fault: str = "", cause: str = ""
) -> Response:
    # That nobody knows the licensee, or that nobody can say so, holds up no halt.
    known = await asked(_knows(page_of(request).services.peer("licensing"), wish), NAME_US)
    given: dict[str, Any] = {"known": known, "scope": wish.scope, "fault": fault, "cause": cause}
    roles = {"is_open": is_open(session, ORDER_HALT), "open_to": open_to(ORDER_HALT)}
    return shown(request, "halt-order.html", 400 if fault else 200, wish=wish, **given, **roles, **WORDS)


async def _knows(licensing: Peer, wish: HaltWish) -> str:
    """ "yes" or "no"; "yes" where no licensee is named."""
    if wish.kind != "licensee":
        return "yes"
    return "yes" if await named(licensing, [wish.value]) else "no"


async def _in_force(consent: Peer, halt_id: int) -> Halt:
    """Raises Refusal (not found, HALT_UNKNOWN) where none with this number is in force."""
    for halt in (await halts_in_force(consent)).halts:
        if halt.halt_id == halt_id:
            return halt
    raise not_found("HALT_UNKNOWN", "no halt with this number is in force")
