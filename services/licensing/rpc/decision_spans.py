"""What the span of a decision says of it: numbers and names, and never whose posts they were.

Collectors choose by it which traces they keep (deploy/otel), so what is renamed here is renamed there.
"""

from services.chassis.telemetry import set_attributes
from services.licensing.ledger import Concluded

DECISION_ID = "sluice.decision_id"
OUTCOME = "sluice.outcome"
"""RELEASED, PARTIAL or DENIED."""
POSTS_ASKED = "sluice.posts_asked"
POSTS_RELEASED = "sluice.posts_released"
LICENSE_VERSION = "sluice.license_version"
CONSENT_REVISION = "sluice.consent_revision"
"""0 where consent was not asked."""
REPLAYED = "sluice.replayed"
"""Whether it was concluded by an earlier call."""


def trace_decision(concluded: Concluded) -> None:
    """Puts onto the span of the call, or of the stream's request, what may be known of a decision."""
    decision = concluded.decision
    set_attributes(
        {
            DECISION_ID: decision.decision_id,
            OUTCOME: decision.outcome.name,
            POSTS_ASKED: len(decision.reasons),
            POSTS_RELEASED: decision.posts_released,
            LICENSE_VERSION: decision.license_version,
            CONSENT_REVISION: decision.consent_revision.number if decision.consent_revision else 0,
            REPLAYED: concluded.replayed,
        }
    )
