"""UsageService over gRPC: what was seen elsewhere, what was counted, and whether it adds up (M5 to M7)."""

import random
from collections import Counter
from typing import Any

import pytest

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.metering.domain.windows import HOUR_US, MINUTE_US, ROLLING_DAY_US, SECOND_US
from services.metering.storage.projecting import SqlProjections
from sluice.metering.v1 import access_pb2, usage_pb2
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST, CONTENT_KIND_REPLY
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering_usage import (
    ACCESS,
    GATE,
    SEEN,
    VIEW,
    UsageCaller,
    an_access,
    of_party,
)

POST, REPLY = CONTENT_KIND_POST, CONTENT_KIND_REPLY


async def project(database: Database) -> None:
    """Brings the sums up to date."""
    while await SqlProjections(database).advance():
        pass


async def test_m5_usage_is_told_by_kind_of_access_and_content(call: UsageCaller) -> None:
    await call.reserve(1, 5)
    await call.settle(1, 4)
    await call.reserve(2, 7)
    await call.report(
        an_access("a", access=VIEW, posts=2),
        an_access("b", kind=REPLY, media_flags=3),
        an_access("c", kind=REPLY, media_flags=3, posts=4),
    )

    assert await call.rows(of_party()) == [
        (GATE, ACCESS, POST, 0, 4, 7),
        (SEEN, VIEW, POST, 0, 2, 0),
        (SEEN, ACCESS, REPLY, 3, 5, 0),
    ]
    assert await call.rows(usage_pb2.UsageOf(license_id="license-1")) == [(GATE, ACCESS, POST, 0, 4, 7)]
    assert await call.rows(of_party("nobody")) == []


async def test_m6_a_group_is_its_parties_for_as_long_as_they_belong_to_it(
    call: UsageCaller, clock: ManualClock
) -> None:
    red = usage_pb2.UsageOf(group_id="red")
    for n, at_us in enumerate((NOON_US - 1, NOON_US, NOON_US + SECOND_US - 1, NOON_US + SECOND_US)):
        await call.report(an_access(f"a{n}", at_us, posts=10**n), an_access(f"b{n}", at_us, "other"))
    await call.move("acme", "red", NOON_US)
    await call.move("acme", "", NOON_US + SECOND_US)
    clock.advance(MINUTE_US)

    alone = await call.rows(red)
    await call.move("other", "red", 0)
    both = await call.rows(red)
    first = await call.rows(red, NOON_US - 1, NOON_US)

    assert alone == [(SEEN, ACCESS, POST, 0, 110, 0)]
    assert both == [(SEEN, ACCESS, POST, 0, 114, 0)]
    assert first == [(SEEN, ACCESS, POST, 0, 11, 0)]
    assert await call.peaks(red, SECOND_US, NOON_US - MINUTE_US) == [(112, NOON_US + SECOND_US - 1)]


async def a_busy_day(call: UsageCaller, clock: ManualClock) -> Counter[int]:
    """Posts by the time at which they count; some of them held and freed, most of them seen."""
    chance = random.Random(7)
    counted: Counter[int] = Counter()
    times = [
        NOON_US
        - chance.choice((SECOND_US, MINUTE_US, HOUR_US, 5 * HOUR_US)) * chance.randint(0, 9)
        + chance.choice((0, 0, 1, -1, 12_345))
        for _ in range(120)
    ]
    clock.advance(-6 * HOUR_US)
    for n in range(1, 9):
        clock.advance(chance.choice((1, SECOND_US, MINUTE_US, HOUR_US // 2)))
        await call.reserve(n, 10)
        if n % 3:
            await call.settle(n, n % 4)
        counted[clock.now_us()] += n % 4 if n % 3 else 10
    clock.advance(NOON_US + HOUR_US - clock.now_us())
    accesses = [an_access(str(n), at_us, posts=n + 1) for n, at_us in enumerate(times)]
    await call.report(*accesses)
    counted.update(dict.fromkeys(times, 0))
    for n, at_us in enumerate(times):
        counted[at_us] += n + 1
    return counted


@pytest.mark.parametrize("projected", ["not at all", "half", "all", "dropped"])
async def test_m1_any_stretch_of_time_comes_to_the_sum_of_what_was_counted_in_it(
    call: UsageCaller, clock: ManualClock, database: Database, projected: str
) -> None:
    if projected == "half":
        await call.report(an_access("early", NOON_US - HOUR_US, posts=1_000))
        await project(database)
    counted = await a_busy_day(call, clock)
    if projected == "half":
        counted[NOON_US - HOUR_US] += 1_000
    elif projected != "not at all":
        await project(database)
    if projected == "dropped":
        await call.peer.call(
            call.usage.RebuildProjections, pb.RebuildProjectionsRequest(request_id=call.new_id())
        )
    edges = sorted({time + by for time in counted for by in (-1, 0)})
    chance = random.Random(3)

    for _ in range(40):
        since_us, until_us = sorted(chance.sample(edges, 2))
        rows = await call.rows(of_party(), since_us, until_us)
        expected = sum(posts for at_us, posts in counted.items() if since_us < at_us <= until_us)
        assert sum(row[4] + row[5] for row in rows) == expected
    assert sum(row[4] + row[5] for row in await call.rows(of_party())) == sum(counted.values())
    await project(database)
    assert await call.differences() == {}


async def test_m1_the_fullest_window_is_that_of_a_search_over_all(
    call: UsageCaller, clock: ManualClock
) -> None:
    counted = await a_busy_day(call, clock)

    for window_us in (1, SECOND_US, MINUTE_US, HOUR_US, ROLLING_DAY_US):
        sums = {
            end_us: sum(posts for at_us, posts in counted.items() if end_us - window_us < at_us <= end_us)
            for end_us in counted
        }
        fullest = max(sums.values())
        first_us = min(end_us for end_us, posts in sums.items() if posts == fullest)
        assert await call.peaks(of_party(), window_us) == [(fullest, first_us)]


async def test_m1_a_peak_is_told_for_each_part_of_a_stretch(call: UsageCaller, clock: ManualClock) -> None:
    for n in (1, 2, 5):
        await call.report(an_access(str(n), NOON_US + n * SECOND_US, posts=n))
    clock.advance(10 * SECOND_US)

    peaks = await call.peaks(of_party(), 2 * SECOND_US, NOON_US, parts=5)

    assert peaks == [
        (3, NOON_US + 2 * SECOND_US),
        (3, NOON_US + 2 * SECOND_US + 1),
        (5, NOON_US + 5 * SECOND_US),
        (5, NOON_US + 6 * SECOND_US + 1),
        (0, None),
    ]
    assert await call.peaks(of_party("nobody")) == []


@pytest.mark.parametrize(
    "method_and_request",
    [
        ("QueryUsage", pb.QueryUsageRequest()),
        ("QueryUsage", pb.QueryUsageRequest(of=usage_pb2.UsageOf())),
        ("QueryUsage", pb.QueryUsageRequest(of=of_party("No Id"))),
        ("MaxWindow", pb.MaxWindowRequest(of=of_party(), parts=5_001)),
        ("MaxWindow", pb.MaxWindowRequest(of=of_party(), accesses=[access_pb2.ACCESS_KIND_UNSPECIFIED])),
        ("MaxWindow", pb.MaxWindowRequest(of=of_party(), window={"seconds": -1})),
        ("MaxWindow", pb.MaxWindowRequest(of=of_party(), window={"nanos": 999})),
        ("RebuildProjections", pb.RebuildProjectionsRequest(request_id="no uuid")),
    ],
    ids=str,
)
async def test_a_broken_request_is_refused(call: UsageCaller, method_and_request: tuple[str, Any]) -> None:
    method, request = method_and_request

    assert await call.refusal(getattr(call.usage, method), request) == (Kind.INVALID, "INVALID_REQUEST")


async def test_a_stretch_that_ends_before_it_begins_is_refused(call: UsageCaller) -> None:
    request = pb.QueryUsageRequest(of=of_party())
    request.since.FromMicroseconds(NOON_US)
    request.until.FromMicroseconds(NOON_US)

    assert await call.refusal(call.usage.QueryUsage, request) == (Kind.INVALID, "STRETCH_EMPTY")


async def test_a_licensee_sees_their_own_alone(server: LocalServer, call: UsageCaller) -> None:
    await call.reserve(1, 5)
    acme = server.peer(PrincipalKind.LICENSEE, "acme")
    stub = UsageServiceStub(acme.channel)

    own = await acme.call(stub.QueryUsage, pb.QueryUsageRequest(of=of_party()))
    peaks = await acme.call(stub.MaxWindow, pb.MaxWindowRequest(of=of_party()))

    assert [row.held for row in own.rows] == [5]
    assert [peak.posts for peak in peaks.peaks] == [5]
    for whose in (
        of_party("other"),
        usage_pb2.UsageOf(group_id="acme"),
        usage_pb2.UsageOf(license_id="acme"),
    ):
        with pytest.raises(Refusal) as refused:
            await acme.call(stub.QueryUsage, pb.QueryUsageRequest(of=whose))
        with pytest.raises(Refusal) as refused_peaks:
            await acme.call(stub.MaxWindow, pb.MaxWindowRequest(of=whose))
        for refusal in (refused.value, refused_peaks.value):
            assert (refusal.kind, refusal.reason) == (Kind.NOT_FOUND, "PARTY_UNKNOWN")


async def absence(
    call: UsageCaller, of: usage_pb2.UsageOf, since_us: int | None = None
) -> tuple[bool, int | None]:
    """Whether nobody knows them, and when the last access before was."""
    request = pb.QueryUsageRequest(of=of)
    if since_us is not None:
        request.since.FromMicroseconds(since_us)
    answer = await call.peer.call(call.usage.QueryUsage, request)
    assert not answer.rows
    last = answer.last_before.ToMicroseconds() if answer.HasField("last_before") else None
    return answer.unknown, last


async def test_where_nothing_was_counted_the_last_access_before_is_told(
    call: UsageCaller, clock: ManualClock
) -> None:
    await call.reserve(1, 5)
    await call.report(an_access("a", NOON_US + 1), an_access("b", NOON_US - HOUR_US))
    clock.advance(MINUTE_US)
    await call.reserve(2, 5)
    await call.cancel(2)
    clock.advance(MINUTE_US)

    assert await absence(call, of_party(), NOON_US + SECOND_US) == (False, NOON_US + 1)
    of_license = usage_pb2.UsageOf(license_id="license-1")
    assert await absence(call, of_license, NOON_US + SECOND_US) == (False, NOON_US)


async def test_m6_the_last_access_of_a_group_is_one_of_the_time_that_its_parties_belonged_to_it(
    call: UsageCaller, clock: ManualClock
) -> None:
    await call.report(an_access("a", NOON_US + 1), an_access("b", NOON_US + 3))
    clock.advance(HOUR_US)
    await call.move("acme", "red", NOON_US)
    await call.move("acme", "", NOON_US + 2)

    red = usage_pb2.UsageOf(group_id="red")
    assert await absence(call, red, NOON_US + SECOND_US) == (False, NOON_US + 1)


async def test_an_id_under_which_nothing_is_on_record_is_told_from_one_that_has_no_usage(
    call: UsageCaller, clock: ManualClock
) -> None:
    await call.move("acme", "red", NOON_US)
    await call.reserve(1, 5, "globex")
    await call.cancel(1)
    of = usage_pb2.UsageOf

    for known in (of_party(), of_party("globex"), of(group_id="red"), of(license_id="license-1")):
        assert await absence(call, known) == (False, None)
    for unknown in (of_party("nobody"), of(group_id="blue"), of(license_id="acme"), of(group_id="acme")):
        assert await absence(call, unknown) == (True, None)
