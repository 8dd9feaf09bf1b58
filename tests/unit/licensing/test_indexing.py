"""The background task of the release index: what it does between rests, and after faults."""

from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.refusals import unavailable
from services.licensing.indexing import (
    AFTER_FAULT_SECONDS,
    BETWEEN_SECONDS,
    EVERY_SECONDS,
    LOOKS_A_ROUND,
    Indexing,
)


class Stopped(BaseException):
    """The service is stopped."""


class Scripted:
    """An index in which each look finds what it is told: steps to merge, or a fault; and decisions to add."""

    def __init__(self, looks: list[int | Exception], adds: list[bool] | None = None) -> None:
        self._looks = looks
        self._adds = adds or []
        self.asked_for_few: list[bool] = []
        self.looked_for_merges_after: list[int] = []

    async def add_next(self, *, also_few: bool) -> bool:
        self.asked_for_few.append(also_few)
        return self._adds.pop(0) if self._adds else False

    async def merge_some(self) -> bool:
        self.looked_for_merges_after.append(len(self.asked_for_few))
        look = self._looks.pop(0) if self._looks else 0
        if isinstance(look, Exception):
            raise look
        return bool(look)

    async def remove_some(self) -> bool:
        return False


async def rests(index: Any, count: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of the first rests."""
    taken: list[float] = []
    monkeypatch.setattr("services.licensing.indexing.asyncio.sleep", sleeping(taken, count))
    with pytest.raises(Stopped):
        await Indexing(index).run()
    return taken


def sleeping(taken: list[float], count: int) -> Callable[[float], Any]:
    async def sleep(seconds: float) -> None:
        taken.append(seconds)
        if len(taken) == count:
            raise Stopped

    return sleep


async def test_few_decisions_are_added_after_a_rest_and_not_between_the_steps_of_a_merge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = Scripted([1, 1, 0, 1, 0], adds=[False, False, False, True])

    taken = await rests(index, 6, monkeypatch)

    assert taken == [
        *(BETWEEN_SECONDS, BETWEEN_SECONDS, EVERY_SECONDS),
        *(BETWEEN_SECONDS, BETWEEN_SECONDS, EVERY_SECONDS),
    ]
    assert index.asked_for_few == [True, False, False, True, False, False]


async def test_while_no_decision_comes_it_is_seldom_looked_for_merges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = Scripted([])

    await rests(index, 2 * LOOKS_A_ROUND + 1, monkeypatch)

    assert index.looked_for_merges_after == [1, LOOKS_A_ROUND + 1, 2 * LOOKS_A_ROUND + 1]


async def test_after_a_refusal_or_a_fault_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Scripted([unavailable("DATABASE_UNAVAILABLE", "not now"), ValueError("a defect"), 0])

    taken = await rests(index, 3, monkeypatch)

    assert taken == [EVERY_SECONDS, AFTER_FAULT_SECONDS, EVERY_SECONDS]
