"""API keys of a cluster, as an operator creates them and their holders use them."""

from typing import Any

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import api_key_pb2, key_service_pb2, token_service_pb2
from sluice.licensing.v1.key_service_pb2_grpc import ApiKeyServiceStub
from sluice.licensing.v1.token_service_pb2_grpc import TokenServiceStub
from tests.support.cluster import Cluster

PIPELINE = api_key_pb2.KEY_HOLDER_KIND_PIPELINE
LICENSEE = api_key_pb2.KEY_HOLDER_KIND_LICENSEE


class KeyCaller:
    """Calls the key desk and the token desk of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._operator = cluster.licensing.peer(PrincipalKind.OPERATOR, "ada", ["admin"])
        # Nobody yet: what it shows is no token.
        self.stranger = cluster.licensing.peer_showing(str)

    async def create(
        self, kind: int = PIPELINE, party: str = "firehose", *, sandbox: bool = False, **fields: Any
    ) -> key_service_pb2.CreateApiKeyResponse:
        """A new key, as an operator creates it."""
        holder = api_key_pb2.KeyHolder(kind=kind, party=party, sandbox=sandbox)  # type: ignore[arg-type]
        said: dict[str, Any] = {
            "request_id": self._cluster.new_id(),
            "holder": holder,
            "label": "nightly",
        } | fields
        request = key_service_pb2.CreateApiKeyRequest(**said)
        answer: key_service_pb2.CreateApiKeyResponse = await self.call("CreateApiKey", request)
        return answer

    async def revoke(self, key_id: str) -> None:
        """Ends a key."""
        request = key_service_pb2.RevokeApiKeyRequest(request_id=self._cluster.new_id(), key_id=key_id)
        await self.call("RevokeApiKey", request)

    async def call(self, method: str, request: Any, peer: Peer | None = None) -> Any:
        """Calls the key desk, as an operator unless said."""
        caller = peer or self._operator
        return await caller.call(getattr(ApiKeyServiceStub(caller.channel), method), request)

    async def exchange(self, api_key: str) -> token_service_pb2.GetTokenResponse:
        """The token for a key, as a stranger asks for it."""
        stub = TokenServiceStub(self.stranger.channel)
        return await self.stranger.call(stub.GetToken, token_service_pb2.GetTokenRequest(api_key=api_key))

    async def jwks(self) -> token_service_pb2.GetJwksResponse:
        """The public keys, as a stranger asks for them."""
        stub = TokenServiceStub(self.stranger.channel)
        return await self.stranger.call(stub.GetJwks, token_service_pb2.GetJwksRequest())

    async def peer(self, *, sandbox: bool = False, **fields: Any) -> Peer:
        """A connection of the holder of a new key, who shows a token that was got with it."""
        secret = (await self.create(sandbox=sandbox, **fields)).secret
        token = (await self.exchange(secret)).token
        return self._cluster.licensing.peer_showing(lambda: token)
