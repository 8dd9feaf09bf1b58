"""The history of a license: what was done to it, by whom, when and why; its lines are never altered.

What time alone does, such as the hour at which a version comes into force or the end of a term, nobody did:
it has no line. The line that set the hour says it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from services.licensing.domain.licenses import LicenseState, Step


class StepTaken(enum.IntEnum):
    """What a change did; the numbers of `sluice.licensing.v1.LicenseStep`."""

    DRAFTED = 1
    """Created the license, as version 1."""
    AMENDED = 2
    """Drafted another version."""
    ACTIVATED = 3
    """Put a version into force at once."""
    SCHEDULED = 4
    """Set the time from which a version is in force."""
    WITHDRAWN = 5
    """Took a version back, or the time that was set for a first one."""
    SUSPENDED = 6
    RESUMED = 7
    TERMINATED = 8


STEPS_TAKEN: Mapping[Step, StepTaken] = {
    Step.SUSPEND: StepTaken.SUSPENDED,
    Step.RESUME: StepTaken.RESUMED,
    Step.TERMINATE: StepTaken.TERMINATED,
}


@dataclass(frozen=True)
class Change:
    """One change of a license, as it is told. Times are microseconds since the epoch, UTC."""

    by: str
    """Kind and party of the principal."""
    at_us: int
    reason: str
    step: StepTaken | None
    """None in lines from before steps were kept, where the rest does not tell."""
    version: int | None
    """The version that it was about; None as in `step`."""
    effective_from_us: int | None = None
    """From when that version was to be in force: as it was set, or, where it was withdrawn, had been set."""


@dataclass(frozen=True)
class Line:
    """One line of the history of a license."""

    number: int
    """Counts the changes of the license, from 1."""
    state: LicenseState
    """As the change left it."""
    change: Change
