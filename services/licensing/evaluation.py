"""What license and consent say about a batch: the steps that a decision and a trial in the sandbox share.

Nothing is held, written or promised here, so that both can begin with it and only one goes on.
"""

from dataclasses import dataclass
from typing import Protocol

from services.licensing.domain.answers import ConsentAnswer
from services.licensing.domain.asking import applicable, without_unknown
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch, Mask
from services.licensing.domain.reasons import Reasons, first_of
from services.licensing.domain.releases import after_consent, still_possible


class Contracts(Protocol):
    """Where licenses are read."""

    async def current(self, license_id: str) -> License: ...


class Consent(Protocol):
    """Who knows what authors allow."""

    async def check(self, batch: Batch, license: License) -> ConsentAnswer: ...


@dataclass(frozen=True)
class Evaluated:
    """What was found out about a batch before anybody asked for room."""

    judged_at_us: int
    """When coverage and faults were judged."""
    license: License
    reasons: Reasons
    """N reasons: the first objection to each post, or RELEASED."""
    consent: ConsentAnswer | None
    """None where no post was left to ask about."""


async def evaluate(
    batch: Batch,
    contracts: Contracts,
    consent: Consent,
    *,
    judged_at_us: int,
    margin_us: int,
    unknown: Mask | None = None,
) -> Evaluated:
    """Faults, then the license, then consent; each asked only about what nothing has been objected to.

    `margin_us` is how far ahead of `judged_at_us` a post's time may lie. Posts that are `unknown`, by N
    booleans, are denied whatever consent says, which is asked about them all the same: whether it is, and how
    long that takes, must not tell them from those that it denies.

    Raises Refusal: LICENSE_UNKNOWN, and UNAVAILABLE in its forms.
    """
    license = (await contracts.current(batch.license_id)).as_of(judged_at_us)
    raised = (*batch.objections(judged_at_us, margin_us), *license.objections(batch, judged_at_us))
    objections = first_of(raised if unknown is None else applicable(raised, unknown), len(batch))
    possible = still_possible(objections)
    if not possible.any():
        return Evaluated(judged_at_us, license, objections, None)
    answer = await consent.check(batch if possible.all() else batch.take(possible), license)
    reasons = after_consent(objections, answer.reasons)
    if unknown is not None:
        reasons = without_unknown(objections, reasons, unknown)
    return Evaluated(judged_at_us, license, reasons, answer)
