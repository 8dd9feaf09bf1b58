"""A wall holds within a second in a process that did not raise it, and where nothing can be learnt."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.doors.walls import WallChange
from services.licensing.wall_watching import WallWatch
from tests.support.clock import ManualClock
from tests.support.doors import Books, Gate, a_change, a_read

MS_US = 1_000


async def is_let_in(gate: Gate) -> bool:
    try:
        await gate.door.admit(a_read())
    except Refusal as refusal:
        assert refusal.reason in {"LOGIN_REQUIRED", "WALL_UNKNOWN"}
        return False
    return True


async def test_before_anything_was_read_nobody_unknown_is_let_in() -> None:
    gate = Gate()

    with pytest.raises(Refusal, match="WALL_UNKNOWN") as refused:
        await gate.door.admit(a_read())
    assert refused.value.retry_after_us == 1_000_000


async def test_what_is_known_is_believed_for_a_second_and_no_longer() -> None:
    gate = Gate()
    await gate.wall()
    gate.books.is_down = True

    gate.clock.advance(1_000 * MS_US)
    assert await is_let_in(gate)
    gate.clock.advance(1)
    assert not await is_let_in(gate)

    gate.books.is_down = False
    await gate.watch.refresh()
    assert await is_let_in(gate)


@given(
    st.lists(
        st.tuples(st.integers(1, 700), st.sampled_from(["look", "call", "down", "up again"])), max_size=40
    ),
    st.integers(0, 40),
)
def test_no_anonymous_call_is_let_in_that_begins_a_second_after_the_acknowledgement(
    steps: list[tuple[int, str]], raised_before: int
) -> None:
    async def run() -> None:
        gate, raised_us = Gate(), None
        await gate.wall()
        for number, (pause_ms, step) in enumerate(steps):
            if number == raised_before:
                gate.books.changes.append(a_change())
                raised_us = gate.clock.now_us()
            gate.clock.advance(pause_ms * MS_US)
            if step == "look":
                await gate.watch.hold()
            elif step == "call":
                late = raised_us is not None and gate.clock.now_us() > raised_us + 1_000 * MS_US
                assert not (await is_let_in(gate) and late)
            else:
                gate.books.is_down = step == "down"

    asyncio.run(run())


class Slow(Books):
    """Answers reads when it is told to, each with what was there as it began."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[asyncio.Future[Any], WallChange | None]] = []

    async def read(self, query: Callable[[Books], Any]) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append((answer, query(self)))
        return await answer

    def answer(self, number: int) -> None:
        future, found = self.waiting[number]
        future.set_result(found)


async def test_a_read_that_comes_late_does_not_bring_down_a_wall_that_is_known() -> None:
    books, time = Slow(), [0.0]
    watch = WallWatch(books, ManualClock(), lambda: time[0])
    early = asyncio.create_task(watch.refresh())
    await asyncio.sleep(0)
    books.changes.append(a_change())
    late = asyncio.create_task(watch.refresh())
    await asyncio.sleep(0)

    books.answer(1)
    await late
    books.answer(0)
    await early

    assert watch.last() == a_change()


async def test_a_read_is_as_old_as_its_beginning() -> None:
    books, time = Slow(), [0.0]
    watch = WallWatch(books, ManualClock(), lambda: time[0])
    reading = asyncio.create_task(watch.refresh())
    await asyncio.sleep(0)

    time[0] = 1.1
    books.answer(0)
    await reading

    assert watch.age_seconds() == pytest.approx(1.1)
    with pytest.raises(Refusal, match="WALL_UNKNOWN"):
        watch.last()


@pytest.mark.parametrize(("asleep_us", "ticks"), [(1_000_001, 0.0), (0, 1.1), (-3_600_000_000, 1.1)])
async def test_neither_a_machine_that_slept_nor_a_clock_that_was_set_back_keeps_knowledge_young(
    asleep_us: int, ticks: float
) -> None:
    clock, time = ManualClock(), [0.0]
    watch = WallWatch(Books(), clock, lambda: time[0])
    await watch.refresh()

    clock.advance(asleep_us)
    time[0] += ticks

    with pytest.raises(Refusal, match="WALL_UNKNOWN"):
        watch.last()


async def test_who_cannot_read_what_was_changed_just_now_believes_nothing() -> None:
    gate = Gate()
    await gate.wall()
    gate.books.is_down = True

    await gate.watch.hold()

    assert not await is_let_in(gate)
