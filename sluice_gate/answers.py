"""What a decision means for the batch it answers.

A decision may be delivered only while less time has passed, on this machine's own clock, since its request
was sent than the validity it came with. Whatever does not fit together is delivered not at all.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from sluice.licensing.v1.release_service_pb2 import DecideRequest, Decision, DeliveryState, Outcome
from sluice_gate.errors import AnswerInvalid

_RELEASING = frozenset({Outcome.OUTCOME_RELEASED, Outcome.OUTCOME_PARTIAL})
_CONFIRMED = frozenset({DeliveryState.DELIVERY_STATE_CONFIRMED, DeliveryState.DELIVERY_STATE_CONFIRMED_LATE})
SANDBOX_KEY = "SANDBOX_KEY"
OF_THE_SANDBOX = "this is a sandbox key: what it asks is answered and never released; use a sluice_live_ key"


@dataclass(frozen=True)
class Answer:
    """A decision, and when on our clock its request was sent."""

    request: DecideRequest
    decision: Decision
    sent_us: int
    """By `Clock.elapsed_us`, before the call that brought this answer."""
    released: npt.NDArray[np.bool_]
    """For each of the N posts whether it may go."""

    @classmethod
    def read(cls, request: DecideRequest, decision: Decision, sent_us: int) -> "Answer":
        """Checks that `decision` answers `request`. Raises AnswerInvalid."""
        posts = len(request.columns.kinds)
        if decision.request_id != request.request_id or decision.license_id != request.license_id:
            raise AnswerInvalid("ANSWER_OF_ANOTHER", "the answer is for another request")
        if decision.sandbox:
            # Whatever else it says: nothing of it happened, so nothing may leave on it.
            raise AnswerInvalid(SANDBOX_KEY, OF_THE_SANDBOX)
        if len(decision.verdicts) != posts or len(decision.reasons) not in {0, posts}:
            raise AnswerInvalid("ANSWER_LENGTH", f"not as many verdicts or reasons as posts ({posts})")
        released = np.frombuffer(decision.verdicts, np.uint8) == Verdict.VERDICT_RELEASED
        if bool(released.any()) != (decision.outcome in _RELEASING):
            raise AnswerInvalid("ANSWER_CONTRADICTS", "the outcome is not what the verdicts say")
        if len(decision.salt) != 32 or not decision.receipt or not decision.decision_id:
            raise AnswerInvalid("ANSWER_WITHOUT_RECEIPT", "the answer lacks receipt or salt")
        return cls(request, decision, sent_us, released)

    @property
    def posts_released(self) -> int:
        """Posts that may go."""
        return int(self.released.sum())

    @property
    def deliver_before_us(self) -> int:
        """When the permit ends, by `Clock.elapsed_us`; at the sending, where nothing may be delivered."""
        # What was confirmed before, by a run that then stopped, must not be delivered: its count is closed.
        if self.decision.is_void or self.confirmed:
            return self.sent_us
        return self.sent_us + max(0, self.decision.valid_for.ToMicroseconds())

    @property
    def confirmed(self) -> bool:
        """Whether licensing has had a confirmation for it."""
        return self.decision.delivery.state in _CONFIRMED

    @property
    def lacks_room(self) -> bool:
        """Nothing may go for want of room, and a later try may fare better (M8)."""
        no_room = Verdict.VERDICT_NO_ROOM in self.decision.verdicts
        return no_room and not self.posts_released and not self.decision.room_denial.never_fits

    @property
    def retry_after_us(self) -> int | None:
        """For want of room: how long after the decision a new try is of use, by licensing's own clock."""
        denial = self.decision.room_denial
        if not denial.HasField("retry_at"):
            return None
        return max(0, denial.retry_at.ToMicroseconds() - self.decision.decided_at.ToMicroseconds())

    def reasons(self) -> Counter[str]:
        """Posts by exact reason, or by coarse verdict where that is all the caller may know."""
        if self.decision.reasons:
            return _named(self.decision.reasons, Reason, "REASON_")
        return _named(self.decision.verdicts, Verdict, "VERDICT_")

    def bitmap(self) -> bytes:
        """The released posts as the contract writes deliveries: bit i % 8, from the lowest, of byte i / 8."""
        return np.packbits(self.released, bitorder="little").tobytes()

    def nothing(self) -> bytes:
        """The bitmap of a delivery of nothing."""
        return bytes((len(self.released) + 7) // 8)


def _named(numbers: bytes, names: "type[Reason] | type[Verdict]", prefix: str) -> Counter[str]:
    known = {value.number: value.name.removeprefix(prefix) for value in names.DESCRIPTOR.values}
    return Counter(
        {known.get(number, f"{prefix}{number}"): count for number, count in Counter(numbers).items()}
    )
