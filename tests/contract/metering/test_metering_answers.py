"""What the meter says when there is no room (M8), and of the holds it has, whichever books it keeps."""

from sqlalchemy import Connection

from services.metering.domain.allowances import Shortfall
from services.metering.domain.reservations import Place, Revision, State
from services.metering.domain.windows import ROLLING_DAY_US, SECOND_US, TERM
from services.metering.meter import Books, Meter
from services.metering.storage.books import SqlBooks
from services.metering.storage.source import _MOMENTS
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import (
    a_count,
    a_wanted,
    an_allowance,
    an_id,
)


async def test_m8_the_time_to_try_again_is_exact_when_nothing_is_held(
    meter: Meter, clock: ManualClock
) -> None:
    for n, gap in enumerate((0, 250_000, 250_000), start=1):
        clock.advance(gap)
        await meter.reserve(a_wanted(n, 3))
        await meter.settle(an_id(n), (a_count(3),))

    refused = (await meter.reserve(a_wanted(4, 6))).reservation.no_room

    assert refused is not None
    # Five must leave: the first two threes.
    assert refused.shortfall == Shortfall(NOON_US + 250_000 + SECOND_US, exact=True, never=False)
    clock.advance(750_000 - 1)
    assert (await meter.reserve(a_wanted(5, 6))).reservation.state is State.NO_ROOM
    clock.advance(1)
    assert (await meter.reserve(a_wanted(6, 6))).reservation.state is State.HELD


async def test_m8_with_several_in_the_way_the_last_to_go_is_named(meter: Meter) -> None:
    second, day = an_allowance(10), an_allowance(10, ROLLING_DAY_US)
    await meter.reserve(a_wanted(1, 10, second, day))

    refused = (await meter.reserve(a_wanted(2, 1, second, day))).reservation.no_room

    assert refused is not None
    assert refused.allowance == day
    assert refused.shortfall == Shortfall(NOON_US + ROLLING_DAY_US, exact=False, never=False)


async def test_m8_a_term_that_is_used_up_never_fits_and_one_that_is_held_may_yet(meter: Meter) -> None:
    term = an_allowance(10, TERM)
    await meter.reserve(a_wanted(1, 6, term))
    held = (await meter.reserve(a_wanted(2, 5, term))).reservation.no_room
    await meter.settle(an_id(1), (a_count(6),))

    used = (await meter.reserve(a_wanted(3, 5, term))).reservation.no_room

    assert held is not None
    assert held.shortfall == Shortfall(None, exact=False, never=False)
    assert used is not None
    assert used.shortfall == Shortfall(None, exact=False, never=True)


async def test_no_room_names_the_other_holds_of_the_same_request(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 4, request_key="mine"))
    await meter.reserve(a_wanted(2, 4, request_key="mine"))
    await meter.reserve(a_wanted(3, 1, request_key="other"))
    await meter.reserve(a_wanted(4, 1, request_key="mine"))
    await meter.cancel(an_id(4))

    refused = await meter.reserve(a_wanted(5, 4, request_key="mine"))

    assert refused.reservation.rivals == (an_id(1), an_id(2))


async def test_every_change_has_a_number_and_a_repetition_has_none(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 1))
    await meter.settle(an_id(1), ())
    await meter.settle(an_id(1), ())
    await meter.cancel(an_id(2))
    await meter.cancel(an_id(2))

    answer = await meter.reserve(a_wanted(1, 1))

    assert answer.revision == Revision(epoch=1, number=3)


async def test_holds_are_listed_oldest_first_in_pages(meter: Meter, clock: ManualClock) -> None:
    for n in (3, 1, 2, 4, 5):
        await meter.reserve(a_wanted(n, 1))
        clock.advance(10)
    await meter.settle(an_id(1), ())
    await meter.cancel(an_id(4))

    first, place = await meter.holds(None, None, 2)
    second, end = await meter.holds(None, place, 2)

    assert [hold.wanted.reservation_id for hold in (*first, *second)] == [an_id(3), an_id(2), an_id(5)]
    assert end is None


async def test_a_page_that_is_just_full_is_the_last(meter: Meter) -> None:
    await meter.reserve(a_wanted(1, 1))
    await meter.reserve(a_wanted(2, 1))

    holds, following = await meter.holds(None, None, 2)

    assert ([hold.number for hold in holds], following) == ([1, 2], None)


async def test_holds_counted_at_the_same_time_are_all_listed(meter: Meter) -> None:
    for n in range(1, 6):
        await meter.reserve(a_wanted(n, 1))

    first, place = await meter.holds(None, None, 2)
    second, _ = await meter.holds(None, place, 9)

    assert [hold.number for hold in (*first, *second)] == [1, 2, 3, 4, 5]
    assert place == Place(NOON_US, 2)


async def test_only_holds_counted_before_the_time_are_listed(meter: Meter, clock: ManualClock) -> None:
    await meter.reserve(a_wanted(1, 1))
    clock.advance(1)
    await meter.reserve(a_wanted(2, 1))

    holds, _ = await meter.holds(NOON_US + 1, None, 10)

    assert [hold.wanted.reservation_id for hold in holds] == [an_id(1)]


async def test_m8_no_room_is_told_from_the_first_entries_alone_however_many_there_are(
    meter: Meter, books: Books, clock: ManualClock
) -> None:
    for n in range(1, 6):
        await meter.reserve(a_wanted(n, 2, an_allowance(10, ROLLING_DAY_US)))
        clock.advance(SECOND_US)

    refused = (await meter.reserve(a_wanted(6, 3, an_allowance(10, ROLLING_DAY_US)))).reservation.no_room

    assert refused is not None
    assert refused.shortfall.retry_at_us == NOON_US + SECOND_US + ROLLING_DAY_US
    if isinstance(books, SqlBooks):
        plan = await books._database.read(plan_of_moments)
        # No sort, no table of its own: the rows come in the order of the primary key.
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
        assert "SEARCH" in plan or "Index" in plan


def plan_of_moments(connection: Connection) -> str:
    """How the engine reads the moments of an account among many."""
    is_sqlite = connection.dialect.name == "sqlite"
    literal = _MOMENTS.params(account=1, after_us=0).compile(
        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
    )
    if not is_sqlite:
        # A table of a few rows is read whole, whatever there is to sort.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    rows = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{literal}").all()
    return "\n".join(str(row[-1]) for row in rows)
