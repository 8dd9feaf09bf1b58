"""Parts of pages that the log of receipts gives (R2)."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal
from services.console.web.asking import Missing, asked
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub

T = TypeVar("T")

LATE_US = 10_000_000
"""A checkpoint is published within a second of a receipt where nothing is broken (R2)."""
NONE_YET = "CHECKPOINT_UNKNOWN"


@dataclass(frozen=True)
class Standing:
    """How far the log has been published."""

    checkpoint: pb.Checkpoint
    age_us: int
    waiting: int
    """Receipts that no checkpoint covers yet."""
    is_late: bool
    """Whether they have waited for so long that something is broken."""


async def of_log(part: Awaitable[T]) -> T | Missing:
    """The part, or that it is missing: as `asked`, and where there is no log yet, or none to be believed."""
    try:
        return await asked(part)
    except Refusal as refusal:
        if refusal.kind is not Kind.PRECONDITION and refusal.reason != NONE_YET:
            raise
        return Missing(refusal.reason)


async def checkpoint(licensing: Peer) -> pb.Checkpoint:
    """The newest; raises Refusal."""
    stub = LogServiceStub(licensing.channel)
    return (await licensing.call(stub.GetCheckpoint, pb.GetCheckpointRequest())).checkpoint


async def inclusion(licensing: Peer, decision_id: str) -> pb.GetInclusionProofResponse:
    """The proof that the receipt of a decision is in the log; raises Refusal."""
    stub = LogServiceStub(licensing.channel)
    request = pb.GetInclusionProofRequest(decision_id=decision_id)
    return await licensing.call(stub.GetInclusionProof, request)


def standing(found: pb.Checkpoint, last_receipt: int, now_us: int) -> Standing:
    """What a checkpoint is like when receipts go up to a number."""
    age_us = max(0, now_us - found.published_at.ToMicroseconds())
    waiting = max(0, last_receipt - found.size)
    return Standing(found, age_us, waiting, is_late=bool(waiting) and age_us > LATE_US)
