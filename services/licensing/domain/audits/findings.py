"""What an audit finds: things that are not as they should be, each by its name."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

LISTED = 100
"""Differences of one check that are named; all are counted."""


class Stage(enum.IntEnum):
    """How far a check is; the numbers of `sluice.licensing.v1.LedgerAuditStep`."""

    STARTED = 1
    GOING_ON = 2
    DONE = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it should be."""

    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Step:
    """One check as it starts, goes on or is done."""

    check: str
    stage: Stage
    compared: int = 0
    differences: tuple[Difference, ...] = ()
    """Of one that is done: the first hundred."""
    difference_count: int = 0


@dataclass
class Tally:
    """One check at work."""

    check: str
    """The check, as a sentence."""
    compared: int = 0
    difference_count: int = 0
    _listed: list[Difference] = field(default_factory=list)

    def add(self, differences: Iterable[Difference]) -> None:
        """One more thing was compared, and this is what differs in it."""
        self.compared += 1
        for difference in differences:
            self.difference_count += 1
            if len(self._listed) < LISTED:
                self._listed.append(difference)

    def step(self, stage: Stage) -> Step:
        """How far it is."""
        listed = tuple(self._listed) if stage is Stage.DONE else ()
        return Step(self.check, stage, self.compared, listed, self.difference_count)
