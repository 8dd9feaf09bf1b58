"""Other ways to read the clause, and what they come to (D2)."""

from collections.abc import Iterator
from typing import Any

from services.console import money
from services.console.damages_policies import access_words
from services.console.names import word_of
from sluice.metering.v1.damages_pb2 import Assessment, DamagesOverlap, DamagesReading, DamagesRounding

COLUMNS = ("read with", ">periods", ">posts", ">amount", ">more or less")
ALL_COLUMNS = ("accesses", "licensed", "overlap", "rounding", ">periods", ">posts", ">amount", "")


def rows(assessment: Assessment) -> Iterator[tuple[Any, ...]]:
    """What the readings come to that differ in one thing from the policy's."""
    own = way(assessment.policy)
    for reading in assessment.readings:
        other = way(reading)
        differing = [name for name in other if other[name] != own[name]]
        if len(differing) == 1:
            (name,) = differing
            more = money.difference(reading.amount, assessment.amount)
            figures = (*_figures(assessment, reading), money.face(more, assessment.policy.decimals))
            yield (f"{name} {other[name]}", *figures)


def all_rows(assessment: Assessment) -> Iterator[tuple[Any, ...]]:
    """What every reading comes to, the policy's among them."""
    own = way(assessment.policy)
    for reading in assessment.readings:
        other = way(reading)
        mark = "the policy's" if other == own else ""
        yield (*other.values(), *_figures(assessment, reading), mark)


def way(reading: Any) -> dict[str, str]:
    """How a policy, or another reading, reads each thing that can be read in several ways."""
    return {
        "accesses": access_words(sorted(reading.accesses)),
        "licensed volume": "counted" if reading.licensed_volume_counts else "left out",
        "overlap": word_of(DamagesOverlap.DESCRIPTOR, reading.overlap),
        "rounding": word_of(DamagesRounding.DESCRIPTOR, reading.rounding),
    }


def _figures(assessment: Assessment, reading: DamagesReading) -> tuple[Any, ...]:
    amount = money.face(reading.amount, assessment.policy.decimals)
    return reading.periods, reading.posts, amount
