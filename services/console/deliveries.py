"""`sluice delivery`: what licensees say they received, and where that differs from what is billed."""

from typing import Annotated

import typer

from services.chassis.identity import PrincipalKind
from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR, Local
from services.console.names import complete
from services.console.output import give_json, say, show, table
from sluice.licensing.v1 import delivery_service_pb2 as pb
from sluice.licensing.v1.delivery_service_pb2_grpc import DeliveryServiceStub

PAGE = 1_000

app = typer.Typer(help="What licensees say they received.", no_args_is_help=True)


@app.command("countersign")
def countersign(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION", help="The decision.")],
    *,
    received: Annotated[int, typer.Option(help="Posts that arrived.", min=0, max=2**31 - 1)],
    licensee: Annotated[
        str,
        typer.Option(metavar="ID", help="Who received them, where no token says so.", parser=options.name_id),
    ],
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Say, as a licensee, how many posts of a decision arrived; what was said first stands."""
    local = Local(PrincipalKind.LICENSEE, licensee)
    connections = Connections.open(state, token_file, local, {"licensing": address})
    request = pb.CountersignDeliveryRequest(decision_id=decision_id, posts_received=received)
    stands = connections.run(lambda connections: countersign_delivery(connections, request))
    if as_json:
        give_json(complete(stands))
        return
    when = moments.clock_face(stands.countersigned_at)
    say(f"{stands.licensee_id} received {stands.posts_received:,} posts of {decision_id}, as said at {when}.")


@app.command("differences")
def differences(
    *,
    licensee: Annotated[str, typer.Option(metavar="ID", help="Of this licensee alone.")] = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List deliveries of which licensees received another number of posts than is billed.

    Billed is what the pipeline confirmed, else all that was released; a countersignature never changes it.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: all_differences(connections, licensee))
    if as_json:
        give_json([complete(difference) for difference in found])
        return
    columns = (
        ">receipt",
        "decision",
        "licensee",
        "license",
        ">released",
        ">billed",
        ">received",
        "confirmed",
    )
    show(table(columns, [_line(difference) for difference in found]))


async def countersign_delivery(
    connections: Connections, request: pb.CountersignDeliveryRequest
) -> pb.Countersignature:
    """What stands afterwards; raises Refusal."""
    peer = connections.peer("licensing")
    stub = DeliveryServiceStub(peer.channel)
    return (await peer.call(stub.CountersignDelivery, request)).countersignature


async def all_differences(connections: Connections, licensee: str) -> list[pb.DeliveryDifference]:
    """Every difference that the caller may see, by receipt number; raises Refusal."""
    peer = connections.peer("licensing")
    stub, found = DeliveryServiceStub(peer.channel), list[pb.DeliveryDifference]()
    request = pb.ListDeliveryDifferencesRequest(licensee_id=licensee, page_size=PAGE)
    while True:
        page = await peer.call(stub.ListDeliveryDifferences, request)
        found += page.differences
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _line(difference: pb.DeliveryDifference) -> tuple[object, ...]:
    said = difference.countersignature
    confirmed = difference.HasField("confirmed_at")
    return (
        said.receipt_number,
        said.decision_id,
        said.licensee_id,
        difference.posts_released,
        difference.posts_billed,
        said.posts_received,
        moments.clock_face(difference.confirmed_at)[:19] if confirmed else "never",
    )
