"""Manifests over gRPC: one contributor's line at a time."""

from typing import Any

from services.chassis.identity import current_principal
from services.chassis.serving import Bolt
from services.licensing.manifest_proofs import ManifestProver, ShownLeaf
from sluice.licensing.v1 import manifest_proof_pb2
from sluice.licensing.v1 import manifest_service_pb2 as pb
from sluice.licensing.v1 import manifest_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.ManifestService"


class ManifestServicer(pb_grpc.ManifestServiceServicer):
    """`sluice.licensing.v1.ManifestService`."""

    def __init__(self, prover: ManifestProver) -> None:
        self._prover = prover

    async def GetManifestProof(  # noqa: N802
        self, request: pb.GetManifestProofRequest, context: Any
    ) -> pb.GetManifestProofResponse:
        """What a release held of one contributor."""
        shown = await self._prover.leaf(request.decision_id, request.subject_id, current_principal())
        return pb.GetManifestProofResponse(proof=proof_message(request.decision_id, shown))


def bolt(prover: ManifestProver) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_ManifestServiceServicer_to_server, ManifestServicer(prover), FULL_NAME)


def proof_message(decision_id: str, shown: ShownLeaf) -> manifest_proof_pb2.ManifestProof:
    """A leaf with what leads from it to the root."""
    proof = shown.proof
    return manifest_proof_pb2.ManifestProof(
        decision_id=decision_id,
        receipt=shown.receipt,
        leaf=manifest_proof_pb2.ManifestLeaf(
            salt=proof.salt, subject_id=proof.contributor, post_ids=proof.post_ids
        ),
        leaf_index=proof.index,
        leaves=proof.leaves,
        hashes=proof.hashes,
    )
