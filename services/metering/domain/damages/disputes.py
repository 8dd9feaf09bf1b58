"""What becomes of an assessment on record: disputed, upheld, reduced, withdrawn (D4)."""

import enum
from dataclasses import dataclass, replace

from services.chassis.refusals import precondition
from services.metering.domain.damages.amounts import amount_invalid


class StepKind(enum.IntEnum):
    """The numbers are those of `DisputeStepKind` in the contract."""

    DISPUTE = 1
    UPHOLD = 2
    REDUCE = 3
    WITHDRAW = 4


class State(enum.IntEnum):
    """The numbers are those of `AssessmentState` in the contract."""

    RECORDED = 2
    DISPUTED = 3
    UPHELD = 4
    REDUCED = 5
    WITHDRAWN = 6


_FROM = {
    StepKind.DISPUTE: {State.RECORDED, State.UPHELD, State.REDUCED},
    StepKind.UPHOLD: {State.DISPUTED},
    StepKind.REDUCE: {State.DISPUTED},
    StepKind.WITHDRAW: set(State) - {State.WITHDRAWN},
}
_TO = {
    StepKind.DISPUTE: State.DISPUTED,
    StepKind.UPHOLD: State.UPHELD,
    StepKind.REDUCE: State.REDUCED,
    StepKind.WITHDRAW: State.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class DisputeStep:
    """One step."""

    kind: StepKind
    amount: int | None
    """What is claimed from then on, in minor units; only of REDUCE."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an assessment stands."""

    state: State
    in_force: int
    """What is claimed, in minor units."""

    def after(self, step: DisputeStep) -> "Standing":
        """Where it stands after a step.

        Raises Refusal: precondition ASSESSMENT_WITHDRAWN, STEP_NOT_POSSIBLE; invalid AMOUNT_INVALID.
        """
        if self.state is State.WITHDRAWN:
            raise precondition("ASSESSMENT_WITHDRAWN", "this assessment was withdrawn: nothing is claimed")
        if self.state not in _FROM[step.kind]:
            raise precondition(
                "STEP_NOT_POSSIBLE", f"it is {self.state.name}: {step.kind.name} does not follow from that"
            )
        return replace(self, state=_TO[step.kind], in_force=self._claimed(step))

    def _claimed(self, step: DisputeStep) -> int:
        if step.kind is StepKind.WITHDRAW:
            return 0
        if (step.amount is not None) != (step.kind is StepKind.REDUCE):
            raise amount_invalid("REDUCE says what is claimed from then on, and nothing else does")
        if step.amount is None:
            return self.in_force
        if not 0 <= step.amount < self.in_force:
            raise amount_invalid("less than what is claimed now, and not less than nothing")
        return step.amount


@dataclass(frozen=True, slots=True)
class Change:
    """What deciding a step did: nothing where it was rejected."""

    before: Standing
    after: Standing
