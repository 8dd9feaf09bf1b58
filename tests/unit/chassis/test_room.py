"""Room is given by turns, never beyond what there is, and comes back whatever becomes of whoever had it."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.room import Room


class Users:
    """Some who take room at once and leave or give up when they are told to."""

    def __init__(self, most: int, weights: Sequence[int]) -> None:
        self.inside: list[int] = []
        """Who has room, in the order in which they got it."""
        self._weights = weights
        self._room = Room(most)
        self._leave = [asyncio.Event() for _ in weights]
        self._tasks = [asyncio.create_task(self._use(user)) for user in range(len(weights))]

    async def _use(self, user: int) -> None:
        await self._room.take(self._weights[user])
        self.inside.append(user)
        try:
            await self._leave[user].wait()
        finally:
            self.inside.remove(user)
            self._room.give_back(self._weights[user])

    async def leave(self, user: int) -> None:
        self._leave[user].set()
        await settled()

    async def give_up(self, user: int) -> None:
        self._tasks[user].cancel()
        await settled()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def settled() -> None:
    """Lets everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def expected(most: int, weights: Sequence[int], gone: set[int], inside: Sequence[int]) -> list[int]:
    """Who is inside after some have gone: those that were, then by turns who fits."""
    staying = [user for user in inside if user not in gone]
    for user in range(len(weights)):
        if user in gone or user in staying:
            continue
        if sum(min(weights[each], most) for each in [*staying, user]) > most:
            break
        staying.append(user)
    return staying


@given(
    weights=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    goings=st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=12),
)
def test_room_is_given_by_turns_and_never_beyond_what_there_is(
    weights: list[int], goings: list[tuple[int, bool]]
) -> None:
    async def play() -> None:
        users, gone = Users(10, weights), set[int]()
        await settled()
        inside = expected(10, weights, gone, [])
        assert users.inside == inside
        for user, gives_up in goings:
            # One who leaves before their turn goes as soon as it has come; here they give up instead.
            if user < len(weights):
                await (users.give_up if gives_up or user not in users.inside else users.leave)(user)
                gone.add(user)
            inside = expected(10, weights, gone, inside)
            assert users.inside == inside
        await users.end()

    asyncio.run(play())


async def test_what_weighs_more_than_there_is_has_all_of_it_alone() -> None:
    users = Users(10, [3, 99, 1])
    await settled()
    before = list(users.inside)

    await users.leave(0)
    alone = list(users.inside)
    await users.leave(1)
    after = list(users.inside)
    await users.end()

    assert (before, alone, after) == ([0], [1], [2])


async def test_who_gives_up_in_the_moment_of_their_turn_leaves_the_room_to_the_next() -> None:
    users = Users(10, [10, 10, 10])
    await settled()

    leaving = asyncio.create_task(users.leave(0))
    # The turn has been given and not been heard of.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    giving_up = asyncio.create_task(users.give_up(1))
    await asyncio.gather(leaving, giving_up)
    inside = list(users.inside)
    await users.end()

    assert inside == [2]
