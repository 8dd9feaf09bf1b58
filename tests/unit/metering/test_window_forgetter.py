"""What has passed is dropped step by step, and can wait where the database is out of reach."""

from dataclasses import dataclass, field

from services.chassis.refusals import unavailable
from services.metering.forgetting import WindowForgetter


@dataclass
class Passed:
    """So many steps to go; out of reach for as long as it says."""

    steps: int
    is_away: bool = False
    done: list[int] = field(default_factory=list)

    async def drop_passed(self) -> bool:
        """Drops some."""
        if self.is_away:
            raise unavailable("DATABASE_UNAVAILABLE", "the database cannot be written now")
        self.steps -= 1
        self.done.append(self.steps)
        return self.steps > 0


async def test_it_says_whether_more_is_to_be_dropped() -> None:
    passed = Passed(2)
    forgetter = WindowForgetter(passed, interval_seconds=1)

    assert [await forgetter.forget(), await forgetter.forget()] == [True, False]
    assert passed.done == [1, 0]


async def test_a_database_that_is_out_of_reach_ends_nothing_and_is_tried_again() -> None:
    passed = Passed(1, is_away=True)
    forgetter = WindowForgetter(passed, interval_seconds=1)

    assert await forgetter.forget() is False
    passed.is_away = False
    await forgetter.forget()

    assert passed.steps == 0
