"""The login wall over gRPC, on each engine: raised, lowered, and every change on record."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing.domain.doors.walls import WallChange
from services.licensing.storage.walls import WallStore
from sluice.licensing.v1 import wall_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.walls import TRUST, a_lower, a_raise, ask, serving_walls

AUDITOR = (PrincipalKind.AUDITOR, "eve")


@pytest_asyncio.fixture
async def service(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving_walls(database, clock, tmp_path) as server:
        yield server


def at(us: int) -> Timestamp:
    time = Timestamp()
    time.FromMicroseconds(us)
    return time


async def test_there_is_no_wall_before_one_is_raised(service: LocalServer) -> None:
    found = await ask(service, "GetWall", pb.GetWallRequest(), AUDITOR)

    assert (found.up, found.HasField("last"), found.at) == (False, False, at(NOON_US))


async def test_a_wall_stands_until_its_end_and_says_who_passes_and_why(
    service: LocalServer, clock: ManualClock
) -> None:
    tiers = [pb.WALL_TIER_RESEARCH, pb.WALL_TIER_API]

    raised = await ask(service, "RaiseWall", a_raise(lasts=Duration(seconds=60), tiers=tiers))
    during = await ask(service, "GetWall", pb.GetWallRequest())
    clock.advance(60_000_000)
    after = await ask(service, "GetWall", pb.GetWallRequest())

    assert raised.change == pb.WallChange(
        number=1,
        raised=True,
        tiers=[pb.WALL_TIER_API, pb.WALL_TIER_RESEARCH],
        reason="scraping",
        until=at(NOON_US + 60_000_000),
        changed_by="operator:ada",
        changed_at=at(NOON_US),
    )
    assert (during.up, during.last) == (True, raised.change)
    assert (after.up, after.last) == (False, raised.change)


async def test_a_repeated_request_changes_nothing_and_is_answered_as_before(service: LocalServer) -> None:
    request = a_raise()

    first = await ask(service, "RaiseWall", request)
    await ask(service, "LowerWall", a_lower())
    again = await ask(service, "RaiseWall", request)

    assert again == first
    assert not (await ask(service, "GetWall", pb.GetWallRequest())).up
    request.reason = "another"
    with pytest.raises(Refusal, match="REQUEST_ID_REUSED"):
        await ask(service, "RaiseWall", request)


async def test_every_change_is_on_record_newest_first_page_by_page(service: LocalServer) -> None:
    await ask(service, "RaiseWall", a_raise("one"))
    await ask(service, "RaiseWall", a_raise("two", tiers=[pb.WALL_TIER_KNOWN]))
    await ask(service, "LowerWall", a_lower("three"))

    first = await ask(service, "ListWallChanges", pb.ListWallChangesRequest(page_size=2), AUDITOR)
    rest = await ask(
        service, "ListWallChanges", pb.ListWallChangesRequest(page_token=first.next_page_token), AUDITOR
    )

    found = [(change.number, change.raised, change.reason) for change in (*first.changes, *rest.changes)]
    assert found == [(3, False, "three"), (2, True, "two"), (1, True, "one")]
    assert rest.next_page_token == ""


async def test_what_happened_never_lies_before_what_happened_earlier(
    service: LocalServer, clock: ManualClock
) -> None:
    await ask(service, "RaiseWall", a_raise())
    clock.advance(-5_000_000)

    lowered = await ask(service, "LowerWall", a_lower())

    assert lowered.change.changed_at == at(NOON_US)


@pytest.mark.parametrize(
    ("rpc", "request_", "reason"),
    [
        ("RaiseWall", a_raise(until=at(NOON_US)), "WALL_END_PAST"),
        ("RaiseWall", a_raise(until=Timestamp(seconds=2**40)), "INVALID_REQUEST"),
        ("RaiseWall", a_raise(lasts=Duration(seconds=0)), "INVALID_REQUEST"),
        ("RaiseWall", a_raise(lasts=Duration(seconds=-5)), "INVALID_REQUEST"),
        ("RaiseWall", a_raise(reason=""), "INVALID_REQUEST"),
        ("RaiseWall", a_raise(tiers=[pb.WALL_TIER_UNSPECIFIED]), "INVALID_REQUEST"),
        ("RaiseWall", a_raise(tiers=[pb.WALL_TIER_API, pb.WALL_TIER_API]), "INVALID_REQUEST"),
        ("LowerWall", a_lower(), "WALL_NOT_UP"),
        ("LowerWall", pb.LowerWallRequest(request_id="x", reason="over"), "INVALID_REQUEST"),
        ("ListWallChanges", pb.ListWallChangesRequest(page_token="?"), "PAGE_TOKEN_INVALID"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_leaves_no_trace(
    service: LocalServer, rpc: str, request_: Any, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        await ask(service, rpc, request_)

    assert not (await ask(service, "GetWall", pb.GetWallRequest())).HasField("last")
    # No number was used up either.
    assert (await ask(service, "RaiseWall", a_raise())).change.number == 1


@pytest.mark.parametrize("rpc", ["RaiseWall", "LowerWall", "GetWall", "ListWallChanges"])
@pytest.mark.parametrize(
    ("who", "may"),
    [
        (TRUST, {"RaiseWall", "LowerWall", "GetWall", "ListWallChanges"}),
        (
            (PrincipalKind.OPERATOR, "root", ("admin",)),
            {"RaiseWall", "LowerWall", "GetWall", "ListWallChanges"},
        ),
        ((PrincipalKind.OPERATOR, "lex", ("legal", "finance")), {"GetWall", "ListWallChanges"}),
        (AUDITOR, {"GetWall", "ListWallChanges"}),
        ((PrincipalKind.LICENSEE, "acme"), set()),
        ((PrincipalKind.SUBJECT, "7"), set()),
        ((PrincipalKind.PIPELINE, "export"), set()),
    ],
)
async def test_trust_and_admin_change_the_wall_operators_and_auditors_read_it_and_nobody_else(
    service: LocalServer, rpc: str, who: tuple[Any, ...], may: set[str]
) -> None:
    requests = {"RaiseWall": a_raise(), "LowerWall": a_lower()}
    request = requests.get(rpc) or getattr(pb, f"{rpc}Request")()

    if rpc in may:
        try:
            await ask(service, rpc, request, who)
        except Refusal as refusal:
            assert refusal.reason == "WALL_NOT_UP"
        return
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await ask(service, rpc, request, who)


async def test_a_tier_that_this_program_does_not_know_opens_nothing(database: Database) -> None:
    store = WallStore(database)
    change = WallChange(1, True, frozenset(), "later release", None, "operator:ada", NOON_US)
    await store.write(lambda rows: rows.add_wall_change(change))
    await database.write(lambda c: c.exec_driver_sql("UPDATE wall_changes SET tiers = 513"))

    found = await store.read(lambda rows: rows.last_wall_change())

    assert found == change
