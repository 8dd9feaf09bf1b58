"""What an audit finds: sums that are not those of what they are made from."""

from dataclasses import dataclass

LISTED = 100
"""Differences that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not add up."""

    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Started:
    """A check that is at work from now on."""

    check: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to."""

    check: str
    compared: int
    differences: tuple[Difference, ...]
    """The first hundred."""
    difference_count: int
