"""What a decision would be, and every reason beside the one that counts.

The column that counts is made by the functions that decide (`first_objection`, `after_consent`,
`after_room`), never by others that are meant to do the same.
"""

from dataclasses import dataclass

import numpy as np

from services.chassis.refusals import unavailable
from services.licensing.domain.answers import ConsentAnswer, NoRoom, Standing
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import (
    Reason,
    Reasons,
    ReasonSets,
    all_of,
    set_of_each,
)
from services.licensing.domain.releases import after_consent, after_room, first_objection, still_possible


@dataclass(frozen=True, eq=False)
class Judged:
    """N posts as license and consent have them, before room is asked for."""

    reasons: Reasons
    """What counts so far; RELEASED where nothing stands in the way but want of room."""
    all_reasons: ReasonSets
    """All denials of license and consent."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why N posts would go or not."""

    reasons: Reasons
    """What counts: the reasons of the decision."""
    all_reasons: ReasonSets
    """That one and all others."""
    license: License
    """As it stands."""
    version: int
    """The version that was applied."""
    consent: ConsentAnswer
    no_room: NoRoom | None
    standings: tuple[Standing, ...]
    judged_at_us: int


def judge(batch: Batch, license: License, consent: Reasons, now_us: int, margin_us: int) -> Judged:
    """What license and consent say at `now_us`; `consent` are N reasons, of every post of the batch.

    Raises Refusal (unavailable, PEER_ANSWER_INVALID) unless consent answered for each of them.
    """
    if len(consent) != len(batch):
        raise unavailable(
            "PEER_ANSWER_INVALID", f"consent gave {len(consent)} reasons for {len(batch)} posts"
        )
    objections = first_objection(batch.faults(now_us, margin_us), license.covers(batch, now_us))
    reasons = after_consent(objections, consent[still_possible(objections)])
    raised = (*batch.objections(now_us, margin_us), *license.objections(batch, now_us))
    denials = np.where(consent == Reason.RELEASED, 0, consent).astype(np.uint8)
    return Judged(reasons, all_of(raised, len(batch)) | set_of_each(denials))


def with_room(judged: Judged, *, is_room: bool) -> tuple[Reasons, ReasonSets]:
    """N reasons that count and N sets of all, once metering has said whether all that may go has room."""
    reasons = judged.reasons if is_room else after_room(judged.reasons, 0)
    return reasons, judged.all_reasons | set_of_each(reasons)
