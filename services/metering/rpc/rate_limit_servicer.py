"""Envoy's RateLimitService as gRPC sees it."""

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from gateway import rate_limit_pb2 as pb
from gateway import rate_limit_pb2_grpc
from services.metering.limiter import Limiter
from services.metering.rpc.rate_limit_messages import answer_message, descriptors_of

SERVICE = "envoy.service.ratelimit.v3.RateLimitService"

_Context: TypeAlias = ServicerContext[Any, Any]


class RateLimitServicer(rate_limit_pb2_grpc.RateLimitServiceServicer):
    """Translates between Envoy's contract and the limiter."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def ShouldRateLimit(  # noqa: N802
        self, request: pb.RateLimitRequest, context: _Context
    ) -> pb.RateLimitResponse:
        """Counts a call where there is room for it."""
        descriptors = descriptors_of(request)
        # Envoy leaves 0 where a call counts as one.
        answer = await self._limiter.ask(request.domain, descriptors, request.hits_addend or 1)
        return answer_message(answer)
