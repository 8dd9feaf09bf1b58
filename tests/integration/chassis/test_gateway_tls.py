"""A client without a certificate, before a gateway: whom it believes, and whom not."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from services.chassis.tls import GatewayTls
from services.console.authority import Authority
from tests.support.certificates import an_authority, another_authority

NAMED, UNNAMED = "127.0.0.1", "127.0.0.2"
"""Addresses of this machine: one that certificates name, and one that they do not."""


@contextlib.asynccontextmanager
async def a_gateway(authority: Authority, host: str = NAMED) -> AsyncIterator[str]:
    """Something that shows a certificate, asks for none, and says that it is well; gives its address."""
    files, server = authority.files("gateway"), grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    shown = [(files.key.read_bytes(), files.certificate.read_bytes())]
    port = server.add_secure_port(f"{host}:0", grpc.ssl_server_credentials(shown))
    await server.start()
    try:
        yield f"{host}:{port}"
    finally:
        await server.stop(None)


async def asked(address: str, ca: Path) -> health_pb2.HealthCheckResponse:
    peer = Peer(address, lambda: "a-token", name="gateway", tls=GatewayTls.read(ca))
    try:
        stub = health_pb2_grpc.HealthStub(peer.channel)
        return await peer.call(stub.Check, health_pb2.HealthCheckRequest())
    finally:
        await peer.close()


async def test_a_gateway_of_the_cas_is_believed_where_its_certificate_says_it_is(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)

    async with a_gateway(authority) as address:
        answer = await asked(address, authority.ca)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_gateway_of_other_cas_is_shown_no_token(tmp_path: Path) -> None:
    async with a_gateway(an_authority(tmp_path)) as address:
        with pytest.raises(Refusal) as refused:
            await asked(address, another_authority(tmp_path).ca)

    assert refused.value.reason == "PEER_UNAVAILABLE"


async def test_what_is_somewhere_else_than_its_certificate_says_is_shown_no_token(tmp_path: Path) -> None:
    authority = an_authority(tmp_path)

    async with a_gateway(authority, UNNAMED) as address:
        with pytest.raises(Refusal) as refused:
            await asked(address, authority.ca)

    assert refused.value.reason == "PEER_UNAVAILABLE"
