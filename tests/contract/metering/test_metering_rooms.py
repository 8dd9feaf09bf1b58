"""Whether there is room: what a reservation made at once would come to, and nothing held for the asking."""

import random
from dataclasses import replace

import pytest

from services.metering.domain.allowances import Scope
from services.metering.domain.reservations import State
from services.metering.domain.windows import MINUTE_US, ROLLING_DAY_US, SECOND_US, TERM
from services.metering.meter import Meter
from tests.support.clock import ManualClock
from tests.support.metering import REPLY, a_count, a_wanted, an_allowance

WINDOWS = (SECOND_US, MINUTE_US, ROLLING_DAY_US, TERM)


async def test_asking_for_room_holds_nothing(meter: Meter) -> None:
    before = await meter.rooms(a_wanted(1, 10))

    again = await meter.rooms(a_wanted(1, 10))

    assert again == before
    assert (before.posts_that_fit, before.no_room) == (10, None)
    assert await meter.holds(None, None, 10) == ([], None)


async def test_an_allowance_is_told_as_it_stands_without_what_is_asked_about(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 4))
    await meter.reserve(a_wanted(2, 3))
    await meter.settle(a_wanted(2).reservation_id, (a_count(2),))

    told = await meter.rooms(a_wanted(3, 5))

    (room,) = told.rooms
    assert (room.tally.used, room.tally.held, room.allowance.limit) == (2, 4, 10)
    assert told.posts_that_fit == 0
    assert told.no_room is not None
    assert (told.no_room.used, told.no_room.held) == (2, 4)


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_told_is_what_a_reservation_comes_to_at_that_moment(
    meter: Meter, clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    held: list[int] = []
    for n in range(1, 40):
        clock.advance(chance.choice([-SECOND_US, 0, 1, SECOND_US, MINUTE_US, ROLLING_DAY_US // 3]))
        limits = [
            an_allowance(chance.choice([3, 10, 40]), window_us, name, scope)
            for window_us in chance.sample(WINDOWS, 2)
            for scope, name in ((Scope.LICENSE, "license-1"), (Scope.LICENSEE, "licensee-1"))
            if chance.random() < 0.7
        ]
        wanted = replace(
            a_wanted(n, 1, *limits, request_key=f"request-{n % 3}"),
            counts=(a_count(chance.randint(1, 6)), a_count(chance.randint(1, 6), REPLY)),
            as_many_as_fit=chance.random() < 0.5,
        )

        told = await meter.rooms(wanted)
        answer = await meter.reserve(wanted)

        reservation = answer.reservation
        assert (told.posts_that_fit, told.no_room) == (reservation.posts_reserved, reservation.no_room)
        assert told.revision.number == answer.revision.number - 1
        if reservation.state is State.HELD:
            assert told.at_us == reservation.counted_at_us
            held.append(n)
        if held and chance.random() < 0.4:
            end = held.pop(chance.randrange(len(held)))
            await (
                meter.cancel(a_wanted(end).reservation_id)
                if chance.random() < 0.5
                else meter.settle(a_wanted(end).reservation_id, ())
            )
