"""What the meter promises, whichever books it keeps: those in memory and those in a database."""

import asyncio
from dataclasses import replace

import pytest

from services.chassis.refusals import Refusal
from services.metering.domain.allowances import Scope, Shortfall
from services.metering.domain.postings import Answer
from services.metering.domain.reservations import Revision, State
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from services.metering.meter import Meter
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import (
    REPLY,
    REPOST,
    a_count,
    a_wanted,
    an_allowance,
    an_id,
    of_group,
)


async def states(meter: Meter, *ids: int) -> list[State]:
    return [(await meter.reservation(an_id(n))).state for n in ids]


async def test_m1_room_is_held_at_the_time_of_the_decision(meter: Meter) -> None:
    answer = await meter.reserve(a_wanted(1, 4))

    assert answer.reservation.state is State.HELD
    assert answer.reservation.counted_at_us == NOON_US
    assert answer.revision == Revision(epoch=1, number=1)


async def test_m1_the_second_that_ends_now_has_room_again_when_the_first_post_has_left(
    meter: Meter, clock: ManualClock
) -> None:
    await meter.reserve(a_wanted(1, 10))
    clock.advance(SECOND_US - 1)
    refused = await meter.reserve(a_wanted(2, 1))

    clock.advance(1)
    granted = await meter.reserve(a_wanted(3, 10))

    assert refused.reservation.state is State.NO_ROOM
    assert granted.reservation.state is State.HELD


async def test_m1_a_clock_that_goes_back_counts_at_the_latest_time_seen(
    meter: Meter, clock: ManualClock
) -> None:
    shared = an_allowance(10, MINUTE_US, "licensee-1", Scope.LICENSEE)
    await meter.reserve(a_wanted(1, 1, shared))
    clock.advance(-5 * SECOND_US)

    behind = await meter.reserve(a_wanted(2, 1, an_allowance(), shared))
    apart = await meter.reserve(a_wanted(3, 1, an_allowance(id="license-2"), party_id="licensee-2"))
    both = await meter.reserve(a_wanted(4, 1, an_allowance()))

    assert behind.reservation.counted_at_us == NOON_US
    assert apart.reservation.counted_at_us == NOON_US - 5 * SECOND_US
    assert both.reservation.counted_at_us == NOON_US


async def test_m1_a_refusal_of_room_moves_the_time_on_too(meter: Meter, clock: ManualClock) -> None:
    await meter.reserve(a_wanted(1, 10))
    clock.advance(SECOND_US)
    await meter.reserve(a_wanted(2, 11))
    clock.advance(-SECOND_US)

    answer = await meter.reserve(a_wanted(3, 10))

    assert answer.reservation.counted_at_us == NOON_US + SECOND_US


async def test_m3_one_allowance_without_room_and_nothing_is_held_in_any(meter: Meter) -> None:
    day, second = an_allowance(100, ROLLING_DAY_US), an_allowance(5, SECOND_US)

    refused = await meter.reserve(a_wanted(1, 6, day, second))
    granted = await meter.reserve(a_wanted(2, 100, day))

    assert refused.reservation.state is State.NO_ROOM
    assert granted.reservation.state is State.HELD


async def test_m3_each_grant_keeps_the_limit_it_came_with(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 8, an_allowance(10)))

    lowered = await meter.reserve(a_wanted(2, 1, an_allowance(8)))
    raised = await meter.reserve(a_wanted(3, 12, an_allowance(20)))

    assert [lowered.reservation.state, raised.reservation.state] == [State.NO_ROOM, State.HELD]


async def test_m3_without_allowances_it_is_only_counted(meter: Meter, clock: ManualClock) -> None:
    free = replace(a_wanted(1, 1_000_000), allowances=())

    answer = await meter.reserve(free)
    settled = await meter.settle(an_id(1), free.counts)

    assert answer.reservation.counted_at_us == NOON_US
    assert settled.posts_settled == 1_000_000


async def test_m1_what_was_counted_without_a_limit_counts_when_there_is_one(
    meter: Meter, clock: ManualClock
) -> None:
    await meter.reserve(a_wanted(1, 6))
    await meter.settle(an_id(1), (a_count(4),))
    clock.advance(SECOND_US)
    await meter.reserve(a_wanted(2, 3))

    day = an_allowance(10, ROLLING_DAY_US)
    of_licensee = an_allowance(10, TERM, "licensee-1", Scope.LICENSEE)
    for limit in (day, of_licensee):
        refused = (await meter.reserve(a_wanted(3 + limit.window_us % 7, 4, limit))).reservation.no_room
        assert refused is not None
        assert (refused.used, refused.held) == (4, 3)


async def test_m3_as_many_as_fit_are_held_in_the_order_given(meter: Meter) -> None:
    counts = (a_count(2, REPLY), a_count(3), a_count(4, REPLY), a_count(1, REPOST))

    answer = await meter.reserve(a_wanted(1, counts=counts, as_many_as_fit=True, request_key="a"))

    assert answer.reservation.state is State.HELD
    assert answer.reservation.held == (a_count(3), a_count(6, REPLY), a_count(1, REPOST))
    assert answer.reservation.no_room is None
    rest = await meter.reserve(a_wanted(2, counts=counts, as_many_as_fit=True, request_key="a"))
    assert (rest.reservation.state, rest.reservation.rivals) == (State.NO_ROOM, (an_id(1),))


async def test_m3_of_what_does_not_fit_whole_the_first_posts_are_held(
    meter: Meter, clock: ManualClock
) -> None:
    await meter.reserve(a_wanted(1, 4))
    clock.advance(10)
    counts = (a_count(2, REPLY), a_count(3), a_count(4, REPLY))

    answer = (await meter.reserve(a_wanted(2, counts=counts, as_many_as_fit=True))).reservation

    assert (answer.state, answer.held, answer.posts_reserved) == (
        State.HELD,
        (a_count(3), a_count(3, REPLY)),
        6,
    )
    assert answer.no_room is not None
    # One more fits when the first four have left.
    assert answer.no_room.shortfall == Shortfall(NOON_US + SECOND_US, exact=False, never=False)
    assert (answer.no_room.used, answer.no_room.held) == (0, 10)


async def test_m3_the_least_room_of_all_allowances_says_how_many_fit(meter: Meter) -> None:
    limits = an_allowance(8), an_allowance(5, TERM, "licensee-1", Scope.LICENSEE)

    answer = await meter.reserve(a_wanted(1, 9, *limits, as_many_as_fit=True))

    assert answer.reservation.posts_reserved == 5
    assert answer.reservation.no_room is not None
    assert answer.reservation.no_room.allowance == limits[1]


async def test_m2_what_is_recorded_counts_at_once_for_good(meter: Meter) -> None:
    recorded = (await meter.reserve(a_wanted(1, 7, delivered=True))).reservation
    refused = (await meter.reserve(a_wanted(2, 4, delivered=True))).reservation

    assert (recorded.state, recorded.settled, recorded.counted_at_us) == (
        State.SETTLED,
        (a_count(7),),
        NOON_US,
    )
    assert refused.state is State.NO_ROOM
    assert refused.no_room is not None
    assert refused.no_room.shortfall == Shortfall(NOON_US + SECOND_US, exact=True, never=False)
    with pytest.raises(Refusal) as cancelled:
        await meter.cancel(an_id(1))
    assert cancelled.value.reason == "RESERVATION_SETTLED"


async def test_m4_what_was_recorded_is_no_reservation_of_the_same_id(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 7, delivered=True))

    with pytest.raises(Refusal) as refused:
        await meter.reserve(a_wanted(1, 7))

    assert (refused.value.reason, refused.value.metadata) == (
        "RESERVATION_ID_REUSED",
        {"field": "delivered"},
    )


async def test_a_party_in_no_group_is_a_group_by_itself(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 6, party_id="alone"))

    refused = (await meter.reserve(a_wanted(2, 5, of_group(10, SECOND_US), party_id="alone"))).reservation

    assert refused.no_room is not None
    assert refused.no_room.allowance == an_allowance(10, SECOND_US, "alone", Scope.LICENSEE)
    other = await meter.reserve(a_wanted(3, 5, of_group(10, SECOND_US), party_id="other"))
    assert other.reservation.state is State.HELD


async def test_what_arrives_together_counts_one_after_the_other(meter: Meter) -> None:
    answers = await asyncio.gather(
        *(meter.reserve(a_wanted(n, 3)) for n in range(1, 6)),
        meter.cancel(an_id(1)),
        meter.settle(an_id(2), (a_count(1),)),
        meter.reserve(a_wanted(6, 6)),
        meter.reserve(a_wanted(7, 6, as_many_as_fit=True)),
    )
    await meter.cancel(an_id(3))

    states = [answer.reservation.state for answer in answers if isinstance(answer, Answer)]
    assert states == [*[State.HELD] * 3, *[State.NO_ROOM] * 2, State.HELD, State.NO_ROOM]
    assert (await meter.reserve(a_wanted(8, 4))).reservation.no_room is not None
    assert (await meter.reserve(a_wanted(9, 3))).reservation.state is State.HELD


async def test_licenses_and_licensees_of_the_same_name_are_counted_apart(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10, an_allowance(id="same", scope=Scope.LICENSE)))

    answer = await meter.reserve(a_wanted(2, 10, an_allowance(id="same", scope=Scope.LICENSEE)))

    assert answer.reservation.state is State.HELD


async def test_m4_the_same_words_get_the_same_answer_and_count_once(meter: Meter, clock: ManualClock) -> None:
    first = await meter.reserve(a_wanted(1, 10))
    clock.advance(100)

    again = await meter.reserve(a_wanted(1, 10))
    other = await meter.reserve(a_wanted(2, 11))

    assert again == first
    assert other.reservation.no_room is not None
    assert other.reservation.no_room.held == 10


async def test_m4_no_room_is_said_again_when_there_is_room_by_now(meter: Meter, clock: ManualClock) -> None:
    await meter.reserve(a_wanted(1, 10))
    refused = await meter.reserve(a_wanted(2, 1))
    clock.advance(MINUTE_US)

    again = await meter.reserve(a_wanted(2, 1))

    assert again == refused
    assert again.reservation.state is State.NO_ROOM


async def test_m4_a_later_asker_hears_what_became_of_it(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 2))
    await meter.reserve(a_wanted(2, 2))
    await meter.settle(an_id(1), (a_count(1),))
    await meter.cancel(an_id(2))

    settled = await meter.reserve(a_wanted(1, 2))
    cancelled = await meter.reserve(a_wanted(2, 2))

    assert [settled.reservation.state, cancelled.reservation.state] == [State.SETTLED, State.CANCELLED]
    assert settled.reservation.counted_at_us == cancelled.reservation.counted_at_us == NOON_US


async def test_m4_an_id_reused_with_another_limit_is_refused_and_nothing_is_counted(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 4, an_allowance(10)))

    with pytest.raises(Refusal) as refused:
        await meter.reserve(a_wanted(1, 4, an_allowance(11)))

    assert refused.value.reason == "RESERVATION_ID_REUSED"
    assert (await meter.reserve(a_wanted(2, 6))).reservation.state is State.HELD


async def test_m4_a_hundred_at_once_are_one(meter: Meter) -> None:
    answers = await asyncio.gather(*(meter.reserve(a_wanted(1, 1)) for _ in range(100)))

    rest = await meter.reserve(a_wanted(2, 9))

    assert len({answer.reservation for answer in answers}) == 1
    assert rest.reservation.state is State.HELD


async def test_m2_settling_less_frees_the_rest(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10))

    await meter.settle(an_id(1), (a_count(3),))
    full = await meter.reserve(a_wanted(2, 8))
    fits = await meter.reserve(a_wanted(3, 7))

    assert full.reservation.no_room is not None
    assert (full.reservation.no_room.used, full.reservation.no_room.held) == (3, 0)
    assert fits.reservation.state is State.HELD


async def test_m2_the_same_settlement_twice_counts_once(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10))

    first = await meter.settle(an_id(1), (a_count(3),))
    again = await meter.settle(an_id(1), (a_count(3),))

    assert first == again
    assert (await meter.reserve(a_wanted(2, 7))).reservation.state is State.HELD


async def test_m2_a_refused_settlement_leaves_the_hold(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10))

    for delivered in ((a_count(11),), (a_count(1, REPLY),)):
        with pytest.raises(Refusal):
            await meter.settle(an_id(1), delivered)

    assert await states(meter, 1) == [State.HELD]


async def test_m2_cancelling_frees_at_once(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10))

    await meter.cancel(an_id(1))
    await meter.cancel(an_id(1))

    assert (await meter.reserve(a_wanted(2, 10))).reservation.state is State.HELD


async def test_m2_a_cancel_that_overtakes_its_reserve_leaves_nothing_held(meter: Meter) -> None:
    cancelled = await meter.cancel(an_id(1))

    late = await meter.reserve(a_wanted(1, 10))
    later = await meter.reserve(a_wanted(2, 10))

    assert (cancelled.state, cancelled.posts_reserved) == (State.CANCELLED, 0)
    assert (late.reservation.state, late.reservation.counted_at_us) == (State.CANCELLED, None)
    assert later.reservation.state is State.HELD


async def test_m2_what_has_left_the_window_can_still_be_settled(meter: Meter, clock: ManualClock) -> None:
    second, day = an_allowance(10), an_allowance(10, ROLLING_DAY_US)
    await meter.reserve(a_wanted(1, 10, second, day))
    clock.advance(5 * SECOND_US)
    await meter.reserve(a_wanted(2, 1, second))

    await meter.settle(an_id(1), (a_count(4),))

    assert (await meter.reserve(a_wanted(3, 6, second, day))).reservation.state is State.NO_ROOM
    assert (await meter.reserve(a_wanted(4, 5, second, day))).reservation.state is State.HELD
    in_second = (await meter.reserve(a_wanted(5, 5, second))).reservation.no_room
    assert in_second is not None
    assert (in_second.used, in_second.held) == (0, 6)
