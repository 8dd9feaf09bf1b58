"""The token desk over gRPC: translates, calls, translates. Nobody is known here yet."""

from typing import Any

from services.chassis.jwks import SECOND_US, PublicKey
from services.chassis.serving import Bolt
from services.licensing.rpc.api_key_messages import holder_message
from services.licensing.tokens import TokenDesk
from sluice.licensing.v1 import token_service_pb2 as pb
from sluice.licensing.v1 import token_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.TokenService"


class TokenServicer(pb_grpc.TokenServiceServicer):
    """`sluice.licensing.v1.TokenService`."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    async def GetToken(self, request: pb.GetTokenRequest, context: Any) -> pb.GetTokenResponse:  # noqa: N802
        exchanged = await self._desk.exchange(request.api_key)
        response = pb.GetTokenResponse(token=exchanged.token.text, holder=holder_message(exchanged.holder))
        response.expires_at.FromMicroseconds(exchanged.token.expires_us)
        response.valid_for.FromMicroseconds(exchanged.valid_for_us)
        return response

    async def GetJwks(self, request: pb.GetJwksRequest, context: Any) -> pb.GetJwksResponse:  # noqa: N802
        published = self._desk.published()
        response = pb.GetJwksResponse(keys=[_jwk(key) for key in published.keys])
        response.keep_until.FromMicroseconds(published.keep_until_us)
        return response


def bolt(desk: TokenDesk) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_TokenServiceServicer_to_server, TokenServicer(desk), FULL_NAME)


def _jwk(key: PublicKey) -> pb.Jwk:
    ends = None if key.until_us is None else key.until_us // SECOND_US
    return pb.Jwk(**key.members, exp=ends)
