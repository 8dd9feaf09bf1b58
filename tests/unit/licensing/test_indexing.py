"""The background task of the release index: what it does between rests, and after faults."""

from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.refusals import unavailable
from services.licensing.indexing import AFTER_FAULT_SECONDS, BETWEEN_SECONDS, EVERY_SECONDS, Indexing


class Stopped(BaseException):
    """The service is stopped."""


class Scripted:
    """An index in which each look finds what it is told: steps to merge, or a fault."""

    def __init__(self, looks: list[int | Exception]) -> None:
        self._looks = looks
        self.asked_for_few: list[bool] = []

    async def add_next(self, *, also_few: bool) -> bool:
        self.asked_for_few.append(also_few)
        return False

    async def merge_some(self) -> bool:
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
    index = Scripted([1, 1, 0, 1, 0])

    taken = await rests(index, 5, monkeypatch)

    assert taken == [BETWEEN_SECONDS, BETWEEN_SECONDS, EVERY_SECONDS, BETWEEN_SECONDS, EVERY_SECONDS]
    assert index.asked_for_few == [True, False, False, True, False]


async def test_after_a_refusal_or_a_fault_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Scripted([unavailable("DATABASE_UNAVAILABLE", "not now"), ValueError("a defect"), 0])

    taken = await rests(index, 3, monkeypatch)

    assert taken == [EVERY_SECONDS, AFTER_FAULT_SECONDS, EVERY_SECONDS]
