"""W2: a stream of recalls misses and repeats nothing, wherever it is taken up again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing import recall_watching
from services.licensing.domain.recalls.recalls import Recall, RecallState
from services.licensing.recall_watching import RecallWatch
from tests.support.clock import NOON_US

Taken: TypeAlias = tuple[int, bool]
"""The number of a step, and whether it is a recall."""
A_RECALL = Recall("r", "acme", RecallState.ISSUED, NOON_US, 1, 1, 1, NOON_US, NOON_US + 1)


class Recalls:
    """Recalls of one licensee, in memory. Each look at it may find that time has gone on: see `growing`."""

    def __init__(self, numbers: Sequence[int], newest: int) -> None:
        self.numbers = list(numbers)
        self.newest = newest
        self.growing: list[tuple[list[int], int]] = []

    async def recalls_after(
        self, licensee_id: str | None, after: int, limit: int
    ) -> tuple[list[Recall], int]:
        page = [number for number in self.numbers if number > after][:limit]
        answer = [replace(A_RECALL, number=number) for number in page], self.newest
        if self.growing:
            more, self.newest = self.growing.pop(0)
            self.numbers += more
        return answer


async def steps(recalls: Recalls, count: int, after: int = 0) -> list[Taken]:
    taken: list[Taken] = []
    stream = RecallWatch(recalls, look_seconds=0).follow("acme", after)
    async for number, recall in stream:
        assert recall is None or recall.number == number
        taken.append((number, recall is not None))
        if len(taken) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return taken


async def test_how_far_all_was_sent_comes_after_the_recalls_that_it_speaks_of() -> None:
    assert await steps(Recalls([2, 5], newest=9), 3) == [(2, True), (5, True), (9, False)]


async def test_it_is_said_at_once_that_there_is_nothing() -> None:
    assert await steps(Recalls([], newest=0), 1) == [(0, False)]


async def test_a_recall_says_by_itself_how_far_all_was_sent() -> None:
    recalls = Recalls([2], newest=2)
    recalls.growing = [([], 2), ([3], 3)]

    assert await steps(recalls, 2) == [(2, True), (3, True)]


async def test_a_stream_without_news_has_a_step_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall_watching, "QUIET_SECONDS", 0.002)
    stream = RecallWatch(Recalls([], newest=4), look_seconds=0.001).follow(None, 4)

    taken = [await anext(stream) for _ in range(3)]

    assert taken == [(4, None)] * 3


async def test_a_full_page_is_no_reason_to_say_how_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall_watching, "PAGE", 2)

    assert await steps(Recalls([1, 2, 3], newest=7), 4) == [(1, True), (2, True), (3, True), (7, False)]


async def test_whoever_has_seen_more_than_there_is_is_refused() -> None:
    with pytest.raises(Refusal, match="CURSOR_AHEAD"):
        await steps(Recalls([1], newest=1), 1, after=2)


async def test_a_database_that_lost_what_was_shown_ends_the_stream() -> None:
    recalls = Recalls([1, 2], newest=2)
    recalls.growing = [([], 1)]

    with pytest.raises(Refusal, match="DATABASE_BEHIND"):
        await steps(recalls, 4)


@given(st.sets(st.integers(1, 30)), st.integers(30, 35), st.integers(0, 35))
async def test_w2_taken_up_anywhere_the_rest_comes_once_and_in_order(
    numbers: set[int], newest: int, kept: int
) -> None:
    after = min(kept, newest)
    rest = [number for number in sorted(numbers) if number > after]

    taken = await steps(Recalls(sorted(numbers), newest), len(rest) + (not rest or rest[-1] != newest), after)

    assert [number for number, is_recall in taken if is_recall] == rest
