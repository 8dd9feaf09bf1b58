"""`sluice withdrawals`: what takes back releases that were made before it (W1)."""

import re
from collections.abc import AsyncIterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.halts import scope_words
from services.console.moments import clock_face
from services.console.names import plain, word_of
from services.console.output import give_line, note, say
from services.console.watching import Watching
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.consent.v1.withdrawal_pb2 import Withdrawal, WithdrawalCause
from sluice.type.v1.purpose_pb2 import Purpose
from sluice.type.v1.revision_pb2 import Revision

LARGEST = 2**63 - 1

Steps = AbstractAsyncContextManager[AsyncIterable[pb.WatchWithdrawalsResponse]]

_POSITION = re.compile(r"([0-9]{1,19}):([0-9]{1,19})")

app = typer.Typer(help="Withdrawals: what takes back earlier releases.", no_args_is_help=True)


@app.callback()
def withdrawals() -> None:
    """Withdrawals: what takes back earlier releases."""


@app.command("watch")
def watch(
    *,
    after: Annotated[
        str, typer.Option(metavar="EPOCH:NUMBER", help="Go on after this position. Else from the beginning.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Stop when all there is has been shown.")] = False,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON document a line, checkpoints included.")
    ] = False,
) -> None:
    """Follow what takes back earlier releases, in the order of revisions, until it is interrupted.

    It goes on by itself after the connection was lost, and says at its end how to go on later. With --json a
    line is {"withdrawal": ...}, or {"checkpoint": ...}: everything up to that revision was shown.
    """
    position = position_of(after)
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    tell = tell_json if as_json else tell_people
    watching = Watching(position, tell, place_of, once=once)
    try:
        connections.run(lambda connections: watching.run(lambda after: follow(connections, after)))
    finally:
        # With --json the checkpoints say it, and stderr holds a refusal alone.
        if watching.position != position and not as_json:
            note(f"Go on with: sluice withdrawals watch --after {position_words(watching.position)}")


def place_of(step: pb.WatchWithdrawalsResponse) -> tuple[Revision, bool]:
    """How far a step comes, and whether it is a checkpoint."""
    is_checkpoint = step.HasField("checkpoint")
    return (step.checkpoint if is_checkpoint else step.withdrawal.revision), is_checkpoint


def follow(connections: Connections, after: Revision) -> Steps:
    """The stream from a position on; raises Refusal (CURSOR_OF_ANOTHER_EPOCH, CURSOR_AHEAD, and others)."""
    peer = connections.peer("consent")
    request = pb.WatchWithdrawalsRequest(after=after)
    return peer.open(StateServiceStub(peer.channel).WatchWithdrawals, request)


def tell_json(step: pb.WatchWithdrawalsResponse) -> None:
    """One line for each step."""
    give_line(plain(step))


def tell_people(step: pb.WatchWithdrawalsResponse) -> None:
    """One line for each withdrawal."""
    if step.HasField("withdrawal"):
        say(line_of(step.withdrawal))


def line_of(withdrawal: Withdrawal) -> str:
    """A withdrawal for people: position, time, cause, and what it is about."""
    about = [
        f"subject {withdrawal.subject_id}" if withdrawal.subject_id else "",
        f"post {withdrawal.post_id}" if withdrawal.post_id else "",
        f"policy version {withdrawal.policy_version}" if withdrawal.policy_version else "",
        f"halt of {scope_words(withdrawal.halt)}" if withdrawal.HasField("halt") else "",
        f"from {withdrawal.licensee_id}" if withdrawal.licensee_id else "",
        purpose_words(withdrawal.purposes),
        f"in {' '.join(withdrawal.countries)}" if withdrawal.countries else "",
    ]
    cause = word_of(WithdrawalCause.DESCRIPTOR, withdrawal.cause)
    position = position_words(withdrawal.revision)
    return f"{position}  {clock_face(withdrawal.recorded_at)}  {cause}: {', '.join(filter(None, about))}"


def purpose_words(purposes: Sequence[int]) -> str:
    """Which they are; all at once where they are all, but for what nobody can choose on."""
    left = set(Purpose.values()) - {0, *purposes}
    if len(left) <= 1:
        but = [word_of(Purpose.DESCRIPTOR, purpose) for purpose in left]
        return " but ".join(["for every purpose", *but])
    return "for " + " ".join(word_of(Purpose.DESCRIPTOR, purpose) for purpose in purposes)


def position_of(text: str) -> Revision:
    """A position like 1:23; from the beginning for an empty text. Raises typer.BadParameter."""
    if not text:
        return Revision()
    match = _POSITION.fullmatch(text)
    if not match or max(map(int, match.groups())) > LARGEST:
        raise typer.BadParameter(f"a position like 1:23 is expected, not {text!r}", param_hint="--after")
    return Revision(epoch=int(match[1]), number=int(match[2]))


def position_words(position: Revision) -> str:
    """Back from `position_of`."""
    return f"{position.epoch}:{position.number}"
