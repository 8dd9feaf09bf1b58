"""The figures of following the database: how far a look was behind, when the index was current, and since."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.consent import metrics
from services.consent.domain.changes import Follower, Revision
from services.consent.following import Following
from services.consent.index import Index
from tests.support.clock import NOON_US, ManualClock

SECOND_US = 1_000_000


@dataclass
class Standing:
    """As much of an index as is looked at: how far it has come."""

    revision: Revision | None = None

    def view(self) -> Any:
        return self


class Steps:
    """A database whose head is wherever a test puts it."""

    def __init__(self, index: Standing) -> None:
        self._index = index
        self.head = Revision(1, 0)
        self.fails = False

    async def follow(self, _follower: Follower) -> None:
        if self.fails:
            raise unavailable("DATABASE_UNAVAILABLE", "gone")
        self._index.revision = self.head


class Stand:
    """An index that follows, and the times of it."""

    def __init__(self) -> None:
        index = Standing()
        self.clock, self.ticks = ManualClock(), 0.0
        self.history = Steps(index)
        self.following = Following(self.history, cast(Index, index), self.clock, lambda: self.ticks)

    async def look(self, head: Revision) -> float:
        """Has the index follow to a head; how far it is said to have been behind."""
        self.history.head = head
        await self.following.catch_up()
        lag: float = metrics.INDEX_LAG._value.get()
        return lag


def effects() -> tuple[float, float]:
    """Choices that were timed, and their seconds together."""
    [metric] = metrics.CHOICE_TO_EFFECT_SECONDS.collect()
    values = {sample.name: sample.value for sample in metric.samples if "le" not in sample.labels}
    return values[f"{metric.name}_count"], values[f"{metric.name}_sum"]


def current() -> float:
    """When the index was last at the head."""
    moment: float = metrics.INDEX_CURRENT.labels(metrics.DATABASE)._value.get()
    return moment


async def test_a_look_is_behind_by_the_revisions_that_it_took_in() -> None:
    stand = Stand()
    await stand.look(Revision(1, 4))

    assert await stand.look(Revision(1, 9)) == 5
    assert await stand.look(Revision(1, 9)) == 0


async def test_a_whole_history_is_not_said_to_be_behind_at_the_start_or_in_another_epoch() -> None:
    stand = Stand()

    assert await stand.look(Revision(1, 1_000)) == 0
    assert await stand.look(Revision(2, 5)) == 0
    assert await stand.look(Revision(2, 7)) == 2


async def test_the_index_is_current_as_of_the_beginning_of_a_look_and_not_after_one_that_failed() -> None:
    stand = Stand()
    await stand.look(Revision(1, 1))
    stand.clock.advance(5 * SECOND_US)
    stand.history.fails = True

    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await stand.following.catch_up()

    assert current() == NOON_US / SECOND_US


async def test_choices_are_timed_from_their_commit_until_the_index_has_them_also_across_epochs() -> None:
    stand = Stand()
    await stand.look(Revision(1, 1))
    count, seconds = effects()
    stand.following.expect(Revision(1, 2))
    stand.ticks = 1.0
    stand.following.expect(Revision(1, 3))
    stand.ticks = 1.5

    await stand.look(Revision(1, 2))
    first = effects()
    stand.ticks = 3.0
    await stand.look(Revision(2, 0))
    second = effects()

    assert first == (count + 1, seconds + 1.5)
    assert second == (count + 2, seconds + 3.5)
