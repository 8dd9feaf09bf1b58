"""What stands behind a gateway in tests: services that note what reaches them, and whom they let in."""

import asyncio
import base64
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from gateway import authorization_pb2, rate_limit_pb2
from gateway.authorization_pb2_grpc import AuthorizationServicer, add_AuthorizationServicer_to_server
from gateway.rate_limit_pb2_grpc import RateLimitServiceServicer, add_RateLimitServiceServicer_to_server
from services.chassis.channels import SERVER_OPTIONS
from services.chassis.refusals import Refusal
from services.chassis.statuses import DETAILS_KEY, code_of, to_status
from tests.support.ports import HOST


class Upstream(grpc.GenericRpcHandler):
    """Answers every RPC with an empty message, and notes the headers it came with."""

    def __init__(self) -> None:
        self.calls: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        """Metadata of what came, by path."""
        self.messages: list[bytes] = []
        self.answering = asyncio.Event()
        """While it is not set, nothing is answered."""
        self.answering.set()
        self.at_once: frozenset[str] = frozenset()
        """Paths whose answer and status go out together, as those of an RPC that is no stream do."""
        self.refusal: Refusal | None = None
        """What it says instead of an answer."""

    def service(self, handler_call_details: Any) -> Any:
        """A handler for any path; messages stay bytes."""
        path = handler_call_details.method
        if path.startswith(("/grpc.", "/envoy.")):
            return None
        self.calls[path].append(dict(handler_call_details.invocation_metadata))

        async def answer(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for request in requests:
                self.messages.append(request)
            await self._may_answer(context)
            yield b""

        async def answer_at_once(request: bytes, context: Any) -> bytes:
            self.messages.append(request)
            await self._may_answer(context)
            return b""

        if path in self.at_once:
            return grpc.unary_unary_rpc_method_handler(answer_at_once)
        return grpc.stream_stream_rpc_method_handler(answer)

    async def _may_answer(self, context: Any) -> None:
        await self.answering.wait()
        if self.refusal is not None:
            context.set_trailing_metadata(((DETAILS_KEY, to_status(self.refusal).SerializeToString()),))
            await context.abort(code_of(self.refusal.kind), self.refusal.message)


class Licensing(AuthorizationServicer):
    """Lets in whoever shows a token that it knows, and says who that is."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, str]] = {}
        self.asked: list[Any] = []
        self.shown: list[str] = []
        self.refusal: tuple[int, int, str, str] | None = (
            401,
            16,
            "TOKEN_MISSING",
            "the call carries no token",
        )
        """Status of HTTP, code, reason and message for those that are not known; None lets them in."""

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """As licensing answers."""
        self.asked.append(request.attributes)
        self.shown.append(str(dict(context.invocation_metadata()).get("authorization", "")))
        token = request.attributes.request.http.headers.get("authorization", "").removeprefix("Bearer ")
        answer = authorization_pb2.CheckResponse()
        who = self.known.get(token)
        if who is not None or self.refusal is None:
            answer.ok_response.SetInParent()
            path = request.attributes.request.http.path
            known = who or {"kind": "stranger", "remote_prefix": "127.0.0.0/24"}
            answer.dynamic_metadata.update({"method": path, **known})
            return answer
        http, code, reason, message = self.refusal
        answer.status.code = code
        answer.denied_response.status.code = http
        status = status_pb2.Status(code=code, message=message)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="sluice"))
        sent = request.attributes.request.http.headers
        if "x-envoy-original-path" in sent or not sent.get("content-type", "").startswith("application/grpc"):
            answer.denied_response.body = json.dumps(json_format.MessageToDict(status))
            return answer
        details = base64.b64encode(status.SerializeToString()).rstrip(b"=").decode()
        told = {"grpc-status": str(code), "grpc-message": quote(message), "grpc-status-details-bin": details}
        for key, value in told.items():
            option = answer.denied_response.headers.add(append_action=2)
            option.header.key, option.header.value = key, value
        return answer


class Metering(RateLimitServiceServicer):
    """Lets every call through, until it is told not to."""

    def __init__(self) -> None:
        self.full = False
        self.failure: grpc.StatusCode | None = None
        """What it says instead of an answer."""
        self.asked: list[list[dict[str, str]]] = []
        self.shown: list[str] = []

    async def ShouldRateLimit(self, request: Any, context: Any) -> Any:  # noqa: N802
        """As metering answers."""
        self.asked.append([{e.key: e.value for e in d.entries} for d in request.descriptors])
        self.shown.append(str(dict(context.invocation_metadata()).get("authorization", "")))
        if self.failure is not None:
            await context.abort(self.failure, "as the test wants it")
        answer = rate_limit_pb2.RateLimitResponse(overall_code=rate_limit_pb2.RateLimitResponse.OK)
        if self.full:
            answer.overall_code = rate_limit_pb2.RateLimitResponse.OVER_LIMIT
            status = status_pb2.Status(code=8, message="there is no room")
            status.details.add().Pack(error_details_pb2.ErrorInfo(reason="RATE_LIMITED", domain="sluice"))
            answer.raw_body = json.dumps(json_format.MessageToDict(status)).encode()
            details = base64.b64encode(status.SerializeToString()).rstrip(b"=").decode()
            answer.response_headers_to_add.add(key="grpc-status-details-bin", value=details)
        return answer


GOOD = {"authorization": "Bearer good"}
"""What a licensee shows whom this licensing knows."""


class World:
    """One server that is all three services."""

    def __init__(self) -> None:
        self.upstream, self.licensing, self.metering = Upstream(), Licensing(), Metering()
        self.licensing.known["good"] = {"kind": "licensee", "party": "acme", "principal": "licensee:acme"}
        self.address = ""
        self.health = health.aio.HealthServicer()

    @property
    def upstreams(self) -> dict[str, str]:
        """Where each service is."""
        return dict.fromkeys(("consent", "licensing", "metering"), self.address)

    def heard(self, path: str) -> Mapping[str, str]:
        """The headers of the last call of an RPC that came through."""
        return self.upstream.calls[path][-1]


@contextlib.asynccontextmanager
async def a_world(credentials: grpc.ServerCredentials | None = None) -> AsyncIterator[World]:
    """Three services that are serving; in plain text without credentials."""
    world = World()
    server = grpc.aio.server(options=SERVER_OPTIONS)
    await world.health.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(world.health, server)
    add_AuthorizationServicer_to_server(world.licensing, server)
    add_RateLimitServiceServicer_to_server(world.metering, server)
    server.add_generic_rpc_handlers((world.upstream,))
    listen = f"{HOST}:0"
    port = server.add_secure_port(listen, credentials) if credentials else server.add_insecure_port(listen)
    world.address = f"{HOST}:{port}"
    await server.start()
    try:
        yield world
    finally:
        await server.stop(None)


@contextlib.asynccontextmanager
async def a_page(heads: list[str] | None = None) -> AsyncIterator[str]:
    """A server of the platform's own over HTTP/1.1, which answers with what it was asked; its host:port.

    The heads of requests are noted where there is a list for them, in lower case.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                if heads is not None:
                    heads.append(head.decode().lower())
                said = b" ".join(head.split(b"\r\n")[0].split()[:2])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    try:
        yield f"{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
