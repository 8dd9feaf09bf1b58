"""`sluice licensee affiliate`: who is counted together with a licensee (M6)."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Kind, Refusal, unavailable
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain, word_of
from services.console.output import give_json, say, shout, show, table
from sluice.licensing.v1 import affiliate_service_pb2 as pb
from sluice.licensing.v1.affiliate_service_pb2_grpc import AffiliateServiceStub

PAGE = 200

app = typer.Typer(help="Affiliates: who is counted together with a licensee.", no_args_is_help=True)

LicenseeId = Annotated[
    str, typer.Argument(metavar="LICENSEE", help="Id of the licensee.", parser=options.name_id)
]
AffiliateId = Annotated[
    str,
    typer.Argument(
        metavar="AFFILIATE", help="Id of the party; for a licensee its id.", parser=options.name_id
    ),
]
From = Annotated[
    str,
    typer.Option("--from", metavar="TIME", help="From when it holds, up to a year ahead. Else from now on."),
]


@app.command("add")
def add(
    licensee_id: LicenseeId,
    affiliate_id: AffiliateId,
    *,
    name: Annotated[str, typer.Option(help="Its name for people.")],
    effective: From = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a party an affiliate: both are counted as one, in metering's group with the licensee's id.

    A time that has passed changes what is assessed, back to it; allowances follow from now on.
    """
    request = pb.AddAffiliateRequest(
        licensee_id=licensee_id,
        affiliate_id=affiliate_id,
        display_name=name,
        effective_at=options.moment(effective, "--from"),
    )
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    answer = connections.run(lambda connections: add_affiliate(connections, request))
    _tell(answer, f"{affiliate_id} ({name}) is counted together with {licensee_id}", as_json=as_json)


@app.command("remove")
def remove(
    licensee_id: LicenseeId,
    affiliate_id: AffiliateId,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record; the licensee reads it.")] = "",
    effective: From = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """End that a party is an affiliate; one that was to become one never does.

    A time that has passed changes what is assessed, back to it; allowances follow from now on.
    """
    request = pb.RemoveAffiliateRequest(
        licensee_id=licensee_id,
        affiliate_id=affiliate_id,
        reason=reason,
        effective_at=options.moment(effective, "--from"),
    )
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    answer = connections.run(lambda connections: remove_affiliate(connections, request))
    _tell(answer, f"{affiliate_id} is not counted together with {licensee_id}", as_json=as_json)


@app.command("list")
def list_(
    licensee_id: LicenseeId,
    *,
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended as well.")] = False,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the affiliates of a licensee, as asked for here beside what metering counts by."""
    request = pb.ListAffiliatesRequest(licensee_id=licensee_id, include_ended=ended, page_size=PAGE)
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: all_affiliates(connections, request))
    if as_json:
        affiliates = [plain(each) for each in found.affiliates]
        give_json({"affiliates": affiliates, "licensee_in_group": found.licensee_in_group})
        return
    if not found.affiliates:
        say(f"No affiliates of {licensee_id}.")
        return
    columns = ("affiliate", "name", "standing", "by the record", "by metering")
    show(table(columns, (row(each) for each in found.affiliates)))
    for warning in warnings(licensee_id, found):
        shout(warning)


async def add_affiliate(connections: Connections, request: pb.AddAffiliateRequest) -> pb.AddAffiliateResponse:
    """Under a fresh request id; raises Refusal."""
    peer = connections.peer("licensing")
    request.request_id = connections.new_id()
    with _pointing_at_the_list(request.licensee_id):
        return await peer.call(AffiliateServiceStub(peer.channel).AddAffiliate, request)


async def remove_affiliate(
    connections: Connections, request: pb.RemoveAffiliateRequest
) -> pb.RemoveAffiliateResponse:
    """Under a fresh request id; raises Refusal."""
    peer = connections.peer("licensing")
    request.request_id = connections.new_id()
    with _pointing_at_the_list(request.licensee_id):
        return await peer.call(AffiliateServiceStub(peer.channel).RemoveAffiliate, request)


async def all_affiliates(
    connections: Connections, request: pb.ListAffiliatesRequest
) -> pb.ListAffiliatesResponse:
    """All pages in one, the rest as on the last; raises Refusal."""
    peer = connections.peer("licensing")
    stub = AffiliateServiceStub(peer.channel)
    found: list[pb.Affiliate] = []
    while True:
        page = await peer.call(stub.ListAffiliates, request)
        found += page.affiliates
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return pb.ListAffiliatesResponse(
                affiliates=found, licensee_in_group=page.licensee_in_group, as_of=page.as_of
            )


def row(affiliate: pb.Affiliate) -> tuple[Any, ...]:
    """What a table says of an affiliate."""
    standing = word_of(pb.AffiliateStanding.DESCRIPTOR, affiliate.standing)
    names = affiliate.affiliate_id, affiliate.display_name or "not said", standing
    return *names, _times(affiliate.recorded), _times(affiliate.counted)


def warnings(licensee_id: str, found: pb.ListAffiliatesResponse) -> Iterator[str]:
    """What nobody should pass over, in sentences."""
    counted = [
        each for each in found.affiliates if each.standing == pb.AffiliateStanding.AFFILIATE_STANDING_COUNTED
    ]
    if counted and not found.licensee_in_group:
        yield (
            f"Metering does not have {licensee_id} itself in its group: the affiliates are counted with each"
            f" other and not with it. `sluice party show {licensee_id}` says where it is."
        )
    for each in found.affiliates:
        if each.standing == pb.AffiliateStanding.AFFILIATE_STANDING_DIFFERS:
            yield (
                f"{each.affiliate_id} was moved in metering itself, whose word counts."
                f" `sluice party show {each.affiliate_id}` says where it is."
            )


def _tell(answer: pb.AddAffiliateResponse | pb.RemoveAffiliateResponse, what: str, *, as_json: bool) -> None:
    if as_json:
        give_json(plain(answer) | {"back_dated": answer.back_dated})
        return
    say(f"{what} from {clock_face(answer.effective_at)} on.")
    if answer.back_dated:
        say(
            "That time had passed: what is assessed since then is counted anew. What was held stays as it is;"
            " allowances follow from now on."
        )


@contextlib.contextmanager
def _pointing_at_the_list(licensee_id: str) -> Iterator[None]:
    """Says where to look when it is not known whether a change was begun."""
    try:
        yield
    except Refusal as refusal:
        if refusal.kind is not Kind.UNAVAILABLE or refusal.reason == "AFFILIATE_CHANGE_UNFINISHED":
            raise
        where = f"`sluice licensee affiliate list {licensee_id}` shows it"
        message = f"{refusal.message}; what was begun is finished by itself, and {where}"
        raise unavailable(refusal.reason, message, retry_after_us=refusal.retry_after_us) from refusal


def _times(stretches: Iterable[pb.AffiliateStretch]) -> str:
    return "\n".join(map(_time_of, stretches)) or "never"


def _time_of(stretch: pb.AffiliateStretch) -> str:
    until: Timestamp | None = stretch.until if stretch.HasField("until") else None
    return f"{clock_face(stretch.since)} " + (f"until {clock_face(until)}" if until else "on")
