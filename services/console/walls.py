"""`sluice wall`: whether callers who have not signed in may read the platform's content."""

import enum
from typing import Annotated, Any

import typer
from google.protobuf.duration_pb2 import Duration

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import complete, value_name, word_of
from services.console.output import give_json, say, show, table
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.wall_service_pb2_grpc import WallServiceStub

PAGE = 200
LONGEST_REASON = 1000


class Tier(enum.StrEnum):
    """Who may pass a wall."""

    API = "api"
    RESEARCH = "research"
    KNOWN = "known"


app = typer.Typer(
    help="The login wall: content for those alone who have signed in, or whom a tier lets pass.",
    no_args_is_help=True,
)

Why = Annotated[str, typer.Option("--reason", help="Why, for the record; callers are not told.")]


@app.command("raise")
def raise_(
    *,
    why: Why,
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long, such as 2h. Else until it is lowered.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when, instead of --for.")] = "",
    tiers: Annotated[
        list[Tier] | None,
        typer.Option(
            "--open",
            help="Who passes nevertheless: licensees with an API license in force (api) or one of research,"
            " or whoever has a token (known). May be said more than once.",
        ),
    ] = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Shut out anonymous callers. A wall that is up already stands anew, as said here."""
    request = pb.RaiseWallRequest(reason=_reason(why), tiers=[_name(tier) for tier in tiers or ()])
    _set_end(request, lasts, until)
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    change = connections.run(lambda connections: raise_wall(connections, request))
    if as_json:
        give_json(complete(change))
        return
    say(f"The wall is up {_end_words(change)}; {_tier_words(change)}.")
    say("Every process holds it within a second from now.")


@app.command("lower")
def lower(
    *,
    why: Why,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Let anonymous callers in again."""
    request = pb.LowerWallRequest(reason=_reason(why))
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    change = connections.run(lambda connections: lower_wall(connections, request))
    if as_json:
        give_json(complete(change))
        return
    say("The wall is down: anonymous callers are let in again.")


@app.command("show")
def show_(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Say how the wall stands."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(get_wall)
    if as_json:
        give_json(complete(found))
        return
    say(_standing(found))


@app.command("history")
def history(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List every change of the wall, newest first."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    changes = connections.run(all_changes)
    if as_json:
        give_json([complete(change) for change in changes])
    elif changes:
        show(table((">change", "wall", "open to", "until", "at", "by", "reason"), map(_row, changes)))
    else:
        say("The wall was never raised.")


async def raise_wall(connections: Connections, request: pb.RaiseWallRequest) -> pb.WallChange:
    """Raises it under a fresh id; raises Refusal (WALL_END_PAST, and others)."""
    peer = connections.peer("licensing")
    request.request_id = connections.new_id()
    return (await peer.call(WallServiceStub(peer.channel).RaiseWall, request)).change


async def lower_wall(connections: Connections, request: pb.LowerWallRequest) -> pb.WallChange:
    """Lowers it under a fresh id; raises Refusal (WALL_NOT_UP, and others)."""
    peer = connections.peer("licensing")
    request.request_id = connections.new_id()
    return (await peer.call(WallServiceStub(peer.channel).LowerWall, request)).change


async def get_wall(connections: Connections) -> pb.GetWallResponse:
    """How it stands; raises Refusal."""
    peer = connections.peer("licensing")
    return await peer.call(WallServiceStub(peer.channel).GetWall, pb.GetWallRequest())


async def all_changes(connections: Connections) -> list[pb.WallChange]:
    """Newest first; raises Refusal."""
    peer = connections.peer("licensing")
    stub, found = WallServiceStub(peer.channel), list[pb.WallChange]()
    request = pb.ListWallChangesRequest(page_size=PAGE)
    while True:
        page = await peer.call(stub.ListWallChanges, request)
        found += page.changes
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _set_end(request: pb.RaiseWallRequest, lasts: str, until: str) -> None:
    """Raises typer.BadParameter."""
    if lasts and until:
        raise typer.BadParameter("say how long or until when, not both", param_hint="--until")
    if lasts:
        length = Duration()
        length.FromMicroseconds(options.duration_us(lasts, "--for"))
        request.lasts.CopyFrom(length)
    if (end := options.moment(until, "--until")) is not None:
        request.until.CopyFrom(end)


def _reason(why: str) -> str:
    """Raises typer.BadParameter."""
    if not why.strip():
        raise typer.BadParameter("why? A wall needs a reason", param_hint="--reason")
    if len(why) > LONGEST_REASON:
        raise typer.BadParameter(f"at most {LONGEST_REASON} characters", param_hint="--reason")
    return why


def _name(tier: Tier) -> str:
    return value_name(pb.WallTier.DESCRIPTOR, tier.value)


def _standing(found: pb.GetWallResponse) -> str:
    last = found.last
    if found.up:
        since = clock_face(last.changed_at)
        return f"The wall is up since {since}, {_end_words(last)}; {_tier_words(last)}. Why: {last.reason}"
    if not found.HasField("last"):
        return "There is no wall: it was never raised."
    if last.raised:
        return f"There is no wall: the last came down by itself, {clock_face(last.until)}."
    return f"There is no wall: it was lowered {clock_face(last.changed_at)}. Why: {last.reason}"


def _end_words(change: pb.WallChange) -> str:
    return f"until {clock_face(change.until)}" if change.HasField("until") else "until it is lowered"


def _tier_words(change: pb.WallChange) -> str:
    tiers = [word_of(pb.WallTier.DESCRIPTOR, tier) for tier in change.tiers]
    return f"open to those who have signed in{''.join(f', {tier}' for tier in tiers)}"


def _row(change: pb.WallChange) -> tuple[Any, ...]:
    return (
        change.number,
        "raised" if change.raised else "lowered",
        ", ".join(word_of(pb.WallTier.DESCRIPTOR, tier) for tier in change.tiers) or "-",
        clock_face(change.until)[:19] if change.HasField("until") else "-",
        clock_face(change.changed_at)[:19],
        change.changed_by,
        change.reason,
    )
