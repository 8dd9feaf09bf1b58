"""Tokens of an OpenID Connect provider: its keys come over HTTP while calls go on, or they do not come."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pydantic import ValidationError

from services.chassis.fetched_keys import FetchedKeys
from services.chassis.fetching import (
    LARGEST_BYTES,
    Fetched,
    Fetcher,
    FetchError,
    Source,
    max_age_of,
    source_of,
)
from services.chassis.identity import PrincipalKind
from services.chassis.issuers import verifier_of
from services.chassis.public_addresses import Target
from services.chassis.public_hosts import PublicHosts
from services.chassis.refusals import Refusal
from services.chassis.serving import Server
from services.chassis.settings import ServiceSettings
from services.chassis.verifying import TokenVerifier
from tests.integration.chassis.echo import NAME, Echo
from tests.support.admissions import admit
from tests.support.clock import ManualClock
from tests.support.forging import Workshop
from tests.support.grpc import MANY
from tests.support.https import NAME as HOST
from tests.support.https import an_https_server
from tests.support.keys import some_keys
from tests.support.oidc import ENTRY, JwksServer, a_jwks_server, answer_of, claims_elsewhere, issuers_file

SHORT_SECONDS = 0.3
HOUR_US = 3_600_000_000
SHOP, NEXT = Workshop(), Workshop()
WHO = {f"/{NAME}/Who": admit(PrincipalKind.SUBJECT, PrincipalKind.AGENT)}


@pytest.fixture
async def provider() -> AsyncIterator[JwksServer]:
    async with a_jwks_server() as server:
        server.publish(SHOP.jwk("rsa"), SHOP.jwk("ec"))
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def verifier(tmp_path: Path, provider: JwksServer, clock: ManualClock) -> TokenVerifier:
    settings = ServiceSettings(
        database_url="sqlite:///none",
        token_jwks=some_keys(tmp_path).token_jwks,
        token_issuers=issuers_file(tmp_path, {**ENTRY, "jwks_url": provider.url}),
    )
    return verifier_of(settings, clock)


def token(shop: Workshop, kid: str = "rsa") -> str:
    return shop.token(shop.header(kid), claims_elsewhere(shop, exp=4_000_000_000), kid=kid)


def keys_of(verifier: TokenVerifier) -> FetchedKeys:
    (keys,) = verifier.errands
    assert isinstance(keys, FetchedKeys)
    return keys


def fetcher(server: JwksServer, seconds: float = 5.0) -> Fetcher:
    return Fetcher(source_of(server.url), deadline_seconds=seconds)


async def test_a_served_rpc_believes_the_provider_as_soon_as_its_keys_have_come(
    verifier: TokenVerifier, provider: JwksServer
) -> None:
    server = Server([Echo().bolt()], WHO, verifier, limits=MANY)
    address = await server.start("127.0.0.1:0")
    metadata = [("authorization", f"Bearer {token(SHOP)}")]
    async with grpc.aio.insecure_channel(address) as channel:
        ask: Any = channel.unary_unary(f"/{NAME}/Who")
        with pytest.raises(grpc.aio.AioRpcError) as early:
            await ask(b"", metadata=metadata)
        await keys_of(verifier).renew()
        answer = await ask(b"", metadata=metadata)
    await server.drain(grace_seconds=0, finish_seconds=0)

    assert early.value.code() is grpc.StatusCode.UNAVAILABLE
    assert answer == b"subject 7"
    (request,) = provider.asked
    assert request.startswith("GET /keys HTTP/1.1\r\n")


async def test_keys_are_rotated_while_tokens_of_both_are_shown(
    verifier: TokenVerifier, provider: JwksServer, clock: ManualClock
) -> None:
    keys = keys_of(verifier)
    await keys.renew()
    assert verifier.verify(token(SHOP)).party == "7"

    new = {"kid": "next"}
    provider.publish(SHOP.jwk("rsa"), NEXT.jwk("ec") | new)
    signed_by_next = NEXT.token(NEXT.header("ec", **new), claims_elsewhere(NEXT), kid="ec")
    clock.advance(10_000_000)
    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        verifier.verify(signed_by_next)
    await keys.renew()
    assert verifier.verify(signed_by_next).party == verifier.verify(token(SHOP)).party == "7"

    provider.publish(NEXT.jwk("ec") | new)
    await keys.renew()
    with pytest.raises(Refusal, match="TOKEN_INVALID"):
        verifier.verify(token(SHOP))
    assert verifier.verify(signed_by_next).party == "7"


async def test_a_provider_that_is_down_is_believed_for_an_hour_beyond_the_age_of_its_keys(
    verifier: TokenVerifier, provider: JwksServer, clock: ManualClock
) -> None:
    provider.publish(SHOP.jwk("rsa"), cache_control="public, max-age=600")
    keys = keys_of(verifier)
    await keys.renew()
    provider.answer = answer_of(b"", status="503 Service Unavailable")

    clock.advance(600_000_000 + HOUR_US - 1)
    await keys.renew()
    assert verifier.verify(token(SHOP)).party == "7"
    clock.advance(1)
    with pytest.raises(Refusal, match="KEYS_UNAVAILABLE"):
        verifier.verify(token(SHOP))
    provider.publish(SHOP.jwk("rsa"))
    await keys.renew()
    assert verifier.verify(token(SHOP)).party == "7"


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(SHORT_SECONDS / 20)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        await writer.drain()


async def endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.transport.is_closing():
        writer.write(b"x-more: " + b"a" * 4096 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (silent, "too long"),
        (dripping, "too long"),
        (endless, "larger"),
        (endless_head, "larger|no answer of HTTP"),
        (answer_of(b" " * LARGEST_BYTES), "larger"),
        (b"", "no answer"),
        (b"not HTTP\r\n\r\n", "no answer of HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", "no answer of HTTP"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 4_000, "larger"),
        (answer_of(b"{}", status="404 Not Found"), "status 404"),
        (answer_of(b"{}", status="204 No Content").replace(b"content-length: 2\r\n", b""), "status 204"),
        *(
            (
                answer_of(b"", status=f"{status} Elsewhere").replace(b"\r\n", b"\r\nlocation: /new\r\n", 1),
                f"status {status}",
            )
            for status in (301, 302, 303, 307, 308)
        ),
    ],
)
async def test_what_does_not_come_in_time_whole_and_small_has_not_come(
    provider: JwksServer, answer: Any, why: str
) -> None:
    provider.answer = answer

    with pytest.raises(FetchError, match=why):
        await fetcher(provider, SHORT_SECONDS if answer in {silent, dripping} else 5.0).fetch()

    assert len(provider.asked) == 1


async def test_nobody_there_is_no_keys(provider: JwksServer) -> None:
    gone = Source(Target("127.0.0.1", 1, "/keys"), is_local=True)

    with pytest.raises(FetchError, match="no connection"):
        await Fetcher(gone).fetch()


async def test_over_https_the_certificate_and_the_address_are_checked(tmp_path: Path) -> None:
    async with an_https_server(tmp_path) as (server, trusted):
        server.answer = answer_of(b"{}", "max-age=5")
        source = Source(Target(HOST, server.port, "/keys"))

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        def hosts(context: ssl.SSLContext | None, allow_private: bool = True) -> PublicHosts:
            return PublicHosts(allow_private=allow_private, context=context, resolve=resolve)

        assert await Fetcher(source, hosts(trusted)).fetch() == Fetched(b"{}", 5)
        with pytest.raises(FetchError, match="prove"):
            await Fetcher(source, hosts(None)).fetch()
        with pytest.raises(FetchError, match="not of the public internet"):
            await Fetcher(source, hosts(trusted, allow_private=False)).fetch()
        # Whoever was not believed has not been asked.
        assert server.connections == 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("max-age=600", 600),
        ("public, MAX-AGE=600, must-revalidate", 600),
        ('max-age="600"', 600),
        ("s-maxage=60", None),
        ("x-max-age=60", None),
        ("max-age=-1", None),
        ("max-age=", None),
        ("max-age=" + "9" * 30, None),
        ("no-store", 0),
        ("no-cache, max-age=600", 0),
        ("", None),
    ],
)
def test_the_age_of_an_answer_is_what_its_owner_says(said: str, seconds: int | None) -> None:
    assert max_age_of({b"cache-control": said}) == seconds
    assert max_age_of({}) is None


def test_a_setting_that_names_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        ServiceSettings.model_validate({"database_url": "x", "token_jwks": tmp_path, "token_issuers": 7})
