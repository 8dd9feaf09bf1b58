"""Suspending, resuming and ending a license: each on a page of its own that says what will happen (L4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, not_found
from services.console.operations.own_ids import name_in
from services.console.operations.roles import RESUME, SUSPEND, TERMINATE, is_open, open_to
from services.console.operations.typed_texts import Typed, fault_in, one_line_ends
from services.console.operations.words_decisions import LICENSE_STATES
from services.console.web.forms import Opened
from services.console.web.page import Reading, SignedIn, done, form_of, page_of, shown
from services.console.web.reading import msgid
from services.console.web.sessions import Session
from services.console.web.words import word
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import License, LicenseState

router = APIRouter()
LONGEST_REASON = 1000
FORBIDDEN_STATE = "LICENSE_STATE_FORBIDS"
CHANGED = msgid(
    "Nothing was done: the license has changed since you looked at it. This is how it stands now."
)
_DRAFT, _ACTIVE = LicenseState.LICENSE_STATE_DRAFT, LicenseState.LICENSE_STATE_ACTIVE
_SUSPENDED, _EXPIRED = LicenseState.LICENSE_STATE_SUSPENDED, LicenseState.LICENSE_STATE_EXPIRED
_TERMINATED = LicenseState.LICENSE_STATE_TERMINATED


@dataclass(frozen=True)
class Step:
    """One thing that can be done with a license. All texts are those of the sources."""

    method: str
    """/package.Service/Method."""
    request: Any
    """Its message."""
    offered_in: frozenset[int]
    """The states in which a page offers it; whether it is done licensing says."""
    leads_to: int
    title: str
    button: str
    consequences: Sequence[str]
    said: str
    """When it was done."""
    is_dangerous: bool = True


STEPS: Mapping[str, Step] = {
    "suspend": Step(
        method=SUSPEND,
        request=pb.SuspendLicenseRequest,
        offered_in=frozenset({_ACTIVE}),
        leads_to=_SUSPENDED,
        title=msgid("Suspend this license?"),
        button=msgid("Suspend the license"),
        consequences=(
            msgid("Every decision that concludes after it is acknowledged is denied."),
            msgid("What was released before stays with the licensee, and nothing is recalled by it."),
            msgid("It holds until the license is resumed."),
        ),
        said=msgid("The license %(license)s is suspended."),
    ),
    "resume": Step(
        method=RESUME,
        request=pb.ResumeLicenseRequest,
        offered_in=frozenset({_SUSPENDED}),
        leads_to=_ACTIVE,
        title=msgid("Resume this license?"),
        button=msgid("Resume the license"),
        consequences=(
            msgid("Every decision that concludes after it is acknowledged follows the terms in force again."),
        ),
        said=msgid("The license %(license)s is active again."),
        is_dangerous=False,
    ),
    "terminate": Step(
        method=TERMINATE,
        request=pb.TerminateLicenseRequest,
        offered_in=frozenset({_DRAFT, _ACTIVE, _SUSPENDED, _EXPIRED}),
        leads_to=_TERMINATED,
        title=msgid("End this license for good?"),
        button=msgid("End the license for good"),
        consequences=(
            msgid("Every decision that concludes after it is acknowledged is denied."),
            msgid("The license cannot be resumed: going on takes another one."),
            msgid("What is drafted or waits for its time is withdrawn."),
            msgid("What was released before stays with the licensee, and nothing is recalled by it."),
        ),
        said=msgid("The license %(license)s has ended."),
    ),
}


def offered(license: License, session: Session) -> list[tuple[str, Step]]:
    """What can be done with it as it stands, by whom this is, in the order of STEPS."""
    return [
        (name, step)
        for name, step in STEPS.items()
        if license.state in step.offered_in and is_open(session, step.method)
    ]


def seen(license: License) -> dict[str, int]:
    """What somebody decides upon who looks at a license."""
    changed_us = license.state_changed_at.ToMicroseconds()
    return {"state": license.state, "version": license.version, "changed_us": changed_us}


def is_stale(license: License, opened: Opened, step: Step) -> bool:
    """Whether it is another one than its reader saw.

    Where it is already as the step leaves it, that may be by this very form, sent twice: licensing knows its
    request id, and refuses all others.
    """
    return seen(license) != dict(opened.seen) and license.state != step.leads_to


@router.get("/licenses/{id}/{name}")
async def confirm(request: Request, session: SignedIn, id: str, name: str) -> Response:
    """What will happen, and the button."""
    _step(name)
    license = await get_license(page_of(request).services.peer("licensing"), name_in(id))
    return _asked(request, session, license, name)


@router.post("/licenses/{id}/{name}")
async def take(
    request: Request,
    session: SignedIn,
    reader: Reading,
    id: str,
    name: str,
    *,
    form: Annotated[str, Form(max_length=4000)],
    reason: Typed = "",
) -> Response:
    """Carries it out once, if the license is still as it was when it was decided upon."""
    step, opened = _step(name), form_of(request, session, f"license-{name}-{name_in(id)}", form)
    licensing, why = page_of(request).services.peer("licensing"), one_line_ends(reason)
    license = await get_license(licensing, id)
    if fault := fault_in(why, LONGEST_REASON):
        return _asked(request, session, license, name, reason=why, fault=fault)
    if is_stale(license, opened, step) or not await _taken(licensing, step, opened, id, why):
        now = await get_license(licensing, id)
        return _asked(request, session, now, name, reason=why, fault=CHANGED)
    return done(request, f"/licenses/{id}", reader.say(step.said, license=id))


async def get_license(licensing: Peer, license_id: str) -> License:
    """As it stands; raises Refusal (not found, LICENSE_UNKNOWN)."""
    stub = ContractServiceStub(licensing.channel)
    return (await licensing.call(stub.GetLicense, pb.GetLicenseRequest(license_id=license_id))).license


async def _taken(licensing: Peer, step: Step, opened: Opened, license_id: str, reason: str) -> bool:
    """Whether it was; False where its state forbids it."""
    method = getattr(ContractServiceStub(licensing.channel), step.method.rpartition("/")[2])
    asked = step.request(request_id=opened.request_id, license_id=license_id, reason=reason)
    try:
        await licensing.call(method, asked)
    except Refusal as refusal:
        if refusal.reason != FORBIDDEN_STATE:
            raise
        return False
    return True


def _asked(
    request: Request,
    session: Session,
    license: License,
    name: str,
    *,
    reason: str = "",
    fault: str = "",
) -> Response:
    step = STEPS[name]
    return shown(
        request,
        "license-step.html",
        409 if fault == CHANGED else 400 if fault else 200,
        license=license,
        name=name,
        step=step,
        seen=seen(license),
        reason=reason,
        fault=fault,
        is_offered=license.state in step.offered_in,
        is_open=is_open(session, step.method),
        open_to=open_to(step.method),
        word=word,
        LICENSE_STATES=LICENSE_STATES,
    )


def _step(name: str) -> Step:
    """Raises Refusal (not found, NO_SUCH_PAGE)."""
    if name not in STEPS:
        raise not_found("NO_SUCH_PAGE", "there is no such page")
    return STEPS[name]
