"""Arguments and options that several commands of `sluice damages` share, and how they are read."""

from typing import Annotated

import typer

from services.console.usage_options import stretch
from sluice.metering.v1.damages_pb2 import AssessmentScope, Assistant
from sluice.metering.v1.usage_pb2 import UsageOf

Party = Annotated[str | None, typer.Option(metavar="ID", help="Of this party.")]
Group = Annotated[
    str | None, typer.Option(metavar="ID", help="Of this group: each party while it belonged to it.")
]
AssessmentId = Annotated[str, typer.Argument(metavar="ID", help="The assessment, a UUID.")]
ProposalId = Annotated[str, typer.Argument(metavar="PROPOSAL", help="The proposal, a UUID.")]
AllReadings = Annotated[
    bool,
    typer.Option("--all-readings", help="Every reading, not only those that differ in one thing."),
]


def whose(party: str | None, group: str | None) -> UsageOf:
    """Who is assessed; raises typer.BadParameter unless exactly one is named."""
    if not (party or group) or (party is not None and group is not None):
        raise typer.BadParameter("whose? One of them is expected, and not two", param_hint="--party, --group")
    return UsageOf(party_id=party, group_id=group)


def assistants(given: list[str]) -> list[Assistant]:
    """Who assisted, each as ID=HOW; raises typer.BadParameter."""
    found = []
    for text in given:
        party_id, _, how = text.partition("=")
        if not party_id or not how:
            raise typer.BadParameter(f"ID=HOW is expected, not {text!r}", param_hint="--assisted")
        found.append(Assistant(party_id=party_id, how=how))
    return found


def put_stretch(scope: AssessmentScope, times: tuple[str, str, str], now_us: int) -> None:
    """Says of a scope from when and until when it is: `times` are since, until, and how long before the end.

    `now_us` is where it ends else, in microseconds since 1970 UTC. Raises typer.BadParameter.
    """
    since, until, last = times
    if not since and not last:
        raise typer.BadParameter("from when on? One of them is expected", param_hint="--since, --last")
    found = stretch(since, until, now_us, last)
    assert found.since is not None, "a beginning was given"
    scope.since.CopyFrom(found.since)
    if found.until is None:
        scope.until.FromMicroseconds(now_us)
    else:
        scope.until.CopyFrom(found.until)
