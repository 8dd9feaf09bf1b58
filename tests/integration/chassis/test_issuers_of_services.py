"""All three services believe a provider of somebody else, and start and serve while it is down."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.refusals import Refusal
from services.chassis.statuses import from_rpc_error
from tests.support.forging import Workshop
from tests.support.oidc import ENTRY, JwksServer, a_jwks_server, answer_of, claims_elsewhere, issuers_file
from tests.support.replicas import Replica, running
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

SHOP = Workshop()
CALLS = {
    "consent": ("/sluice.consent.v1.ConsentService/ListPolicies", ""),
    # It is not empty here, so it is known who calls.
    "metering": ("/sluice.metering.v1.UsageService/ListRestores", "NOT_ADMITTED"),
    "licensing": ("/sluice.licensing.v1.DisclosureService/ListSubjectReleases", "INVALID_REQUEST"),
}
FAR = 4_000_000_000
NOT_AT_HAND = "KEYS_UNAVAILABLE"


def a_service(name: str, folder: Path, provider: JwksServer, **changes: Any) -> Replica:
    issuers = issuers_file(folder, {**ENTRY, "jwks_url": provider.url, **changes})
    peers = {"CONSENT_TARGET": "127.0.0.1:1", "METERING_TARGET": "127.0.0.1:1"}
    settings: Mapping[str, str] = {
        "DATABASE_URL": f"sqlite:///{folder}/{name}.db",
        "STATE_DIR": str(folder / name),
        "TOKEN_ISSUERS": str(issuers),
        **(peers if name == "licensing" else {}),
    }
    return Replica(f"services.{name}", name, folder, settings)


async def reason_of(address: str, method: str) -> str:
    """Why an empty request of a subject is refused; empty where it is answered."""
    token = SHOP.token(SHOP.header("rsa"), claims_elsewhere(SHOP, exp=FAR), kid="rsa")
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.unary_unary(method)
        try:
            await call(b"", metadata=[("authorization", f"Bearer {token}")])
        except grpc.aio.AioRpcError as error:
            refusal = from_rpc_error(error)
            assert isinstance(refusal, Refusal)
            return refusal.reason
    return ""


async def settled(replica: Replica, method: str) -> str:
    """The reason, once the keys have come."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := await reason_of(replica.address, method)) == NOT_AT_HAND:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    return now


@pytest.mark.parametrize("name", CALLS)
async def test_a_service_believes_a_provider_once_its_keys_have_come(tmp_path: Path, name: str) -> None:
    method, at_last = CALLS[name]
    async with a_jwks_server() as provider:
        provider.publish(SHOP.jwk("rsa"))
        replica = a_service(name, tmp_path, provider)
        async with running([replica]):
            assert await settled(replica, method) == at_last


async def test_a_service_starts_while_the_provider_is_down_and_believes_it_later(tmp_path: Path) -> None:
    method, at_last = CALLS["consent"]
    async with a_jwks_server() as provider:
        provider.answer = answer_of(b"", status="503 Service Unavailable")
        replica = a_service("consent", tmp_path, provider)
        async with running([replica]):
            assert await reason_of(replica.address, method) == NOT_AT_HAND
            provider.publish(SHOP.jwk("rsa"))
            assert await settled(replica, method) == at_last


@pytest.mark.parametrize("name", CALLS)
async def test_a_service_does_not_start_with_an_issuer_of_operators(tmp_path: Path, name: str) -> None:
    async with a_jwks_server() as provider:
        status, said = await a_service(name, tmp_path, provider, kinds=["operator"]).run()

    assert status == 1
    assert said.startswith("TOKEN_ISSUERS_WRONG: ")
    assert "issuers.0.kinds" in said
