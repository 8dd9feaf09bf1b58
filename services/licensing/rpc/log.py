"""The log of receipts over gRPC."""

from typing import Any

from services.chassis.identity import current_principal
from services.chassis.serving import Bolt
from services.licensing.domain.log.growth import Signed
from services.licensing.proving import Prover
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1 import log_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.LogService"


class LogServicer(pb_grpc.LogServiceServicer):
    """`sluice.licensing.v1.LogService`."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover

    async def GetCheckpoint(  # noqa: N802
        self, request: pb.GetCheckpointRequest, context: Any
    ) -> pb.GetCheckpointResponse:
        """The newest checkpoint."""
        return pb.GetCheckpointResponse(checkpoint=checkpoint_message(await self._prover.newest()))

    async def GetInclusionProof(  # noqa: N802
        self, request: pb.GetInclusionProofRequest, context: Any
    ) -> pb.GetInclusionProofResponse:
        """That a receipt is in the log."""
        caller = current_principal()
        which = request.decision_id if request.HasField("decision_id") else request.receipt_number
        proof = await self._prover.inclusion(which, request.tree_size, caller.kind, caller.party)
        return pb.GetInclusionProofResponse(
            decision_id=proof.logged.decision_id,
            receipt_number=proof.logged.number,
            tree_size=proof.size,
            hashes=proof.hashes,
            checkpoint=checkpoint_message(proof.signed),
        )

    async def GetConsistencyProof(  # noqa: N802
        self, request: pb.GetConsistencyProofRequest, context: Any
    ) -> pb.GetConsistencyProofResponse:
        """That the log only grew."""
        proof = await self._prover.consistency(request.first, request.second)
        return pb.GetConsistencyProofResponse(
            first=proof.first,
            second=proof.second,
            hashes=proof.hashes,
            checkpoint=checkpoint_message(proof.signed),
        )


def bolt(prover: Prover) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_LogServiceServicer_to_server, LogServicer(prover), FULL_NAME)


def checkpoint_message(signed: Signed | None) -> pb.Checkpoint | None:
    """A checkpoint; None where there is none."""
    if signed is None:
        return None
    message = pb.Checkpoint(size=signed.head.size, root=signed.head.root, note=signed.note)
    message.published_at.FromMicroseconds(signed.published_at_us)
    return message
