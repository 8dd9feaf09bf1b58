"""Other ways to read the clause, and what they come to (D2)."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.console import money
from services.console.damages_policies import access_words
from services.console.names import word_of
from sluice.metering.v1.damages_pb2 import Assessment, DamagesOverlap, DamagesReading, DamagesRounding

Way = tuple[tuple[str, str], ...]
"""What a reading says of each thing that can be read in several ways."""

COLUMNS = ("read with", ">periods", ">posts", ">amount", ">more or less")


def rows(assessment: Assessment, *, is_all: bool) -> list[tuple[Any, ...]]:
    """What other readings come to: those that differ in one thing from the policy's, or all of them."""
    decimals = assessment.policy.decimals
    return [
        (
            words,
            reading.periods,
            reading.posts,
            money.face(reading.amount, decimals),
            money.face(money.difference(reading.amount, assessment.amount), decimals),
        )
        for words, reading in _told(assessment, is_all=is_all)
    ]


def _told(assessment: Assessment, *, is_all: bool) -> Iterator[tuple[str, DamagesReading]]:
    own = way(assessment.policy)
    for reading in assessment.readings:
        other = way(reading)
        differing = [there for here, there in zip(own, other, strict=True) if here != there]
        if is_all or len(differing) == 1:
            mark = "" if differing else " (the policy's)"
            yield _words(other if is_all else differing) + mark, reading


def way(reading: Any) -> Way:
    """How a policy, or another reading, reads the clause."""
    return (
        ("accesses", access_words(sorted(reading.accesses))),
        ("licensed volume", "counted" if reading.licensed_volume_counts else "left out"),
        ("overlap", word_of(DamagesOverlap.DESCRIPTOR, reading.overlap)),
        ("rounding", word_of(DamagesRounding.DESCRIPTOR, reading.rounding)),
    )


def _words(things: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name} {value}" for name, value in things)
