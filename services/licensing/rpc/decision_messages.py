"""Decisions as messages: all that is known, and what of it a licensee is told."""

import numpy as np

from services.licensing.domain.answers import NoRoom
from services.licensing.domain.decisions import Decision
from services.licensing.domain.deliveries import Delivery
from services.licensing.domain.receipts import request_key
from services.licensing.serving import Served
from sluice.licensing.v1 import release_service_pb2 as pb

NOT_FOR_LICENSEES = ("reasons", "salt", "consent_revision", "policy_version")
"""Reasons tell who is a minor or has opted out; the salt lets authors be tried against the receipt; and what
consent said, and as of when, tells whether it was asked and what has changed since."""


def decision_message(
    decision: Decision, delivery: Delivery, asked_at_us: int, *, replayed: bool
) -> pb.Decision:
    """The answer as it is at `asked_at_us`, with the validity that is left then."""
    valid_for_us = decision.valid_for_us(asked_at_us)
    message = pb.Decision(
        decision_id=decision.decision_id,
        request_id=decision.asker.request_id,
        license_id=decision.license_id,
        license_version=decision.license_version,
        outcome=f"OUTCOME_{decision.outcome.name}",
        verdicts=decision.verdicts.tobytes(),
        reasons=decision.reasons.tobytes(),
        replayed=replayed,
        is_void=decision.not_after_us is not None and valid_for_us == 0,
        receipt=decision.receipt,
        receipt_number=decision.number,
        salt=decision.salt,
        policy_version=decision.policy_version or 0,
        trace_id=decision.trace_id,
        delivery=delivery_message(delivery),
    )
    message.decided_at.FromMicroseconds(decision.decided_at_us)
    if decision.not_after_us is not None:
        message.not_after.FromMicroseconds(decision.not_after_us)
        message.valid_for.FromMicroseconds(valid_for_us)
    if decision.consent_revision is not None:
        message.consent_revision.epoch = decision.consent_revision.epoch
        message.consent_revision.number = decision.consent_revision.number
    if decision.hold is not None:
        message.reservation_id = decision.hold.reservation_id
        message.counted_at.FromMicroseconds(decision.hold.counted_at_us)
    if decision.no_room is not None:
        message.room_denial.CopyFrom(room_denial_message(decision.no_room))
    return message


def room_denial_message(no_room: NoRoom) -> pb.RoomDenial:
    """Why there was no room."""
    message = pb.RoomDenial(
        allowance=no_room.allowance,
        limit=no_room.limit,
        retry_at_is_exact=no_room.retry_at_is_exact,
        never_fits=no_room.never_fits,
    )
    if no_room.retry_at_us is not None:
        message.retry_at.FromMicroseconds(no_room.retry_at_us)
    return message


def delivery_message(delivery: Delivery) -> pb.Delivery:
    """What is known of a delivery."""
    message = pb.Delivery(
        state=f"DELIVERY_STATE_{delivery.state.name}",
        posts_released=delivery.posts_released,
        posts_metered=delivery.posts_metered,
        posts_billed=delivery.posts_billed,
    )
    if delivery.confirmed_at_us is not None:
        message.confirmed_at.FromMicroseconds(delivery.confirmed_at_us)
    return message


def coarse(decision: pb.Decision) -> pb.Decision:
    """The decision as a licensee is told it: verdicts, and nothing that tells one denial from another.

    In the place of the salt is the key that follows from it and opens what they sent and were told (R3).
    """
    decision.request_key = request_key(decision.salt)
    for field in NOT_FOR_LICENSEES:
        decision.ClearField(field)
    return decision


def served_message(served: Served, asked_at_us: int) -> pb.GetReleasedPostsResponse:
    """What may be served on a decision at `asked_at_us`."""
    decision = served.decision
    valid_for_us = decision.valid_for_us(asked_at_us)
    message = pb.GetReleasedPostsResponse(
        license_id=decision.license_id,
        licensee_id=decision.licensee_id,
        purpose=decision.purpose,  # type: ignore[arg-type]  # an open enum
        posts_asked=len(decision.reasons),
        positions=np.flatnonzero(decision.released).tolist(),
        post_ids=served.post_ids.tolist(),
        is_void=decision.not_after_us is not None and valid_for_us == 0,
        delivery=delivery_message(served.delivery),
    )
    if decision.not_after_us is not None:
        message.not_after.FromMicroseconds(decision.not_after_us)
        message.valid_for.FromMicroseconds(valid_for_us)
    return message
