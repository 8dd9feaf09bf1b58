"""`sluice damages assess`: what the clause comes to, to look at or to put on record (D1 to D4)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import typer

from services.chassis.clock import SystemClock
from services.chassis.refusals import Refusal, unavailable
from services.console import damages_options as asked
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.damages_words import tell as tell_assessment
from services.console.long_work import Tell, told
from services.console.names import complete
from services.console.output import give_json, say
from services.console.pages import Sleep, pause_us
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment, AssessmentScope
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub

STEPS = {
    pb.ASSESSMENT_STAGE_READINGS: "Looking for the periods under each reading",
    pb.ASSESSMENT_STAGE_EVIDENCE: "Reading the evidence",
}

Open = Callable[[], AbstractAsyncContextManager[Any]]


def assess(
    *,
    party: asked.Party = None,
    group: asked.Group = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From this time on (2026-01-31T12:00:00Z).")
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until just before this time. Else now.")] = "",
    last: Annotated[
        str, typer.Option(metavar="DURATION", help="Instead of --since: this long before the end, as in 30d.")
    ] = "",
    policy: Annotated[int | None, typer.Option(help="Version of the policy. Else the latest.", min=1)] = None,
    jurisdiction: Annotated[str, typer.Option(help="Where it is to be claimed, as in US-CA.")] = "",
    assisted: Annotated[
        list[str] | None, typer.Option(metavar="ID=HOW", help="Who assisted, and how. Repeatable.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Put it on record, with all evidence.")] = False,
    all_readings: asked.AllReadings = False,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Work out what the clause comes to for a party or a group: a preview, unless --record is given.

    Shows each period with its amount, who is liable, and what other readings of the clause would come to.
    A source that has been silent for a minute may still have more to report: silence proves nothing.

    Example: `sluice damages assess --party acme --last 30d --jurisdiction US-CA`
    """
    scope = AssessmentScope(
        of=asked.whose(party, group),
        policy_version=policy or 0,
        jurisdiction=jurisdiction,
        assisted=asked.assistants(assisted or []),
    )
    asked.put_stretch(scope, (since, until, last), SystemClock().now_us())
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    work = record_assessment if record else preview_assessment
    with told(as_json=as_json) as tell:
        found = connections.run(lambda connections: work(connections, scope, tell))
    if as_json:
        give_json(complete(found))
        return
    tell_assessment(found, all_readings=all_readings)
    if record:
        say(f"The bundle for the other side: sluice damages export {found.assessment_id} FOLDER")


async def preview_assessment(connections: Connections, scope: AssessmentScope, tell: Tell) -> Assessment:
    """Keeps nothing; raises Refusal."""
    peer = connections.peer("metering")
    request = pb.PreviewAssessmentRequest(scope=scope)
    return await worked_out(
        lambda: peer.open(DamagesServiceStub(peer.channel).PreviewAssessment, request), tell
    )


async def record_assessment(connections: Connections, scope: AssessmentScope, tell: Tell) -> Assessment:
    """Under a fresh request id; raises Refusal."""
    peer = connections.peer("metering")
    request = pb.RecordAssessmentRequest(request_id=connections.new_id(), scope=scope)
    return await worked_out(
        lambda: peer.open(DamagesServiceStub(peer.channel).RecordAssessment, request), tell
    )


async def worked_out(open_stream: Open, tell: Tell, sleep: Sleep = asyncio.sleep) -> Assessment:
    """The answer, whose parts are the last of a stream; a stream that is lost is asked for again.

    Nothing is put on record twice by that: the request is the same. Raises the Refusal that no patience
    helps against, or that came too often without getting further.
    """
    failures, furthest = 0, (0, 0)

    def progressed(progress: pb.AssessmentProgress) -> None:
        nonlocal failures, furthest
        reached = (progress.stage, progress.done)
        # Each stream begins anew: only one that came further than all before it shows that patience helps.
        if reached > furthest:
            failures, furthest = 0, reached
        tell(STEPS.get(progress.stage, "Working"), progress.done, progress.of)

    while True:
        try:
            async with open_stream() as steps:
                return await _last(steps, progressed)
        except Refusal as refusal:
            failures += 1
            await sleep(pause_us(refusal, failures) / 1_000_000)


async def _last(steps: Any, progressed: Callable[[pb.AssessmentProgress], None]) -> Assessment:
    found: Assessment | None = None
    # To the end: a call that is left before it counts as given up by the caller.
    async for step in steps:
        if step.HasField("assessment"):
            found = found or Assessment()
            found.MergeFrom(step.assessment)
        else:
            progressed(step.progress)
    if found is None:
        raise unavailable("PEER_UNAVAILABLE", "metering ended before it gave an answer")
    return found
