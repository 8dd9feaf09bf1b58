"""Decides with two operators what becomes of an assessment, and remembers who was told of it (D4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.approvals import Proposal
from services.chassis.replays import ReplayKey
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.disputes import Change, DisputeStep


@dataclass(frozen=True, slots=True)
class Step:
    """A step from its proposal on."""

    proposal: Proposal
    step: DisputeStep
    rate: Rate
    """Of the policy of the assessment: what its amounts are told in."""
    change: Change | None
    """None while it waits."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something sent to a party about an assessment."""

    number: int
    party_id: str
    sent_us: int
    how: str
    digest: bytes
    """SHA-256 of what was sent."""
    recorded_by: str
    recorded_us: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that somebody asks for."""

    assessment_id: str
    kind: int
    reason: str
    amount: tuple[str, int, int] | None
    """Currency, units and billionths; None where none is given."""


class Disputes(Protocol):
    """The durable store; each change is made once for each key, by its caller."""

    async def propose(self, wanted: Wanted, key: ReplayKey) -> Step:
        """Puts a proposal on record. Raises Refusal.

        ASSESSMENT_UNKNOWN, ASSESSMENT_WITHDRAWN, STEP_NOT_POSSIBLE, STEP_PENDING, AMOUNT_INVALID.
        """
        ...

    async def decide(self, proposal_id: str, reason: str, key: ReplayKey, *, approve: bool) -> Step:
        """Decides, and does what was approved; the step has its change. Raises Refusal.

        PROPOSAL_UNKNOWN, PROPOSAL_DECIDED, SAME_OPERATOR, and those of what is done.
        """
        ...

    async def steps(self, assessment_id: str, before: int, limit: int) -> Sequence[Step]:
        """Those of an assessment, latest first; for "" all that wait."""
        ...

    async def notice(self, assessment_id: str, notice: Notice, key: ReplayKey) -> Notice:
        """Puts it on record. Raises Refusal ASSESSMENT_UNKNOWN, PARTY_NOT_LIABLE, NOTICE_IN_THE_FUTURE."""
        ...

    async def notices(self, assessment_id: str, before: int, limit: int) -> Sequence[Notice]:
        """Those of an assessment, latest first. Raises Refusal ASSESSMENT_UNKNOWN."""
        ...
