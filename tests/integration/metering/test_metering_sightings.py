"""Accesses seen elsewhere, over gRPC: each counted once, and none beside a receipt (M7)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.metering.domain.windows import HOUR_US, MINUTE_US, SECOND_US
from services.metering.meter import Meter
from services.metering.storage.books import SqlBooks
from sluice.metering.v1 import access_pb2
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST, CONTENT_KIND_REPLY
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import a_count, a_wanted, an_allowance, an_id
from tests.support.metering_usage import (
    ACCEPTED,
    ACCESS,
    CONFLICT,
    DUPLICATE,
    GATE,
    REJECTED,
    SEEN,
    VIEW,
    UsageCaller,
    an_access,
    of_party,
)

POST, REPLY = CONTENT_KIND_POST, CONTENT_KIND_REPLY


def without_a_time(access: access_pb2.SeenAccess) -> access_pb2.SeenAccess:
    access.ClearField("accessed_at")
    return access


async def test_m7_what_was_seen_is_counted_once_in_whatever_order(call: UsageCaller) -> None:
    a, b, c = (an_access(id, NOON_US - n * HOUR_US, posts=10**n) for n, id in enumerate("abc"))

    first = await call.report(c, a, a)
    again = await call.report(b, a, c)

    assert list(first.outcomes) == [ACCEPTED, ACCEPTED, DUPLICATE]
    assert list(again.outcomes) == [ACCEPTED, DUPLICATE, DUPLICATE]
    assert await call.rows(of_party()) == [(SEEN, ACCESS, POST, 0, 111, 0)]
    assert await call.differences() == {}


async def test_m7_a_line_without_an_id_is_its_own_id(call: UsageCaller) -> None:
    line = an_access(line_digest=b"d" * 32)

    outcomes = [list((await call.report(line, line)).outcomes), list((await call.report(line)).outcomes)]

    assert outcomes == [[ACCEPTED, DUPLICATE], [DUPLICATE]]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("party_id", an_access("a", party_id="other")),
        ("accessed_at", an_access("a", NOON_US - 1)),
        ("access", an_access("a", access=VIEW)),
        ("kind", an_access("a", kind=REPLY)),
        ("media_flags", an_access("a", media_flags=1)),
        ("posts", an_access("a", posts=2)),
        ("reservation_id", an_access("a", reservation_id=an_id(1))),
    ],
)
async def test_m7_a_conflict_is_reported_and_what_was_first_stands(
    call: UsageCaller, field: str, other: access_pb2.SeenAccess
) -> None:
    await call.report(an_access("a"))

    answer = await call.report(an_access("b"), other)

    assert list(answer.outcomes) == [ACCEPTED, CONFLICT]
    (remark,) = answer.remarks
    assert (remark.line, remark.outcome, remark.reason) == (2, CONFLICT, "ACCESS_DIFFERS")
    assert field in remark.message
    assert await call.rows(of_party()) == [(SEEN, ACCESS, POST, 0, 2, 0)]


async def test_the_same_id_of_another_source_is_another_access(call: UsageCaller) -> None:
    answer = await call.report(an_access("a"), an_access("a", source="scraper"))

    assert list(answer.outcomes) == [ACCEPTED, ACCEPTED]


async def test_a_page_that_is_sent_again_gets_the_same_answer(call: UsageCaller) -> None:
    id = call.new_id()

    first = await call.report(an_access("a"), an_access(""), id=id)
    again = await call.report(an_access("a"), an_access(""), id=id)

    assert first == again
    assert list(first.outcomes) == [ACCEPTED, REJECTED]


BAD = {
    "SOURCE_INVALID": [
        an_access("a", source=""),
        an_access("a", source="a\nb"),
        an_access("a", source="x" * 129),
    ],
    "ACCESS_ID_MISSING": [an_access(), an_access(line_digest=b"short")],
    "ACCESS_ID_INVALID": [an_access("x" * 257), an_access("a\0b"), an_access("a\nb")],
    "PARTY_ID_INVALID": [an_access("a", party_id=""), an_access("a", party_id="Not An Id")],
    "TIME_INVALID": [
        an_access("a", -1),
        without_a_time(an_access("a")),
    ],
    "ACCESS_IN_THE_FUTURE": [an_access("a", NOON_US + 5 * MINUTE_US + 1)],
    "ACCESS_KIND_UNKNOWN": [an_access("a", access=0), an_access("a", access=9)],
    "CONTENT_KIND_UNKNOWN": [an_access("a", kind=0), an_access("a", kind=77)],
    "MEDIA_UNKNOWN": [an_access("a", media_flags=8)],
    "POSTS_OUT_OF_RANGE": [an_access("a", posts=0), an_access("a", posts=2**31)],
    "RESERVATION_ID_INVALID": [an_access("a", reservation_id="no uuid")],
}


@pytest.mark.parametrize(
    ("reason", "access"), [(reason, access) for reason, accesses in BAD.items() for access in accesses]
)
async def test_a_bad_line_is_refused_alone_and_burns_no_id(
    call: UsageCaller, reason: str, access: access_pb2.SeenAccess
) -> None:
    answer = await call.report(an_access("b"), access, an_access("c"))

    assert list(answer.outcomes) == [ACCEPTED, REJECTED, ACCEPTED]
    assert [(remark.line, remark.reason) for remark in answer.remarks] == [(2, reason)]
    assert list((await call.report(an_access("a"))).outcomes) == [ACCEPTED]


async def test_m7_what_a_receipt_shows_is_absorbed_up_to_what_was_settled_each_unit_once(
    call: UsageCaller, clock: ManualClock
) -> None:
    await call.reserve(1, 5)
    clock.advance(SECOND_US)
    await call.settle(1, 3)
    shown = {"reservation_id": an_id(1)}

    answer = await call.report(
        an_access("b", NOON_US + 2, posts=2, **shown),
        an_access("a", NOON_US + 1, posts=2, **shown),
        an_access("c", NOON_US + 3, "other", **shown),
        an_access("d", NOON_US + 4, reservation_id=an_id(9)),
    )

    assert list(answer.outcomes) == [ACCEPTED] * 4
    assert answer.absorbed == 3
    assert [(remark.line, remark.reason) for remark in answer.remarks] == [
        (1, "NOT_ALL_ABSORBED"),
        (3, "RESERVATION_OF_ANOTHER"),
        (4, "RESERVATION_UNKNOWN"),
    ]
    assert await call.rows(of_party()) == [(GATE, ACCESS, POST, 0, 3, 0), (SEEN, ACCESS, POST, 0, 2, 0)]
    assert await call.rows(of_party("other")) == [(SEEN, ACCESS, POST, 0, 1, 0)]
    assert await call.differences() == {}


async def test_m7_absorption_is_the_same_whatever_comes_first(
    call: UsageCaller, database: Database, clock: ManualClock
) -> None:
    lines = [an_access(id, NOON_US + n, posts=2, reservation_id=an_id(1)) for n, id in enumerate("abc")]
    await call.reserve(1, 5)
    clock.advance(SECOND_US)

    held = await call.report(lines[2], lines[1])
    await call.settle(1, 3)
    await call.report(lines[0])

    assert held.absorbed == 0
    query = text("SELECT id, absorbed FROM sightings ORDER BY id")
    kept = await database.read(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in kept] == [("id:a", 2), ("id:b", 1), ("id:c", 0)]
    assert await call.rows(of_party()) == [(GATE, ACCESS, POST, 0, 3, 0), (SEEN, ACCESS, POST, 0, 3, 0)]
    assert await call.differences() == {}


async def test_m7_what_is_settled_with_its_first_word_absorbs_what_had_shown_it(
    call: UsageCaller, clock: ManualClock, database: Database
) -> None:
    meter = Meter(SqlBooks(database, clock.now_us))
    lines = [an_access(str(n), NOON_US + n, posts=2, reservation_id=an_id(n)) for n in (1, 2)]

    await call.report(*lines)
    clock.advance(SECOND_US)
    await call.record(1, 5)
    # Two that arrive together are entered together.
    await asyncio.gather(
        meter.reserve(a_wanted(2, 5, an_allowance(100), party_id="acme")),
        meter.settle(an_id(2), (a_count(1),)),
    )

    assert await call.rows(of_party()) == [(GATE, ACCESS, POST, 0, 6, 0), (SEEN, ACCESS, POST, 0, 1, 0)]
    assert await call.differences() == {}


async def test_m7_another_kind_of_access_leaves_a_receipt_to_the_one_that_it_is_of(
    call: UsageCaller, clock: ManualClock
) -> None:
    await call.reserve(1, 5)
    await call.settle(1, 5)
    clock.advance(SECOND_US)
    shown: dict[str, Any] = {"reservation_id": an_id(1), "posts": 5}
    request = access_pb2.ACCESS_KIND_REQUEST

    answer = await call.report(
        an_access("a", NOON_US, access=access_pb2.ACCESS_KIND_REQUEST, **shown),
        an_access("b", NOON_US, **shown),
    )

    assert answer.absorbed == 5
    assert [(remark.line, remark.reason) for remark in answer.remarks] == [(1, "ACCESS_OF_ANOTHER_KIND")]
    assert await call.rows(of_party()) == [
        (GATE, ACCESS, POST, 0, 5, 0),
        (SEEN, request, POST, 0, 5, 0),
    ]
    assert await call.differences() == {}


async def test_m7_what_was_seen_takes_no_room(call: UsageCaller) -> None:
    await call.report(an_access("a", posts=2**31 - 1))

    answer = await call.reserve(1, 1_000_000)

    assert answer.counted_at.ToMicroseconds() == NOON_US
