"""How allowances stand, over gRPC: each as Reserve would meet it (L3, M1, M6)."""

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.metering.domain.windows import ROLLING_DAY_US, SECOND_US
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.allowance_pb2 import (
    ALLOWANCE_SCOPE_GROUP,
    ALLOWANCE_SCOPE_LICENSE,
    ALLOWANCE_SCOPE_LICENSEE,
    Allowance,
)
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.window_pb2 import WINDOW_MINUTE, WINDOW_ROLLING_DAY, WINDOW_TERM
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering_messages import a_day
from tests.support.metering_usage import UsageCaller

DAY, MINUTE, TERM = WINDOW_ROLLING_DAY, WINDOW_MINUTE, WINDOW_TERM
OF_GROUP = Allowance(scope=ALLOWANCE_SCOPE_GROUP, window=DAY, limit=30)


def of_acme(*allowances: Allowance, license_id: str = "license-1") -> pb.Allowed:
    return pb.Allowed(party_id="acme", license_id=license_id, allowances=allowances)


def of_party(window: int, limit: int = 20) -> Allowance:
    return Allowance(scope=ALLOWANCE_SCOPE_LICENSEE, id="acme", window=window, limit=limit)  # type: ignore[arg-type]


async def rooms(call: UsageCaller, *of: pb.Allowed) -> list[list[tuple[int, str, int, int, int]]]:
    """(scope, id, limit, used, held) of each allowance."""
    answer = await call.peer.call(call.usage.GetRooms, pb.GetRoomsRequest(of=of))
    return [
        [
            (room.allowance.scope, room.allowance.id, room.allowance.limit, room.used, room.held)
            for room in each.rooms
        ]
        for each in answer.rooms
    ]


async def test_l3_what_a_hold_would_meet_is_told_in_the_order_of_the_question(call: UsageCaller) -> None:
    await call.reserve(1, 5)
    await call.settle(1, 4)
    await call.reserve(2, 7)

    found = await rooms(
        call, of_acme(of_party(TERM), a_day(10)), of_acme(a_day(9, "other"), license_id="other")
    )

    assert found == [
        [(ALLOWANCE_SCOPE_LICENSEE, "acme", 20, 4, 7), (ALLOWANCE_SCOPE_LICENSE, "license-1", 10, 4, 7)],
        [(ALLOWANCE_SCOPE_LICENSE, "other", 9, 0, 0)],
    ]


async def test_m1_what_has_left_a_window_is_not_in_it(call: UsageCaller, clock: ManualClock) -> None:
    await call.reserve(1, 5)
    clock.advance(59 * SECOND_US)
    inside = await rooms(call, of_acme(of_party(MINUTE), of_party(DAY)))
    clock.advance(SECOND_US)
    left = await rooms(call, of_acme(of_party(MINUTE), of_party(DAY)))

    assert [held for *_, held in inside[0]] == [5, 5]
    assert [held for *_, held in left[0]] == [0, 5]


async def test_m1_a_clock_that_is_behind_takes_no_hold_out_of_a_window(
    call: UsageCaller, clock: ManualClock
) -> None:
    await call.reserve(1, 5)
    clock.advance(-ROLLING_DAY_US)

    answer = await call.peer.call(call.usage.GetRooms, pb.GetRoomsRequest(of=[of_acme(of_party(MINUTE))]))

    assert [room.held for room in answer.rooms[0].rooms] == [5]
    assert answer.rooms[0].checked_at.ToMicroseconds() == NOON_US


async def test_m6_an_allowance_of_the_group_counts_its_parties_together(call: UsageCaller) -> None:
    alone = await rooms(call, of_acme(OF_GROUP))
    for party_id in ("acme", "beta"):
        await call.move(party_id, "acme-group", NOON_US)
    await call.reserve(1, 5)
    await call.reserve(2, 7, party_id="beta")

    together = await rooms(call, of_acme(OF_GROUP))

    assert alone == [[(ALLOWANCE_SCOPE_LICENSEE, "acme", 30, 0, 0)]]
    assert together == [[(ALLOWANCE_SCOPE_GROUP, "acme-group", 30, 0, 12)]]


async def test_an_allowance_that_nothing_would_be_counted_in_is_refused(call: UsageCaller) -> None:
    elses = Allowance(scope=ALLOWANCE_SCOPE_LICENSEE, id="beta", window=DAY, limit=1)

    of_another = await call.refusal(call.usage.GetRooms, pb.GetRoomsRequest(of=[of_acme(elses)]))
    twice = await call.refusal(
        call.usage.GetRooms, pb.GetRoomsRequest(of=[of_acme(of_party(DAY, 1), of_party(DAY, 2))])
    )

    assert of_another == (Kind.INVALID, "ALLOWANCE_ID_INVALID")
    assert twice == (Kind.INVALID, "ALLOWANCE_TWICE")


async def test_asking_holds_nothing(call: UsageCaller) -> None:
    before = await rooms(call, of_acme(a_day(10)))

    again = await rooms(call, of_acme(a_day(10)))

    assert before == again == [[(ALLOWANCE_SCOPE_LICENSE, "license-1", 10, 0, 0)]]


async def test_how_a_licensee_stands_is_for_operators_and_auditors(call: UsageCaller) -> None:
    acme = call.as_other(PrincipalKind.LICENSEE, "acme")

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await acme.call(UsageServiceStub(acme.channel).GetRooms, pb.GetRoomsRequest(of=[of_acme(a_day())]))
