"""`sluice halt`: stops that an operator orders, whatever anyone chose (C12)."""

import enum
from typing import Annotated, Any

import typer

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.known_licensees import Naming, look_up
from services.console.moments import clock_face
from services.console.names import plain, value_name, word_of
from services.console.output import give_json, note, say, show, table
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.halt_pb2 import Halt, HaltScope
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.type.v1.purpose_pb2 import Purpose

PAGE = 200


class Of(enum.StrEnum):
    """What a halt can cover."""

    EVERYTHING = "everything"
    PURPOSE = "purpose"
    JURISDICTION = "jurisdiction"
    LICENSEE = "licensee"


app = typer.Typer(help="Halts: stops that hold whatever anyone chose.", no_args_is_help=True)


@app.command("order")
def order(
    of: Annotated[Of, typer.Argument(metavar="WHAT", help="What stops.")],
    value: Annotated[
        str | None, typer.Argument(help="Which: ai_input, DE or US-CA, acme. None of everything.")
    ] = None,
    *,
    cause: Annotated[str, typer.Option(help="Why, for the record; it never leaves the operators.")],
    recall: Annotated[
        bool, typer.Option("--recall", help="Recall what was released and falls under it, too.")
    ] = False,
    address: options.Consent = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Halt releases, and say from when on no earlier permit is valid any more.

    A purpose stops with those that need it; a country with its subdivisions. Of a licensee that licensing
    does not know the halt is ordered with a note.
    """
    if not cause.strip():
        raise typer.BadParameter("why? A halt needs a cause", param_hint="--cause")
    request = pb.OrderHaltRequest(scope=scope_of(of, value), cause=cause, recall=recall)
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address, "licensing": licensing})
    answer, naming = connections.run(lambda connections: order_checked(connections, request))
    if as_json:
        known = {"licensee_known": naming.is_known()} if request.scope.licensee_id else {}
        give_json(plain(answer) | known)
        return
    say(f"Halt {answer.halt.halt_id} of {scope_words(answer.halt.scope)} is ordered.")
    say(f"In force everywhere after {clock_face(answer.in_force_after)}.")
    for sentence in naming.notes():
        note(sentence)


@app.command("lift")
def lift(
    halt_id: Annotated[int, typer.Argument(metavar="ID", help="Id of the halt.", min=1, max=2**63 - 1)],
    *,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """End a halt."""
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: lift_halt(connections, halt_id))
    if as_json:
        give_json(plain(answer))
        return
    lifted = clock_face(answer.halt.lifted_at)
    say(f"Halt {halt_id} of {scope_words(answer.halt.scope)} has ended, {lifted}.")


@app.command("list")
def list_(
    *,
    all: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the halts that are in force, newest first."""
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    halts = connections.run(lambda connections: list_halts(connections, in_force_only=not all))
    if as_json:
        give_json([plain(halt) for halt in halts])
    elif halts:
        columns = (">halt", "of", "recall", "ordered at", "by", "lifted at", "cause")
        show(table(columns, [halt_row(halt) for halt in halts]))
    else:
        say("No halts." if all else "No halt is in force.")


async def order_checked(
    connections: Connections, request: pb.OrderHaltRequest
) -> tuple[pb.OrderHaltResponse, Naming]:
    """`order_halt`, and what licensing says of the licensee that it names; raises Refusal."""
    # Asked afterwards: nothing may hold up a halt.
    answer = await order_halt(connections, request)
    named = request.scope.licensee_id
    return answer, await look_up(connections, [named] if named else [])


async def order_halt(connections: Connections, request: pb.OrderHaltRequest) -> pb.OrderHaltResponse:
    """Orders it under a fresh id; raises Refusal."""
    peer = connections.peer("consent")
    request.request_id = connections.new_id()
    return await peer.call(StateServiceStub(peer.channel).OrderHalt, request)


async def lift_halt(connections: Connections, halt_id: int) -> pb.LiftHaltResponse:
    """Ends it under a fresh id; raises Refusal (HALT_UNKNOWN, HALT_ENDED, and others)."""
    peer = connections.peer("consent")
    request = pb.LiftHaltRequest(request_id=connections.new_id(), halt_id=halt_id)
    return await peer.call(StateServiceStub(peer.channel).LiftHalt, request)


async def list_halts(connections: Connections, *, in_force_only: bool) -> list[Halt]:
    """Newest first; raises Refusal."""
    peer = connections.peer("consent")
    stub = StateServiceStub(peer.channel)
    halts: list[Halt] = []
    token = ""
    while True:
        request = pb.ListHaltsRequest(page_size=PAGE, page_token=token, in_force_only=in_force_only)
        page = await peer.call(stub.ListHalts, request)
        halts += page.halts
        token = page.next_page_token
        if not token:
            return halts


def scope_of(of: Of, value: str | None) -> HaltScope:
    """What is to be halted; raises typer.BadParameter."""
    if of is Of.EVERYTHING:
        if value is not None:
            raise typer.BadParameter("a halt of everything takes no value", param_hint="VALUE")
        return HaltScope(everything=True)
    if not value:
        raise typer.BadParameter(f"which {of}?", param_hint="VALUE")
    if of is Of.JURISDICTION:
        return HaltScope(jurisdiction=value)
    if of is Of.LICENSEE:
        return HaltScope(licensee_id=value)
    try:
        return HaltScope(purpose=value_name(Purpose.DESCRIPTOR, value))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="VALUE") from None


def scope_words(scope: HaltScope) -> str:
    """For people: "everything", "purpose ai_input"."""
    match scope.WhichOneof("scope"):
        case "purpose":
            return f"purpose {word_of(Purpose.DESCRIPTOR, scope.purpose)}"
        case "jurisdiction":
            return f"jurisdiction {scope.jurisdiction}"
        case "licensee_id":
            return f"licensee {scope.licensee_id}"
        case _:
            return "everything"


def halt_row(halt: Halt) -> tuple[Any, ...]:
    """One row of the table."""
    return (
        # A name, and so without separators.
        str(halt.halt_id),
        scope_words(halt.scope),
        "yes" if halt.recall else "no",
        clock_face(halt.ordered_at),
        halt.ordered_by,
        clock_face(halt.lifted_at) if halt.HasField("lifted_at") else "in force",
        halt.cause,
    )
