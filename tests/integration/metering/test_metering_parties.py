"""PartyService over gRPC: who is counted, and who is counted together (M6)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from sluice.metering.v1 import party_service_pb2 as pb
from sluice.metering.v1.allowance_pb2 import ALLOWANCE_SCOPE_GROUP, Allowance
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.metering.v1.party_pb2 import Membership, Party
from sluice.metering.v1.party_service_pb2_grpc import PartyServiceStub
from sluice.type.v1.window_pb2 import WINDOW_ROLLING_DAY, WINDOW_TERM
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering import an_id
from tests.support.metering_messages import a_reserve
from tests.support.metering_server import a_metering_server

YEAR_US = 366 * ROLLING_DAY_US


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def server(tmp_path: Path, clock: ManualClock) -> AsyncIterator[LocalServer]:
    async with a_metering_server(tmp_path, clock) as local:
        yield local


class Operator:
    """Keeps the parties."""

    def __init__(self, server: LocalServer, clock: ManualClock) -> None:
        self._peer = server.peer(PrincipalKind.OPERATOR, roles=("admin",))
        self._stub = PartyServiceStub(self._peer.channel)
        self._clock = clock

    async def __call__(self, request: Any) -> Any:
        name = type(request).__name__.removesuffix("Request")
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = uuid7(self._clock.now_us())
        return await self._peer.call(getattr(self._stub, name), request)

    async def refusal(self, request: Any) -> tuple[Kind, str]:
        with pytest.raises(Refusal) as refused:
            await self(request)
        return refused.value.kind, refused.value.reason

    async def put(self, *ids: str) -> None:
        for id in ids:
            await self(pb.PutPartyRequest(party=Party(party_id=id, display_name=id.title())))

    async def move(self, party_id: str, group_id: str, at_us: int | None = None) -> pb.MovePartyResponse:
        request = pb.MovePartyRequest(party_id=party_id, group_id=group_id)
        if at_us is not None:
            request.effective_at.FromMicroseconds(at_us)
        answer: pb.MovePartyResponse = await self(request)
        return answer


@pytest.fixture
def operator(server: LocalServer, clock: ManualClock) -> Operator:
    return Operator(server, clock)


def span(party_id: str, group_id: str, since_us: int, until_us: int | None = None) -> Membership:
    membership = Membership(party_id=party_id, group_id=group_id)
    membership.since.FromMicroseconds(since_us)
    if until_us is not None:
        membership.until.FromMicroseconds(until_us)
    return membership


async def test_m6_a_party_is_as_it_was_described_for_the_time_asked_about(
    operator: Operator, clock: ManualClock
) -> None:
    await operator.put("acme")
    clock.advance(SECOND_US)
    vetted = Party(party_id="acme", vetted_research=True, affiliates=["lab", "acme-eu"])
    put = await operator(pb.PutPartyRequest(party=vetted))

    now = await operator(pb.GetPartyRequest(party_id="acme"))
    request = pb.GetPartyRequest(party_id="acme")
    request.as_of.FromMicroseconds(NOON_US)
    before = await operator(request)

    assert (put.revision.number, put.effective_at.ToMicroseconds()) == (2, NOON_US + SECOND_US)
    assert now.party == Party(party_id="acme", vetted_research=True, affiliates=["acme-eu", "lab"])
    assert before.party == Party(party_id="acme", display_name="Acme")


async def test_m6_memberships_may_come_in_any_order(operator: Operator) -> None:
    await operator.put("acme")

    later = await operator.move("acme", "blue", NOON_US + MINUTE_US)
    earlier = await operator.move("acme", "red", NOON_US - MINUTE_US)
    replaced = await operator.move("acme", "green", NOON_US + MINUTE_US)
    await operator.move("acme", "", NOON_US + 2 * MINUTE_US)

    assert [later.back_dated, earlier.back_dated, replaced.back_dated] == [False, True, False]
    found = await operator(pb.GetPartyRequest(party_id="acme"))
    assert found.group_id == "red"
    assert list(found.memberships) == [
        span("acme", "red", NOON_US - MINUTE_US, NOON_US + MINUTE_US),
        span("acme", "green", NOON_US + MINUTE_US, NOON_US + 2 * MINUTE_US),
    ]


async def test_m6_a_group_lists_all_who_were_ever_in_it_in_pages(operator: Operator) -> None:
    await operator.put("a", "b", "c", "d")
    for id in ("c", "a", "b"):
        await operator.move(id, "red", NOON_US)
    await operator.move("b", "blue", NOON_US + SECOND_US)

    listed: list[Membership] = []
    request = pb.ListMembershipsRequest(group_id="red", page_size=2)
    while True:
        page = await operator(request)
        listed += page.memberships
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token

    assert listed == [
        span("a", "red", NOON_US),
        span("b", "red", NOON_US, NOON_US + SECOND_US),
        span("c", "red", NOON_US),
    ]


async def test_parties_are_listed_in_pages_with_their_groups(operator: Operator) -> None:
    await operator.put("b", "a", "c")
    await operator.move("b", "red")

    first = await operator(pb.ListPartiesRequest(page_size=2))
    second = await operator(pb.ListPartiesRequest(page_size=2, page_token=first.next_page_token))

    assert [(entry.party.party_id, entry.group_id) for entry in first.entries] == [("a", ""), ("b", "red")]
    assert [entry.party.display_name for entry in second.entries] == ["C"]
    assert not second.next_page_token


async def test_m6_a_group_is_limited_as_one_and_only_from_now_on(
    server: LocalServer, operator: Operator, clock: ManualClock
) -> None:
    service = server.peer(PrincipalKind.SERVICE, "licensing")
    stub = MeteringServiceStub(service.channel)
    await operator.put("one", "two")

    async def reserve(n: int, party_id: str, posts: int) -> metering_pb.ReserveResponse:
        limit = Allowance(scope=ALLOWANCE_SCOPE_GROUP, window=WINDOW_ROLLING_DAY, limit=10)
        request = a_reserve(n, posts, limit)
        request.claim.party_id = party_id
        return await service.call(stub.Reserve, request)

    await reserve(1, "one", 8)
    await operator.move("one", "red", NOON_US)
    await operator.move("two", "red", NOON_US)

    both = [await reserve(2, "one", 6), await reserve(3, "two", 6), await reserve(4, "two", 4)]

    held, no_room = metering_pb.RESERVATION_STATE_HELD, metering_pb.RESERVATION_STATE_NO_ROOM
    assert [answer.state for answer in both] == [held, no_room, held]
    assert both[1].no_room.allowance.id == "red"
    assert (both[1].no_room.used, both[1].no_room.held) == (0, 6)
    found = await service.call(
        stub.GetReservation, metering_pb.GetReservationRequest(reservation_id=an_id(2))
    )
    assert found.reservation.group_id == "red"


async def test_m8_a_full_term_of_a_group_that_is_to_be_left_is_not_full_for_good(
    server: LocalServer, operator: Operator
) -> None:
    service = server.peer(PrincipalKind.SERVICE, "licensing")
    stub = MeteringServiceStub(service.channel)
    await operator.put("one")
    await operator.move("one", "red", NOON_US)
    limit = Allowance(scope=ALLOWANCE_SCOPE_GROUP, window=WINDOW_TERM, limit=10)
    first = metering_pb.RecordRequest(reservation_id=an_id(1), claim=a_reserve(1, 10, limit).claim)
    first.claim.party_id = "one"
    await service.call(stub.Record, first)

    async def ask(n: int) -> metering_pb.NoRoom:
        request = a_reserve(n, 1, limit)
        request.claim.party_id = "one"
        return (await service.call(stub.Reserve, request)).no_room

    for_good = await ask(2)
    await operator.move("one", "blue", NOON_US + MINUTE_US)
    for_now = await ask(3)

    assert (for_good.never_fits, for_now.never_fits) == (True, False)
    assert not for_now.HasField("retry_at")


async def test_a_repeated_change_is_noted_once(operator: Operator, clock: ManualClock) -> None:
    request = pb.PutPartyRequest(request_id=uuid7(clock.now_us()), party=Party(party_id="acme"))
    first = await operator(request)
    clock.advance(SECOND_US)

    again = await operator(request)
    request.party.display_name = "Acme"
    other = await operator.refusal(request)

    assert again == first
    assert other == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_nobody_unknown_is_put_into_a_group(operator: Operator) -> None:
    refusal = await operator.refusal(pb.MovePartyRequest(party_id="acmee", group_id="red"))

    assert refusal == (Kind.NOT_FOUND, "PARTY_UNKNOWN")
    assert await operator.refusal(pb.GetPartyRequest(party_id="acmee")) == refusal


@pytest.mark.parametrize("at_us", [-1, NOON_US + YEAR_US + 1])
async def test_a_time_that_is_likely_mistyped_is_refused(operator: Operator, at_us: int) -> None:
    request = pb.PutPartyRequest(party=Party(party_id="acme"))
    request.effective_at.FromMicroseconds(at_us)

    assert await operator.refusal(request) == (Kind.INVALID, "EFFECTIVE_TIME_INVALID")


@pytest.mark.parametrize(
    "request_",
    [
        pb.PutPartyRequest(),
        pb.PutPartyRequest(party=Party(party_id="No Id")),
        pb.PutPartyRequest(party=Party(party_id="acme", display_name="a\0b")),
        pb.PutPartyRequest(party=Party(party_id="acme", affiliates=["a", "a"])),
        pb.MovePartyRequest(party_id="acme", group_id="No Id"),
        pb.GetPartyRequest(),
        pb.ListPartiesRequest(page_size=1001),
        pb.ListMembershipsRequest(group_id=""),
    ],
    ids=lambda request: str(request).replace("\n", " ")[:40] or "empty",
)
async def test_a_broken_request_is_refused(operator: Operator, request_: Any) -> None:
    assert await operator.refusal(request_) == (Kind.INVALID, "INVALID_REQUEST")


@pytest.mark.parametrize("token", ["%%%", "é", "_w=="])
async def test_a_page_token_of_nobodys_is_refused(operator: Operator, token: str) -> None:
    refusal = await operator.refusal(pb.ListPartiesRequest(page_token=token))

    assert refusal == (Kind.INVALID, "PAGE_TOKEN_INVALID")
