"""Metering over gRPC: what its callers see, and what bad input gets."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1.access_pb2 import ACCESS_KIND_ACCESS, ACCESS_KIND_VIEW, ContentCount
from sluice.metering.v1.allowance_pb2 import ALLOWANCE_SCOPE_GROUP, ALLOWANCE_SCOPE_LICENSEE, Allowance
from sluice.metering.v1.metering_service_pb2_grpc import (
    MeteringServiceStub,
)
from sluice.type.v1.window_pb2 import WINDOW_ROLLING_DAY
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering import an_id
from tests.support.metering_messages import a_day, a_reserve, posts
from tests.support.metering_server import a_metering_server

DAY_US = 86_400_000_000


class Caller:
    """Calls metering as one principal."""

    def __init__(self, server: LocalServer, kind: PrincipalKind = PrincipalKind.SERVICE) -> None:
        self._peer = server.peer(kind, "licensing")
        self._stub = MeteringServiceStub(self._peer.channel)

    async def __call__(self, request: Any) -> Any:
        method = type(request).__name__.removesuffix("Request")
        return await self._peer.call(getattr(self._stub, method), request)

    async def refusal(self, request: Any) -> tuple[Kind, str]:
        with pytest.raises(Refusal) as refused:
            await self(request)
        return refused.value.kind, refused.value.reason


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def server(tmp_path: Path, clock: ManualClock) -> AsyncIterator[LocalServer]:
    async with a_metering_server(tmp_path, clock) as local:
        yield local


@pytest.fixture
def call(server: LocalServer) -> Caller:
    return Caller(server)


async def test_m1_a_hold_says_when_it_counts_and_as_of_when(call: Caller) -> None:
    answer = await call(a_reserve(1, 5))

    assert answer.state == pb.RESERVATION_STATE_HELD
    assert answer.counted_at.ToMicroseconds() == NOON_US
    assert (answer.revision.epoch, answer.revision.number) == (1, 1)
    assert not answer.HasField("no_room")


async def test_m8_no_room_says_what_is_in_the_way_and_until_when(call: Caller, clock: ManualClock) -> None:
    await call(a_reserve(1, 6, a_day(10)))
    await call(pb.SettleRequest(reservation_id=an_id(1), delivered=[posts(6)]))
    clock.advance(1)

    answer = await call(a_reserve(2, 5, a_day(10)))

    assert answer.state == pb.RESERVATION_STATE_NO_ROOM
    assert not answer.HasField("counted_at")
    assert answer.no_room == pb.NoRoom(
        allowance=a_day(10), used=6, held=0, retry_at=answer.no_room.retry_at, retry_at_is_exact=True
    )
    assert answer.no_room.retry_at.ToMicroseconds() == NOON_US + DAY_US


async def test_m8_what_can_never_fit_has_no_time_to_try_again(call: Caller) -> None:
    answer = await call(a_reserve(1, 11, a_day(10)))

    assert answer.no_room.never_fits
    assert not answer.no_room.HasField("retry_at")


async def test_no_room_names_the_rivals(call: Caller) -> None:
    first, second = a_reserve(1, 6, a_day(10)), a_reserve(2, 6, a_day(10))
    second.claim.request_key = first.claim.request_key
    await call(first)

    answer = await call(second)

    assert list(answer.rival_reservation_ids) == [an_id(1)]


async def test_m2_a_settled_reservation_adds_up(call: Caller) -> None:
    await call(a_reserve(1, 5))

    answer = await call(pb.SettleRequest(reservation_id=an_id(1), delivered=[posts(3)]))
    found = await call(pb.GetReservationRequest(reservation_id=an_id(1)))

    assert answer.reservation == found.reservation
    assert found.reservation == pb.Reservation(
        reservation_id=an_id(1),
        request_key="request-1",
        party_id="licensee-1",
        state=pb.RESERVATION_STATE_SETTLED,
        counted_at=found.reservation.counted_at,
        posts_reserved=5,
        posts_settled=3,
        posts_freed=2,
        license_id="license-1",
        access=ACCESS_KIND_ACCESS,
        reserved=[posts(5)],
    )


async def test_m2_a_cancelled_stranger_is_stored_as_such(call: Caller) -> None:
    answer = await call(pb.CancelRequest(reservation_id=an_id(1)))

    assert answer.reservation == pb.Reservation(reservation_id=an_id(1), state=pb.RESERVATION_STATE_CANCELLED)


async def test_holds_are_paged(call: Caller, clock: ManualClock) -> None:
    for n in range(1, 6):
        await call(a_reserve(n))
        clock.advance(1)

    ids: list[str] = []
    request = pb.ListHoldsRequest(page_size=2)
    while True:
        page = await call(request)
        ids += [hold.reservation_id for hold in page.holds]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token

    assert ids == [an_id(n) for n in range(1, 6)]


async def test_only_old_holds_are_listed_if_asked_for(call: Caller, clock: ManualClock) -> None:
    await call(a_reserve(1))
    clock.advance(1)
    await call(a_reserve(2))
    request = pb.ListHoldsRequest()
    request.counted_before.FromMicroseconds(NOON_US + 1)

    page = await call(request)

    assert [hold.reservation_id for hold in page.holds] == [an_id(1)]


def a_bad_reserve(**changes: Any) -> pb.ReserveRequest:
    request = a_reserve()
    for field, value in changes.items():
        message: Any = request if field == "reservation_id" else request.claim
        message.ClearField(field)
        message.MergeFrom(type(message)(**{field: value}))
    return request


def unknown_enum(field: str) -> pb.ReserveRequest:
    request = a_reserve()
    targets: dict[str, Any] = {"kind": request.claim.counts[0], "access": request.claim}
    setattr(targets.get(field, request.claim.allowances[0]), field, 99)
    return request


@pytest.mark.parametrize(
    "request_",
    [
        a_bad_reserve(reservation_id="no uuid"),
        a_bad_reserve(reservation_id="00000000-0000-7000-8000-00000000000A"),
        a_bad_reserve(request_key=""),
        a_bad_reserve(request_key="a\0b"),
        a_bad_reserve(request_key="x" * 257),
        a_bad_reserve(party_id="Not An Id"),
        a_bad_reserve(counts=[]),
        a_bad_reserve(counts=[posts(0)]),
        a_bad_reserve(counts=[posts(2**31)]),
        a_bad_reserve(counts=[posts(2**32 - 1)]),
        a_bad_reserve(counts=[posts(1), posts(2)]),
        a_bad_reserve(allowances=[a_day(2**53 + 1)]),
        a_bad_reserve(access=0),
        a_bad_reserve(license_id="Not An Id"),
        pb.ReserveRequest(reservation_id=an_id()),
        unknown_enum("access"),
        unknown_enum("kind"),
        unknown_enum("scope"),
        unknown_enum("window"),
    ],
    ids=lambda request: str(request).replace("\n", " ")[:60],
)
async def test_a_broken_request_is_refused_and_burns_no_id(call: Caller, request_: pb.ReserveRequest) -> None:
    assert await call.refusal(request_) == (Kind.INVALID, "INVALID_REQUEST")
    assert (await call(a_reserve())).state == pb.RESERVATION_STATE_HELD


@pytest.mark.parametrize("count", [1, 2**31 - 1])
async def test_the_smallest_and_the_largest_count_are_held(call: Caller, count: int) -> None:
    answer = await call(a_reserve(1, count, a_day(2**53)))

    assert answer.state == pb.RESERVATION_STATE_HELD


@pytest.mark.parametrize(
    "allowance",
    [
        a_day(id="license-2"),
        a_day(id=""),
        Allowance(scope=ALLOWANCE_SCOPE_LICENSEE, id="license-1", window=WINDOW_ROLLING_DAY, limit=5),
        Allowance(scope=ALLOWANCE_SCOPE_GROUP, id="licensee-1", window=WINDOW_ROLLING_DAY, limit=5),
    ],
)
async def test_a_limit_on_what_this_does_not_count_in_is_refused(call: Caller, allowance: Allowance) -> None:
    assert await call.refusal(a_reserve(1, 1, allowance)) == (Kind.INVALID, "ALLOWANCE_ID_INVALID")


async def test_more_posts_than_add_up_in_a_table_are_refused(call: Caller) -> None:
    request = a_reserve()
    request.claim.as_many_as_fit = True
    request.claim.ClearField("counts")
    request.claim.counts.extend([posts(2**31 - 1)] * 600)

    assert await call.refusal(request) == (Kind.INVALID, "TOO_MANY_POSTS")


async def test_m3_as_many_as_fit_says_what_is_held_and_why_not_more(call: Caller) -> None:
    request = a_reserve(1, 7, a_day(5))
    request.claim.as_many_as_fit = True

    answer = await call(request)

    assert (answer.state, list(answer.held)) == (pb.RESERVATION_STATE_HELD, [posts(5)])
    assert answer.no_room.held == 5
    assert answer.no_room.retry_at.ToMicroseconds() == NOON_US + DAY_US


async def test_m2_what_is_recorded_is_settled_at_once(call: Caller) -> None:
    request = pb.RecordRequest(reservation_id=an_id(1), claim=a_reserve(1, 5).claim)

    answer, again = await call(request), await call(request)

    assert answer == again
    assert (answer.state, list(answer.counted)) == (pb.RESERVATION_STATE_SETTLED, [posts(5)])
    assert answer.counted_at.ToMicroseconds() == NOON_US


async def test_two_limits_for_one_window_are_refused(call: Caller) -> None:
    refusal = await call.refusal(a_reserve(1, 1, a_day(10), a_day(20)))

    assert refusal == (Kind.INVALID, "ALLOWANCE_TWICE")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("request_key", lambda request: setattr(request.claim, "request_key", "other")),
        ("party_id", lambda request: setattr(request.claim, "party_id", "other")),
        ("access", lambda request: setattr(request.claim, "access", ACCESS_KIND_VIEW)),
        ("as_many_as_fit", lambda request: setattr(request.claim, "as_many_as_fit", True)),
        ("counts", lambda request: setattr(request.claim.counts[0], "posts", 2)),
        ("allowances", lambda request: setattr(request.claim.allowances[0], "limit", 2)),
    ],
)
async def test_m4_an_id_with_other_content_is_refused_naming_the_field(
    call: Caller, field: str, change: Callable[[pb.ReserveRequest], None]
) -> None:
    await call(a_reserve())
    other = a_reserve()
    change(other)

    with pytest.raises(Refusal) as refused:
        await call(other)

    assert (refused.value.kind, refused.value.reason) == (Kind.ALREADY_EXISTS, "RESERVATION_ID_REUSED")
    assert [violation.field for violation in refused.value.violations] == [field]
    assert refused.value.metadata == {"field": field}


async def test_m2_bad_endings_are_refused(call: Caller) -> None:
    await call(a_reserve(1, 5))
    await call(a_reserve(2, 5))
    await call(pb.CancelRequest(reservation_id=an_id(2)))

    def settle(n: int, *delivered: ContentCount) -> pb.SettleRequest:
        return pb.SettleRequest(reservation_id=an_id(n), delivered=delivered)

    assert await call.refusal(settle(1, posts(6))) == (Kind.PRECONDITION, "SETTLES_MORE_THAN_HELD")
    assert await call.refusal(settle(1, posts(0))) == (Kind.INVALID, "INVALID_REQUEST")
    assert await call.refusal(settle(1, posts(1), posts(1))) == (Kind.INVALID, "INVALID_REQUEST")
    assert await call.refusal(settle(2, posts(1))) == (Kind.PRECONDITION, "RESERVATION_CANCELLED")
    assert await call.refusal(settle(3)) == (Kind.NOT_FOUND, "RESERVATION_UNKNOWN")
    await call(settle(1, posts(5)))
    assert await call.refusal(settle(1, posts(4))) == (Kind.PRECONDITION, "SETTLED_OTHERWISE")
    assert await call.refusal(pb.CancelRequest(reservation_id=an_id(1))) == (
        Kind.PRECONDITION,
        "RESERVATION_SETTLED",
    )


async def test_an_unknown_reservation_is_not_found(call: Caller) -> None:
    refusal = await call.refusal(pb.GetReservationRequest(reservation_id=an_id(1)))

    assert refusal == (Kind.NOT_FOUND, "RESERVATION_UNKNOWN")


@pytest.mark.parametrize("token", ["%%%", "AAAA", "A" * 24, "not base64 at all!", "é"])
async def test_a_page_token_of_nobodys_is_refused(call: Caller, token: str) -> None:
    refusal = await call.refusal(pb.ListHoldsRequest(page_token=token))

    assert refusal == (Kind.INVALID, "PAGE_TOKEN_INVALID")


@pytest.mark.parametrize("seconds", [-(2**62), 2**62])
async def test_a_time_outside_of_the_calendar_is_refused(call: Caller, seconds: int) -> None:
    request = pb.ListHoldsRequest()
    request.counted_before.seconds = seconds

    assert await call.refusal(request) == (Kind.INVALID, "INVALID_REQUEST")


REQUESTS = [
    pb.ReserveRequest(),
    pb.RecordRequest(),
    pb.SettleRequest(),
    pb.CancelRequest(),
    pb.ListHoldsRequest(),
    pb.GetReservationRequest(),
]


@pytest.mark.parametrize("kind", sorted(set(PrincipalKind) - {PrincipalKind.SERVICE}))
async def test_nobody_but_a_service_counts(server: LocalServer, kind: PrincipalKind) -> None:
    other = Caller(server, kind)

    for request in REQUESTS[:4]:
        assert await other.refusal(request) == (Kind.FORBIDDEN, "NOT_ADMITTED")


@pytest.mark.parametrize("kind", [PrincipalKind.PIPELINE, PrincipalKind.LICENSEE, PrincipalKind.SUBJECT])
async def test_outsiders_see_no_reservation(server: LocalServer, kind: PrincipalKind) -> None:
    other = Caller(server, kind)

    for request in REQUESTS[4:]:
        assert await other.refusal(request) == (Kind.FORBIDDEN, "NOT_ADMITTED")


@pytest.mark.parametrize("kind", [PrincipalKind.OPERATOR, PrincipalKind.AUDITOR])
async def test_operators_and_auditors_may_look(
    server: LocalServer, call: Caller, kind: PrincipalKind
) -> None:
    await call(a_reserve(1))
    other = Caller(server, kind)

    holds = await other(pb.ListHoldsRequest())
    found = await other(pb.GetReservationRequest(reservation_id=an_id(1)))

    assert list(holds.holds) == [found.reservation]
