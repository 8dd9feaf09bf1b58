"""What licensees, and the pipelines that serve them, ask of a licensing."""

from collections.abc import Sequence
from typing import Any

from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.type.v1 import purpose_pb2
from tests.support.grpc import LocalServer


class Requests:
    """Requests by post id, and what follows from them."""

    licensing: LocalServer

    def new_id(self) -> str:
        """A fresh request id."""
        raise NotImplementedError

    async def request(
        self, post_ids: Sequence[int], request_id: str | None = None, **fields: Any
    ) -> pb.Decision:
        """Asks for posts by their ids as the licensee does."""
        request = pb.RequestReleaseRequest(
            **{
                "request_id": request_id or self.new_id(),
                "license_id": "acme-training",
                "purpose": purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE,
                "post_ids": post_ids,
                **fields,
            }
        )
        response: pb.RequestReleaseResponse = await self.as_licensee("RequestRelease", request)
        return response.decision

    async def as_licensee(self, method: str, request: Any) -> Any:
        """Calls the release desk as the licensee."""
        return await self._as(PrincipalKind.LICENSEE, "acme", method, request)

    async def as_pipeline(self, method: str, request: Any) -> Any:
        """Calls the release desk as the pipeline."""
        return await self._as(PrincipalKind.PIPELINE, "firehose", method, request)

    async def _as(self, kind: PrincipalKind, party: str, method: str, request: Any) -> Any:
        peer = self.licensing.peer(kind, party)
        return await peer.call(getattr(ReleaseServiceStub(peer.channel), method), request)
