"""What an audit finds: sums that are not those of what they are made from."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

LISTED = 100
"""Differences that are named; all are counted."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not add up."""

    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to."""

    check: str
    compared: int
    differences: tuple[Difference, ...]
    """The first hundred."""
    difference_count: int


def compared(check: str, expected: Mapping[K, object], found: Mapping[K, object]) -> Finding:
    """Compares two sides by key; what is missing on one of them differs too."""
    keys = expected.keys() | found.keys()
    differing = sorted(
        (str(key), str(expected.get(key, "nothing")), str(found.get(key, "nothing")))
        for key in keys
        if expected.get(key) != found.get(key)
    )
    listed = tuple(Difference(*each) for each in differing[:LISTED])
    return Finding(check, len(keys), listed, len(differing))


def joined(findings: list[Finding], check: str) -> Finding:
    """Several parts of one check as one."""
    differences = [each for finding in findings for each in finding.differences]
    return Finding(
        check,
        sum(finding.compared for finding in findings),
        tuple(differences[:LISTED]),
        sum(finding.difference_count for finding in findings),
    )
