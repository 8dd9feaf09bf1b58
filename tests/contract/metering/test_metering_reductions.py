"""M2: what reducing a hold comes to, and how reservations are gone through, whichever books are kept."""

import asyncio

import pytest

from services.chassis.refusals import Refusal
from services.metering.domain.allowances import Scope
from services.metering.domain.reservations import State
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from services.metering.meter import Meter
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import REPLY, a_count, a_wanted, an_allowance, an_id, of_group

EVERYWHERE = (
    an_allowance(10, SECOND_US),
    an_allowance(10, ROLLING_DAY_US),
    an_allowance(10, TERM),
    an_allowance(10, MINUTE_US, "licensee-1", Scope.LICENSEE),
)


async def test_m2_what_is_not_kept_is_free_in_every_window_at_once(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10, *EVERYWHERE))

    await meter.reduce(an_id(1), (a_count(4),))

    for n, limit in enumerate((*EVERYWHERE, of_group(10, ROLLING_DAY_US)), start=10):
        refused = (await meter.reserve(a_wanted(n, 7, limit))).reservation.no_room
        assert refused is not None
        assert (refused.used, refused.held) == (0, 4)
    assert (await meter.reserve(a_wanted(20, 6, *EVERYWHERE))).reservation.state is State.HELD


async def test_m2_a_reduced_hold_counts_as_if_it_had_never_been_larger(
    meter: Meter, clock: ManualClock
) -> None:
    for n, limit in ((1, an_allowance(10, MINUTE_US)), (2, an_allowance(10, MINUTE_US, "license-2"))):
        await meter.reserve(a_wanted(n, 9 if n == 1 else 3, limit, party_id=f"licensee-{n}"))
    clock.advance(SECOND_US)
    await meter.reduce(an_id(1), (a_count(3),))

    for posts in (7, 8, 11):
        answers = [
            await meter.rooms(a_wanted(9, posts, an_allowance(10, MINUTE_US, license), party_id=party))
            for license, party in (("license-1", "licensee-1"), ("license-2", "licensee-2"))
        ]
        obstacles = [each.no_room for each in answers]
        assert len({each and (each.used, each.held, each.shortfall) for each in obstacles}) == 1
        assert answers[0].posts_that_fit == answers[1].posts_that_fit


async def test_m2_the_time_that_counts_stays_that_of_the_hold(meter: Meter, clock: ManualClock) -> None:
    await meter.reserve(a_wanted(1, 10))
    clock.advance(SECOND_US - 1)

    reduced = await meter.reduce(an_id(1), (a_count(6),))

    assert (reduced.state, reduced.counted_at_us) == (State.HELD, NOON_US)
    assert (await meter.reserve(a_wanted(2, 5))).reservation.no_room is not None
    clock.advance(1)
    assert (await meter.reserve(a_wanted(3, 10))).reservation.state is State.HELD


async def test_m2_the_same_reduction_twice_counts_once(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 10))

    first = await meter.reduce(an_id(1), (a_count(3),))
    again = await meter.reduce(an_id(1), (a_count(3),))

    assert first == again
    full = (await meter.reserve(a_wanted(2, 8))).reservation.no_room
    assert full is not None
    assert (full.used, full.held) == (0, 3)


async def test_m2_a_further_reduction_frees_more_and_a_raise_is_refused(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, counts=(a_count(6), a_count(4, REPLY))))

    await meter.reduce(an_id(1), (a_count(6), a_count(2, REPLY)))
    further = await meter.reduce(an_id(1), (a_count(1, REPLY),))
    for keep in ((a_count(1),), (a_count(2, REPLY),), (a_count(6), a_count(4, REPLY))):
        with pytest.raises(Refusal) as refused:
            await meter.reduce(an_id(1), keep)
        assert refused.value.reason == "KEEPS_MORE_THAN_HELD"

    assert (further.held, further.posts_freed) == ((a_count(1, REPLY),), 9)
    assert (await meter.reservation(an_id(1))) == further
    assert (await meter.reserve(a_wanted(2, 9))).reservation.state is State.HELD


async def test_m2_a_reduced_hold_is_settled_or_cancelled_like_any_other(meter: Meter) -> None:
    for n in (1, 2):
        await meter.reserve(a_wanted(n, 5))
        await meter.reduce(an_id(n), (a_count(3),))

    settled = await meter.settle(an_id(1), (a_count(2),))
    cancelled = await meter.cancel(an_id(2))

    assert (settled.posts_reserved, settled.posts_settled, settled.posts_freed) == (5, 2, 3)
    assert (cancelled.posts_reserved, cancelled.posts_settled, cancelled.posts_freed) == (5, 0, 5)
    refused = (await meter.reserve(a_wanted(3, 9))).reservation.no_room
    assert refused is not None
    assert (refused.used, refused.held) == (2, 0)


async def test_m2_a_reduction_that_comes_after_the_end_changes_nothing(meter: Meter) -> None:
    for n in (1, 2):
        await meter.reserve(a_wanted(n, 5))
    settled = await meter.settle(an_id(1), (a_count(4),))
    cancelled = await meter.cancel(an_id(2))
    unseen = await meter.cancel(an_id(3))

    late = [await meter.reduce(an_id(n), (a_count(1),)) for n in (1, 2, 3)]

    assert late == [settled, cancelled, unseen]
    assert (await meter.reserve(a_wanted(4, 6))).reservation.state is State.HELD


async def test_m2_a_hold_that_nobody_knows_cannot_be_reduced(meter: Meter) -> None:
    with pytest.raises(Refusal) as refused:
        await meter.reduce(an_id(1), (a_count(1),))

    assert refused.value.reason == "RESERVATION_UNKNOWN"
    assert (await meter.reserve(a_wanted(1, 10))).reservation.state is State.HELD


async def test_m2_without_room_nothing_can_be_kept(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 11))

    with pytest.raises(Refusal) as refused:
        await meter.reduce(an_id(1), (a_count(1),))

    assert refused.value.reason == "KEEPS_MORE_THAN_HELD"


async def test_m4_a_later_asker_hears_what_was_reserved_though_less_is_held(meter: Meter) -> None:
    first = (await meter.reserve(a_wanted(1, 10))).reservation
    await meter.reduce(an_id(1), (a_count(3),))

    again = (await meter.reserve(a_wanted(1, 10))).reservation

    assert (again.state, again.counted_at_us, again.reserved) == (State.HELD, NOON_US, first.reserved)
    assert again.held == (a_count(3),)


async def test_m2_what_has_left_the_window_can_still_be_reduced(meter: Meter, clock: ManualClock) -> None:
    second, day = an_allowance(10), an_allowance(10, ROLLING_DAY_US)
    await meter.reserve(a_wanted(1, 10, second, day))
    clock.advance(5 * SECOND_US)
    await meter.reserve(a_wanted(2, 1, second))

    await meter.reduce(an_id(1), (a_count(4),))

    in_day = (await meter.reserve(a_wanted(3, 6, day))).reservation.no_room
    in_second = (await meter.reserve(a_wanted(4, 10, second))).reservation.no_room
    assert in_day is not None
    assert in_second is not None
    assert (in_day.held, in_second.held) == (5, 1)


async def test_what_arrives_together_reduces_one_after_the_other(meter: Meter) -> None:
    await asyncio.gather(
        meter.reserve(a_wanted(1, 9)),
        meter.reduce(an_id(1), (a_count(6),)),
        meter.reserve(a_wanted(2, 4)),
        meter.reduce(an_id(1), (a_count(2),)),
        meter.settle(an_id(1), (a_count(1),)),
        meter.reserve(a_wanted(3, 5)),
    )

    refused = (await meter.reserve(a_wanted(4, 9))).reservation.no_room
    assert refused is not None
    assert (refused.used, refused.held) == (1, 9)


async def test_a_reduced_hold_is_still_among_the_holds(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 5))
    await meter.reduce(an_id(1), (a_count(2),))

    holds, _ = await meter.holds(None, None, 10)

    assert [(hold.posts_reserved, hold.held) for hold in holds] == [(5, (a_count(2),))]


async def all_sorts(meter: Meter, clock: ManualClock) -> None:
    """Held, without room, settled, cancelled before it was heard of, reduced, recorded; a second apart."""
    await meter.reserve(a_wanted(6, 1))
    clock.advance(SECOND_US)
    await meter.reserve(a_wanted(5, 11))
    await meter.reserve(a_wanted(4, 2))
    await meter.settle(an_id(4), (a_count(1),))
    clock.advance(SECOND_US)
    await meter.cancel(an_id(3))
    await meter.reserve(a_wanted(2, counts=(a_count(1), a_count(3, REPLY)), as_many_as_fit=True))
    await meter.reduce(an_id(2), (a_count(2, REPLY),))
    await meter.reserve(a_wanted(1, 1, delivered=True))


ORDER = [an_id(n) for n in (6, 5, 4, 3, 2, 1)]


async def test_every_reservation_is_on_one_page_in_the_order_of_its_first_word(
    meter: Meter, clock: ManualClock
) -> None:
    await all_sorts(meter, clock)

    ids: list[str] = []
    after: int | None = 0
    while after is not None:
        page = await meter.page(after, None, 2)
        ids += [each.wanted.reservation_id for each in page.reservations]
        after = page.following
        assert page.revision.number == 8

    assert ids == ORDER


async def test_a_listed_reservation_tells_all_but_what_was_asked_for(
    meter: Meter, clock: ManualClock
) -> None:
    await all_sorts(meter, clock)

    listed = (await meter.page(0, None, 10)).reservations

    for each in listed:
        known = await meter.reservation(each.wanted.reservation_id)
        assert (each.state, each.reserved, each.held) == (known.state, known.reserved, known.held)
        assert (each.settled, each.counted_at_us, each.group_id) == (
            known.settled,
            known.counted_at_us,
            known.group_id,
        )
        assert each.wanted.request_key == known.wanted.request_key
        assert (each.wanted.counts, each.wanted.allowances) == ((), ())


async def test_what_is_new_comes_after_all_that_was_read(meter: Meter, clock: ManualClock) -> None:
    await all_sorts(meter, clock)
    last = (await meter.page(0, None, 10)).reservations[-1]

    await meter.settle(an_id(6), ())
    await meter.reserve(a_wanted(7, 1))

    page = await meter.page(last.number, None, 10)
    assert [each.wanted.reservation_id for each in page.reservations] == [an_id(7)]
    assert page.following is None


async def test_of_an_age_are_those_counted_before_a_time_and_those_that_never_held(
    meter: Meter, clock: ManualClock
) -> None:
    await all_sorts(meter, clock)

    page = await meter.page(0, NOON_US + 2 * SECOND_US, 10)

    assert [each.wanted.reservation_id for each in page.reservations] == [an_id(n) for n in (6, 5, 4, 3)]


async def test_several_are_found_once_each_in_the_order_of_their_ids(
    meter: Meter, clock: ManualClock
) -> None:
    await all_sorts(meter, clock)

    found, revision = await meter.reservations([an_id(n) for n in (2, 99, 5, 2, 3)])

    assert [each.wanted.reservation_id for each in found] == [an_id(n) for n in (2, 5, 3)]
    assert revision.number == 8
