"""Parts of pages that the log of receipts gives (R2)."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal
from services.console.web.asking import Missing, asked
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub
from sluice.licensing.v1.release_service_pb2 import DecisionSummary, ListDecisionsRequest
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub

T = TypeVar("T")

LATE_US = 10_000_000
"""A checkpoint is published within a second of a receipt where nothing is broken (R2)."""
NONE_YET = "CHECKPOINT_UNKNOWN"


@dataclass(frozen=True)
class Standing:
    """How far the log has been published."""

    checkpoint: pb.Checkpoint
    age_us: int
    oldest_us: int | None
    """For how long the first receipt that no checkpoint covers has waited; None where none does."""
    is_known: bool = True
    """Whether it could be looked up that receipts wait."""

    @property
    def is_late(self) -> bool:
        """Whether one has waited for so long that something is broken."""
        return self.oldest_us is not None and self.oldest_us > LATE_US

    def waiting(self, last_receipt: int | None) -> int | None:
        """How many wait when receipts go up to a number; None where nobody knows."""
        if not self.is_known:
            return None
        if self.oldest_us is None:
            return 0
        # The number may be of a moment before the receipt was looked for.
        return None if last_receipt is None else max(1, last_receipt - self.checkpoint.size)


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


async def log_standing(licensing: Peer, now_us: int) -> Standing:
    """How the log stands; raises Refusal where its checkpoint cannot be had."""
    found = await checkpoint(licensing)
    return standing(found, await asked(_first_after(licensing, found.size)), now_us)


def standing(found: pb.Checkpoint, first_after: DecisionSummary | Missing | None, now_us: int) -> Standing:
    """What a checkpoint is like when this is the first decision that it does not cover; None: it covers all.

    Its own age says nothing: where nothing is decided, none is published (R2).
    """
    age_us = max(0, now_us - found.published_at.ToMicroseconds())
    if isinstance(first_after, Missing):
        return Standing(found, age_us, None, is_known=False)
    waits_us = None if first_after is None else max(0, now_us - first_after.decided_at.ToMicroseconds())
    return Standing(found, age_us, waits_us)


async def _first_after(licensing: Peer, size: int) -> DecisionSummary | None:
    request = ListDecisionsRequest(receipt_number=size + 1)
    listed = await licensing.call(ReleaseServiceStub(licensing.channel).ListDecisions, request)
    return next(iter(listed.decisions), None)
