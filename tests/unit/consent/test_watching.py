"""W1: a stream of withdrawals misses and repeats nothing, wherever it is taken up again."""

from collections.abc import Sequence
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.heads import Head
from services.chassis.refusals import Refusal
from services.consent import watching
from services.consent.domain.changes import Revision
from services.consent.domain.withdrawals import Cause, Recorded, Withdrawal
from services.consent.watching import PAGE, Watch
from tests.support.clock import NOON_US

BEGINNING = Revision(0, 0)
Taken: TypeAlias = tuple[int, bool]
"""The number of a step, and whether it is a withdrawal."""


class Ledger:
    """Withdrawals in memory. Each look at it may find that time has gone on: see `growing`."""

    def __init__(self, numbers: Sequence[int], head: int, epoch: int = 1) -> None:
        self.numbers = list(numbers)
        self.head = Revision(epoch, head)
        self.growing: list[tuple[list[int], int]] = []
        self.restores: tuple[Head, ...] = ()

    async def withdrawals(self, above: int, limit: int) -> tuple[tuple[Recorded, ...], Revision]:
        page = [number for number in self.numbers if number > above][:limit]
        answer = tuple(Recorded(each, Withdrawal(Cause.CHOICE, 7), NOON_US) for each in page), self.head
        if self.growing:
            more, head = self.growing.pop(0)
            self.numbers += more
            self.head = Revision(self.head.epoch, head)
        return answer

    async def course(self) -> tuple[Revision, tuple[Head, ...]]:
        return self.head, self.restores


async def steps(ledger: Ledger, count: int, after: Revision = BEGINNING) -> list[Taken]:
    taken: list[Taken] = []
    stream = Watch(ledger, interval_seconds=0, quiet_seconds=0).follow(after)
    async for revision, recorded in stream:
        assert revision.epoch == ledger.head.epoch
        taken.append((revision.number, recorded is not None))
        if len(taken) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return taken


async def test_w1_a_checkpoint_comes_after_the_withdrawals_that_it_speaks_of() -> None:
    assert await steps(Ledger([2, 5], head=9), 3) == [(2, True), (5, True), (9, False)]


async def test_w1_an_empty_stream_has_checkpoints() -> None:
    assert await steps(Ledger([], head=0), 2) == [(0, False), (0, False)]


async def test_w1_a_stream_says_once_how_far_it_is_and_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0

    async def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr("services.consent.watching.asyncio.sleep", sleep)
    stream = Watch(Ledger([2], head=9), interval_seconds=5, quiet_seconds=15).follow(BEGINNING)

    taken = [(await anext(stream))[0].number for _ in range(4)]

    assert taken == [2, 9, 9, 9]
    assert looks == 6


async def test_w1_what_is_withdrawn_while_somebody_reads_comes_after_the_last_checkpoint() -> None:
    ledger = Ledger([2], head=3)
    ledger.growing = [([5], 6), ([], 6)]

    assert await steps(ledger, 5) == [(2, True), (3, False), (5, True), (6, False), (6, False)]


async def test_w1_a_full_page_is_no_reason_for_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PAGE", 2)

    taken = await steps(Ledger([1, 2, 3, 4, 5], head=7), 6)

    assert taken == [*((number, True) for number in range(1, 6)), (7, False)]
    assert PAGE == 500


async def test_w1_whoever_was_cut_off_goes_on_from_the_last_step_that_they_kept() -> None:
    ledger = Ledger([2, 5, 8], head=9)
    everything = await steps(ledger, 4)

    for kept in range(1, 4):
        after = Revision(1, everything[kept - 1][0])
        assert await steps(ledger, 4 - kept, after) == everything[kept:]


@given(st.sets(st.integers(1, 30)), st.integers(0, 30), st.lists(st.integers(1, 6), max_size=6))
async def test_w1_a_stream_that_is_cut_anywhere_misses_and_repeats_nothing(
    numbers: set[int], extra: int, cuts: list[int]
) -> None:
    ledger = Ledger(sorted(numbers), head=max(numbers, default=0) + extra)
    position, taken = BEGINNING, list[int]()

    for cut in [*cuts, len(numbers) + 1]:
        for number, is_withdrawal in await steps(ledger, cut, position):
            taken += [number] if is_withdrawal else []
            position = Revision(1, number)

    assert taken == sorted(numbers)
    assert position == ledger.head


async def test_w1_the_beginning_is_good_in_any_epoch() -> None:
    assert await steps(Ledger([2], head=3, epoch=4), 1, Revision(1, 0)) == [(2, True)]


@pytest.mark.parametrize(
    ("after", "reason"), [(Revision(1, 2), "CURSOR_OF_ANOTHER_EPOCH"), (Revision(2, 10), "CURSOR_AHEAD")]
)
async def test_r5_a_position_that_the_database_does_not_know_is_refused(after: Revision, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        await steps(Ledger([2], head=9, epoch=2), 1, after)

    assert refused.value.reason == reason


async def test_r5_a_database_that_falls_behind_a_stream_ends_it() -> None:
    ledger = Ledger([2], head=9)
    ledger.growing = [([], 8)]

    with pytest.raises(Refusal) as refused:
        await steps(ledger, 3)

    assert refused.value.reason == "DATABASE_BEHIND"


@pytest.mark.parametrize(
    ("after", "taken"),
    [
        (Revision(1, 3), [(5, True), (8, True), (9, False)]),
        (Revision(1, 5), [(8, True), (9, False), (9, False)]),
        # Of epoch 1 there were more, and 5 is the last that is still there.
        (Revision(1, 20), [(8, True), (9, False), (9, False)]),
        (Revision(2, 9), [(5, True), (8, True), (9, False)]),
    ],
)
async def test_w5_r5_a_position_of_an_earlier_epoch_goes_on_from_the_restore_point(
    after: Revision, taken: list[Taken]
) -> None:
    ledger = Ledger([2, 5, 8], head=9, epoch=3)
    ledger.restores = (Head(2, 5), Head(3, 4)) if after.epoch == 2 else (Head(2, 6), Head(3, 5))

    assert await steps(ledger, 3, after) == taken


async def test_r5_a_restore_while_somebody_reads_ends_the_stream() -> None:
    ledger = Ledger([2], head=9)
    stream = Watch(ledger, interval_seconds=0).follow(BEGINNING)
    for _ in range(2):
        await anext(stream)

    ledger.head = Revision(2, 4)

    with pytest.raises(Refusal) as refused:
        await anext(stream)
    assert refused.value.reason == "CURSOR_OF_ANOTHER_EPOCH"
