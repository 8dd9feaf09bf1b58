"""What follows for a subject, as messages of the contract."""

from collections.abc import Sequence
from typing import cast

from services.consent.custodian import StandingNow
from services.consent.domain.subject_standings import PurposeStanding
from services.consent.rpc.answers import revision_message, timestamp
from sluice.consent.v1 import policy_pb2, reason_pb2, standing_pb2
from sluice.type.v1 import purpose_pb2


def standing_now(told: StandingNow) -> standing_pb2.GetStandingResponse:
    """By licensee and purpose, and as of when."""
    return standing_pb2.GetStandingResponse(
        anyone=_by_purpose(told.standing.anyone),
        licensees=[
            standing_pb2.LicenseeStanding(licensee_id=licensee, purposes=_by_purpose(purposes))
            for licensee, purposes in told.standing.licensees.items()
        ],
        policy_version=told.policy_version,
        revision=revision_message(told.revision),
        as_of=timestamp(told.as_of_us),
    )


def _by_purpose(purposes: Sequence[PurposeStanding]) -> list[standing_pb2.PurposeStanding]:
    return [
        standing_pb2.PurposeStanding(
            purpose=cast("purpose_pb2.Purpose", each.purpose),
            reason=cast("reason_pb2.ConsentReason", int(each.reason)),
            by_choice=each.by_choice,
            record_revision=each.revision,
            regime=cast("policy_pb2.Regime", int(each.regime)),
            denied_by_purpose=cast("purpose_pb2.Purpose", each.denied_by),
        )
        for each in purposes
    ]
