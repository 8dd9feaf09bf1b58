"""What a release comes to for want of room: batch by batch in the order of the file, as `sluice_gate` goes.

A batch goes whole or not at all. One that can never fit is passed by; at the first other one without room
the release stops, so that later posts never overtake earlier ones.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Wanted(NamedTuple):
    """What one batch takes of every allowance."""

    ordinal: int
    """Its place in the file."""
    posts: int
    """Those that nothing stands in the way of but, perhaps, want of room."""
    never_fits: bool


def yield_of(batches: Iterable[Wanted], room: int | None) -> int:
    """Posts that go of batches in any order, into `room` posts that all allowances have; None is no limit."""
    gone = 0
    for batch in sorted(batches):
        if batch.never_fits:
            continue
        if room is not None and gone + batch.posts > room:
            break
        gone += batch.posts
    return gone
