"""`sluice usage audit` and `rebuild`: whether what was counted adds up, and the sums made anew.

Metering checks its own sums. Only who talks to both services can say whether licensing knows every hold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from services.chassis.clock import SystemClock
from services.console import durations, moments, options
from services.console.checks import JsonTeller, PlainTeller, Teller, check_json
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain
from services.console.output import counted, give_json, note, say, show, table
from services.console.usage import ANSWER_US
from sluice.licensing.v1 import release_service_pb2 as releases
from sluice.licensing.v1.release_service_pb2 import AttemptState
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.metering.v1 import metering_service_pb2 as metering
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub

PAGE = 1_000
"""Holds on a page, and ids that licensing is asked about at once."""
OLD_HOLDS = "Licensing knows every old hold and has not given it up"

Difference = pb.AuditUsageResponse.Difference


@dataclass(frozen=True)
class Audit:
    """What was found."""

    checks: list[pb.AuditUsageResponse]
    old_holds: list[metering.Reservation]
    """Holds that somebody should have resolved by now."""
    young_hold_count: int
    """Holds that licensing was not asked about: it may be deciding on them."""

    @property
    def difference_count(self) -> int:
        """Of all checks."""
        return sum(check.difference_count for check in self.checks)


def audit(
    *,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="Look at holds that are older than this.")
    ] = "5m",
    address: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Check that all that was counted adds up, and look for holds that nobody resolves.

    Names every difference. A hold counts in full until licensing settles or cancels it, however long that
    is: old ones are listed, and compared with what licensing knows; younger ones are counted and left out.
    Says on stderr which check is at work; with --json each is a line there as it starts and when it is done.
    Exits with 1 when something differs.
    """
    age_us = options.duration_us(older_than, "--older-than")
    addresses = {"metering": address, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, addresses)
    teller: Teller = JsonTeller() if as_json else PlainTeller()
    now_us = SystemClock().now_us()
    found = connections.run(lambda connections: run_audit(connections, now_us, age_us, teller))
    if as_json:
        give_json(audit_json(found))
    else:
        tell_end(found, durations.words(age_us))
    if found.difference_count:
        raise typer.Exit(1)


def rebuild(
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Drop the sums by second, minute and hour, and have them made anew.

    Meanwhile answers are the same, and slower.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    answer = connections.run(rebuild_projections)
    if as_json:
        give_json(plain(answer))
    else:
        say(f"The sums are being made anew, up to revision {answer.revision.number}.")


async def run_audit(connections: Connections, now_us: int, age_us: int, teller: Teller) -> Audit:
    """Every check, told as it starts and as soon as it is done; of holds, those older than an age.

    Times are in microseconds. Raises Refusal: an audit that could not ask everybody has found nothing to be
    right.
    """
    checks = await audit_sums(connections, teller)
    teller.started(OLD_HOLDS)
    old, young_count = await list_holds(connections, now_us, now_us - age_us)
    checks.append(await check_holds(connections, old))
    teller.done(checks[-1])
    return Audit(checks, old, young_count)


async def audit_sums(connections: Connections, teller: Teller) -> list[pb.AuditUsageResponse]:
    """Every check that metering makes of its own sums, told as it starts and is done; raises Refusal."""
    peer, checks = connections.peer("metering"), list[pb.AuditUsageResponse]()
    async with peer.open(UsageServiceStub(peer.channel).AuditUsage, pb.AuditUsageRequest()) as answers:
        async for check in answers:
            if check.step == pb.AUDIT_STEP_STARTED:
                teller.started(check.check)
            else:
                checks.append(check)
                teller.done(check)
    return checks


async def list_holds(
    connections: Connections, now_us: int, before_us: int
) -> tuple[list[metering.Reservation], int]:
    """All holds counted before a time, oldest first, and how many were counted from then until now.

    Times are in microseconds. Raises Refusal.
    """
    peer = connections.peer("metering")
    stub = MeteringServiceStub(peer.channel)
    before = moments.from_us(now_us)
    old: list[metering.Reservation] = []
    young_count, token = 0, ""
    while True:
        request = metering.ListHoldsRequest(counted_before=before, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListHolds, request, at_most_us=ANSWER_US)
        of_page = [hold for hold in page.holds if hold.counted_at.ToMicroseconds() < before_us]
        old += of_page
        young_count += len(page.holds) - len(of_page)
        token = page.next_page_token
        if not token:
            return old, young_count


async def check_holds(
    connections: Connections, holds: Sequence[metering.Reservation]
) -> pb.AuditUsageResponse:
    """Compares old holds with what licensing knows of them; raises Refusal."""
    differences: list[Difference] = []
    for first in range(0, len(holds), PAGE):
        page = holds[first : first + PAGE]
        states = await ask_licensing(connections, [hold.reservation_id for hold in page])
        differences += hold_differences(page, states)
    return pb.AuditUsageResponse(
        check=OLD_HOLDS,
        compared=len(holds),
        differences=differences,
        difference_count=len(differences),
    )


async def ask_licensing(connections: Connections, ids: Sequence[str]) -> Sequence[AttemptState]:
    """What became of at most `PAGE` attempts, in their order; raises Refusal."""
    peer = connections.peer("licensing")
    request = releases.CheckAttemptsRequest(reservation_ids=ids)
    return (await peer.call(ReleaseServiceStub(peer.channel).CheckAttempts, request)).states


_EXPECTED = {
    releases.ATTEMPT_STATE_TOMBSTONED: "cancelled, for licensing has given it up",
    releases.ATTEMPT_STATE_LOST: "settled in full, for licensing may have lost its decision",
}
"""What is to become of a hold, by how its attempt ended."""


def hold_differences(
    holds: Sequence[metering.Reservation], states: Sequence[AttemptState]
) -> Iterator[Difference]:
    """Of a page. What has concluded may be held until its delivery is confirmed or its permit runs out."""
    for hold, state in zip(holds, states, strict=True):
        if state == releases.ATTEMPT_STATE_CONCLUDED:
            continue
        yield Difference(
            subject=f"reservation {hold.reservation_id}",
            expected=_EXPECTED.get(state, "known to licensing"),
            found=hold_words(hold),
        )


async def rebuild_projections(connections: Connections) -> pb.RebuildProjectionsResponse:
    """Under a fresh request id; raises Refusal."""
    peer = connections.peer("metering")
    request = pb.RebuildProjectionsRequest(request_id=connections.new_id())
    return await peer.call(UsageServiceStub(peer.channel).RebuildProjections, request, at_most_us=ANSWER_US)


def hold_words(hold: metering.Reservation) -> str:
    """A hold for people: how many posts, of whom, since when."""
    posts = counted(hold.posts_reserved - hold.posts_settled - hold.posts_freed, "post")
    return f"{posts} of {hold.party_id} held since {clock_face(hold.counted_at)}"


def tell_end(found: Audit, age: str) -> None:
    """Old holds, and what it all comes to."""
    if found.old_holds:
        say(f"{counted(len(found.old_holds), 'hold')} older than {age}:")
        rows = [(hold.reservation_id, hold_words(hold)) for hold in found.old_holds]
        show(table(("  reservation", "holds"), [(f"  {id}", words) for id, words in rows]))
    else:
        say(f"No hold is older than {age}.")
    say(young_words(found.young_hold_count, age))
    if found.difference_count:
        note(f"{counted(found.difference_count, 'difference')}.")
    else:
        say("All that was compared adds up.")


def young_words(count: int, age: str) -> str:
    """Of how many holds nothing is known."""
    if not count:
        return f"No hold is younger than {age}, so none was left out."
    holds = f"{counted(count, 'hold is', 'holds are')} younger than {age}"
    return f"{holds}: too young to ask licensing about, and left out."


def audit_json(found: Audit) -> dict[str, Any]:
    """What was found, for programs; numbers are there also where they are 0."""
    return {
        "difference_count": found.difference_count,
        "checks": [check_json(check) for check in found.checks],
        "old_holds": [plain(hold) for hold in found.old_holds],
        "young_hold_count": found.young_hold_count,
    }
