"""The log of receipts over gRPC."""

from collections.abc import Sequence
from typing import Any, Protocol

from services.chassis.heads import Head
from services.chassis.identity import current_principal
from services.chassis.restores import Restore
from services.chassis.serving import Bolt
from services.licensing.domain.log.growth import Signed
from services.licensing.domain.restores import AcceptedRestore
from services.licensing.proving import Prover
from services.licensing.rpc.contracts import page_token, page_token_invalid, read_page_token
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice.licensing.v1 import log_service_pb2_grpc as pb_grpc
from sluice.type.v1 import restore_pb2, revision_pb2

FULL_NAME = "sluice.licensing.v1.LogService"


RESTORES_A_PAGE = 50
"""When the caller does not say."""


class Restores(Protocol):
    """The restores that were accepted, for whoever lists them."""

    async def page(self, below: int | None, limit: int) -> Sequence[tuple[Restore, AcceptedRestore]]:
        """At most `limit` with an epoch below one, newest first."""
        ...


class LogServicer(pb_grpc.LogServiceServicer):
    """`sluice.licensing.v1.LogService`."""

    def __init__(self, prover: Prover, restores: Restores) -> None:
        self._prover = prover
        self._restores = restores

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

    async def ListRestores(  # noqa: N802
        self, request: pb.ListRestoresRequest, context: Any
    ) -> pb.ListRestoresResponse:
        """Newest first."""
        size = request.page_size or RESTORES_A_PAGE
        found = await self._restores.page(_epoch_below(request.page_token), size + 1)
        page = found[:size]
        return pb.ListRestoresResponse(
            restores=[_log_restore(*each) for each in page],
            next_page_token=page_token(str(page[-1][0].epoch)) if len(found) > size else "",
        )


def bolt(prover: Prover, restores: Restores) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_LogServiceServicer_to_server, LogServicer(prover, restores), FULL_NAME)


def checkpoint_message(signed: Signed | None) -> pb.Checkpoint | None:
    """A checkpoint; None where there is none."""
    if signed is None:
        return None
    message = pb.Checkpoint(size=signed.head.size, root=signed.head.root, note=signed.note)
    message.published_at.FromMicroseconds(signed.published_at_us)
    return message


def _epoch_below(token: str) -> int | None:
    """The epoch that a page begins below, None for the first one; raises Refusal PAGE_TOKEN_INVALID."""
    if not token:
        return None
    text = read_page_token(token)
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 2**63):
        raise page_token_invalid()
    return int(text)


def _log_restore(restore: Restore, of_log: AcceptedRestore) -> pb.LogRestore:
    lost = of_log.lost
    message = pb.LogRestore(
        restore=restore_pb2.Restore(
            epoch=restore.epoch,
            found=_position(restore.found),
            lost=_position(restore.lost) if restore.lost else None,
            shared_number=restore.shared,
            accepted_by=restore.accepted_by,
            reason=restore.reason,
        ),
        first_lost_receipt=lost.first if lost else 0,
        last_lost_receipt=lost.last if lost else 0,
        published=of_log.published,
    )
    message.restore.accepted_at.FromMicroseconds(restore.accepted_us)
    return message


def _position(head: Head) -> revision_pb2.Revision:
    return revision_pb2.Revision(epoch=head.epoch, number=head.number)
