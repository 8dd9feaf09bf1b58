"""`sluice party`: who is counted, and who is counted together (M6)."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from services.chassis.refusals import Refusal, not_found
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain
from services.console.output import give_json, say, show, table
from sluice.metering.v1 import party_service_pb2 as pb
from sluice.metering.v1.party_pb2 import Membership, Party
from sluice.metering.v1.party_service_pb2_grpc import PartyServiceStub

PAGE = 200

app = typer.Typer(help="Parties: who is counted, and who is counted together.", no_args_is_help=True)

PartyId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The party; for a licensee its id.", parser=options.name_id),
]
From = Annotated[
    str,
    typer.Option("--from", metavar="TIME", help="From when it holds, up to a year ahead. Else from now on."),
]


@app.command("put")
def put(
    party_id: PartyId,
    *,
    name: Annotated[str, typer.Option(help="Its name for people.")],
    is_vetted: Annotated[
        bool,
        typer.Option("--vetted-research", help="A researcher vetted under the law: counted, never assessed."),
    ] = False,
    affiliate: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A party that belongs with it. Repeatable.")
    ] = None,
    effective: From = "",
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Say who a party is, all of it anew: what is left out is not so any more.

    Affiliates are counted as one only where a group says so. Times are like 2026-01-31T12:00:00Z.
    """
    party = Party(party_id=party_id, display_name=name, vetted_research=is_vetted, affiliates=affiliate or [])
    request = pb.PutPartyRequest(party=party, effective_at=options.moment(effective, "--from"))
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    answer = connections.run(lambda connections: put_party(connections, request))
    if as_json:
        give_json(plain(answer))
        return
    since = clock_face(answer.effective_at)
    say(f"Party {party_id} ({name}) is on record at revision {answer.revision.number}, from {since} on.")


# What stands too much is looked at by the command itself, which can say where it belongs.
@app.command("move", context_settings={"allow_extra_args": True})
def move(
    context: typer.Context,
    party_id: PartyId,
    *,
    group: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The group; it exists by being named.", parser=options.name_id),
    ] = None,
    no_group: Annotated[bool, typer.Option("--no-group", help="Out of the group that it is in.")] = False,
    effective: From = "",
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Put a party into a group (--group ID), which is counted as one, or into none (--no-group).

    A time that has passed changes what is assessed, back to it; allowances follow from now on.
    """
    request = pb.MovePartyRequest(
        party_id=party_id,
        group_id=group_of(group, no_group=no_group, stray=context.args),
        effective_at=options.moment(effective, "--from"),
    )
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    answer = connections.run(lambda connections: move_party(connections, request))
    if as_json:
        give_json(plain(answer) | {"back_dated": answer.back_dated})
        return
    for sentence in move_sentences(request, answer):
        say(sentence)


@app.command("show")
def show_one(
    party_id: PartyId,
    *,
    as_of: Annotated[str, typer.Option(metavar="TIME", help="As it is at that time. Else now.")] = "",
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show who a party is, and all its memberships in groups."""
    request = pb.GetPartyRequest(party_id=party_id, as_of=options.moment(as_of, "--as-of"))
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    answer = connections.run(lambda connections: get_party(connections, request))
    if as_json:
        give_json(plain(answer))
        return
    show(table(("field", "value"), facts(answer)))
    if answer.memberships:
        say("")
        _show_memberships("group", [(each.group_id, each) for each in answer.memberships])
    say(f"As of revision {answer.revision.number}.")


@app.command("list")
def list_(
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the parties as they are now, by id."""
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    entries = connections.run(all_parties)
    if as_json:
        give_json([plain(entry) for entry in entries])
    elif entries:
        rows = [
            (entry.party.party_id, entry.party.display_name, _vetted(entry.party), entry.group_id)
            for entry in entries
        ]
        show(table(("party", "name", "vetted research", "group"), rows))
    else:
        say("No parties.")


@app.command("group")
def group(
    group_id: Annotated[str, typer.Argument(metavar="ID", help="The group.", parser=options.name_id)],
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List who belongs to a group, and from when until when; also who did or will."""
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    memberships = connections.run(lambda connections: all_memberships(connections, group_id))
    if as_json:
        give_json([plain(membership) for membership in memberships])
    elif memberships:
        _show_memberships("party", [(each.party_id, each) for each in memberships])
    else:
        say(f"Nobody has ever belonged to group {group_id}.")


async def put_party(connections: Connections, request: pb.PutPartyRequest) -> pb.PutPartyResponse:
    """Under a fresh request id; raises Refusal (EFFECTIVE_TIME_INVALID, and others)."""
    peer = connections.peer("metering")
    request.request_id = connections.new_id()
    return await peer.call(PartyServiceStub(peer.channel).PutParty, request)


async def move_party(connections: Connections, request: pb.MovePartyRequest) -> pb.MovePartyResponse:
    """Under a fresh request id; raises Refusal (PARTY_UNKNOWN, EFFECTIVE_TIME_INVALID, and others)."""
    peer = connections.peer("metering")
    request.request_id = connections.new_id()
    with _naming(request.party_id):
        return await peer.call(PartyServiceStub(peer.channel).MoveParty, request)


async def get_party(connections: Connections, request: pb.GetPartyRequest) -> pb.GetPartyResponse:
    """Raises Refusal (not found, PARTY_UNKNOWN, and others)."""
    peer = connections.peer("metering")
    with _naming(request.party_id):
        return await peer.call(PartyServiceStub(peer.channel).GetParty, request)


async def all_parties(connections: Connections) -> list[pb.ListPartiesResponse.Entry]:
    """Every party with its group, by id; raises Refusal."""
    peer = connections.peer("metering")
    stub = PartyServiceStub(peer.channel)
    found: list[pb.ListPartiesResponse.Entry] = []
    token = ""
    while True:
        request = pb.ListPartiesRequest(page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListParties, request)
        found += page.entries
        token = page.next_page_token
        if not token:
            return found


async def all_memberships(connections: Connections, group_id: str) -> list[Membership]:
    """All that there ever were in a group, by party and time; raises Refusal."""
    peer = connections.peer("metering")
    stub = PartyServiceStub(peer.channel)
    found: list[Membership] = []
    token = ""
    while True:
        request = pb.ListMembershipsRequest(group_id=group_id, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListMemberships, request)
        found += page.memberships
        token = page.next_page_token
        if not token:
            return found


def group_of(group: str | None, *, no_group: bool, stray: Sequence[str] = ()) -> str:
    """Where a party is to go, empty for no group; raises typer.BadParameter. `stray` are words too many."""
    if len(stray) == 1 and group is None and not no_group:
        raise typer.BadParameter(f"a group goes with its option: --group {stray[0]}", param_hint="--group")
    if stray:
        raise typer.BadParameter(f"one party is expected, and nothing after it; not {' '.join(stray)}")
    if no_group == (group is not None):
        raise typer.BadParameter("either --group ID or --no-group is expected", param_hint="--group")
    return group or ""


def move_sentences(request: pb.MovePartyRequest, answer: pb.MovePartyResponse) -> list[str]:
    """What has been changed, and what that means where the time had passed."""
    where = f"is in group {request.group_id}" if request.group_id else "is in no group"
    since = clock_face(answer.effective_at)
    said = [f"Party {request.party_id} {where} from {since} on (revision {answer.revision.number})."]
    if answer.back_dated:
        said.append(
            "That time had passed: what is assessed since then is counted anew. What was held stays as it is;"
            " allowances follow from now on."
        )
    return said


def facts(answer: pb.GetPartyResponse) -> list[tuple[str, Any]]:
    """The rows that say who a party is."""
    party = answer.party
    return [
        ("party", party.party_id),
        ("name", party.display_name or "not said"),
        ("vetted research", _vetted(party)),
        ("affiliates", ", ".join(party.affiliates) or "none"),
        ("group", answer.group_id or "none"),
    ]


@contextlib.contextmanager
def _naming(party_id: str) -> Iterator[None]:
    """Says which party it is that nobody knows, and what to do about it."""
    try:
        yield
    except Refusal as refusal:
        if refusal.reason != "PARTY_UNKNOWN":
            raise
        hint = (
            f"`sluice party put {party_id} --name NAME` puts it there, `sluice party list` has those that are"
        )
        raise not_found(refusal.reason, f"no party {party_id} is on record. {hint}") from refusal


def _vetted(party: Party) -> str:
    return "yes" if party.vetted_research else "no"


def _show_memberships(column: str, rows: list[tuple[str, Membership]]) -> None:
    times = [
        (name, clock_face(each.since), clock_face(each.until) if each.HasField("until") else "for good")
        for name, each in rows
    ]
    show(table((column, "since", "until"), times))
