"""The readings of the clause side by side: what each way to treat windows and to round comes to (D2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.metering.v1.damages_pb2 import Assessment, DamagesReading

Way = tuple[int, int]
"""DamagesOverlap and DamagesRounding."""


@dataclass(frozen=True)
class ReadingTable:
    """All readings that count the same accesses."""

    accesses: tuple[int, ...]
    """AccessKind, sorted."""
    licensed_volume_counts: bool
    is_policys: bool
    """Whether the policy counts these."""
    cells: Mapping[Way, DamagesReading]
    policys: Way
    """Where the policy's own reading stands, in the table that is the policy's."""

    @property
    def overlaps(self) -> list[int]:
        """One a row."""
        return sorted({overlap for overlap, _ in self.cells})

    @property
    def roundings(self) -> list[int]:
        """One a column."""
        return sorted({rounding for _, rounding in self.cells})


def reading_tables(assessment: Assessment) -> list[ReadingTable]:
    """A table for each choice of what counts, the policy's first."""
    policy = assessment.policy
    own = (tuple(sorted(policy.accesses)), policy.licensed_volume_counts)
    found: dict[tuple[tuple[int, ...], bool], dict[Way, DamagesReading]] = {}
    for reading in assessment.readings:
        counted = (tuple(sorted(reading.accesses)), reading.licensed_volume_counts)
        found.setdefault(counted, {})[(reading.overlap, reading.rounding)] = reading
    return [
        ReadingTable(*counted, counted == own, cells, (policy.overlap, policy.rounding))
        for counted, cells in sorted(found.items(), key=lambda each: each[0] != own)
    ]
