"""`sluice recall watch`: recalls as they are issued."""

from typing import Annotated

import typer

from services.console import options, recall_calls
from services.console.moments import clock_face
from services.console.names import complete
from services.console.output import counted, give_line, note, say
from services.console.recalls import OfLicensee
from services.console.watching import Watching
from sluice.licensing.v1.recall_service_pb2 import WatchRecallsResponse as Step

LARGEST = 2**63 - 1


def watch(
    *,
    after: Annotated[
        int, typer.Option(metavar="NUMBER", help="Go on after this number.", min=0, max=LARGEST)
    ] = 0,
    once: Annotated[bool, typer.Option("--once", help="Stop when all there is has been shown.")] = False,
    licensee: OfLicensee = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document a line.")] = False,
) -> None:
    """Follow recalls as they are issued, in the order of their numbers, until it is interrupted.

    It goes on by itself after the connection was lost, and says at its end how to go on later. With --json a
    line without a recall says that all up to its number was shown.
    """
    connections = recall_calls.connect(state, address, token_file, api_key_file, insecure=insecure)
    watching = Watching(after, tell_json if as_json else tell_people, place_of, once=once)
    try:
        connections.run(
            lambda connections: watching.run(
                lambda number: recall_calls.follow(connections, licensee, number)
            )
        )
    finally:
        # With --json the numbers say it, and stderr holds a refusal alone.
        if watching.position != after and not as_json:
            note(f"Go on with: sluice recall watch --after {watching.position}")


def place_of(step: Step) -> tuple[int, bool]:
    """How far a step comes, and whether it says that all was sent."""
    return step.number, not step.HasField("recall")


def tell_json(step: Step) -> None:
    """One line for each step."""
    give_line(complete(step))


def tell_people(step: Step) -> None:
    """One line for each recall."""
    if step.HasField("recall"):
        say(line_of(step))


def line_of(step: Step) -> str:
    """A recall for people: number, whose, how much, and until when."""
    recall = step.recall
    what = f"{counted(recall.posts, 'post')} by {counted(recall.withdrawals, 'withdrawal')}"
    who = f"{recall.number}  {recall.licensee_id}  {recall.recall_id}"
    return f"{who}  {what}, due {clock_face(recall.due_at)}"
