"""What of a file goes into the room that there is, against a release that is played out post by post."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.console.yields import Wanted, yield_of

LIMIT = 6
"""No batch of more posts ever fits."""


def played_out(sizes: list[int], room: int) -> int:
    """What a release delivers that asks for one batch after the other."""
    delivered = 0
    for posts in sizes:
        if posts > LIMIT:
            continue
        if posts > room:
            return delivered
        for _ in range(posts):
            room, delivered = room - 1, delivered + 1
    return delivered


@given(
    sizes=st.lists(st.integers(0, 9), max_size=8),
    room=st.integers(0, LIMIT),
    order=st.randoms(use_true_random=False),
)
def test_the_yield_is_what_a_release_would_deliver(sizes: list[int], room: int, order: Random) -> None:
    batches = [Wanted(place, posts, posts > LIMIT) for place, posts in enumerate(sizes)]
    order.shuffle(batches)

    assert yield_of(batches, room) == played_out(sizes, room)


def test_without_an_allowance_everything_goes() -> None:
    assert yield_of([Wanted(0, 10_000, False), Wanted(1, 5, False)], None) == 10_005
