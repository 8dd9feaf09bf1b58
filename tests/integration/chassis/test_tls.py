"""A port that speaks TLS, over real sockets: who gets in, who is refused, and as whom a caller counts."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.chassis.certified import CertifiedCallers
from services.chassis.clock import SystemClock
from services.chassis.dialing import Peer
from services.chassis.identity import AdmissionTable, PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.chassis.tls import ServerTls
from services.console.authority import Authority
from services.console.certificate_making import of_client, of_server
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.admissions import admit
from tests.support.certificates import (
    TRUST_DOMAIN,
    an_authority,
    another_authority,
    certificates,
    client_tls,
    give,
    issue_past,
    raw_channel,
    server_tls,
)
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.keys import a_verifier, some_keys

OPEN_TO_LICENSING: AdmissionTable = {
    **ADMISSIONS,
    f"/{NAME}/Who": admit(PrincipalKind.PIPELINE, PrincipalKind.SERVICE, services=["licensing"]),
}
SERVICE = PrincipalKind.SERVICE
DAY_US = 86_400_000_000


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return an_authority(tmp_path)


@pytest.fixture
async def server(tmp_path: Path, authority: Authority) -> AsyncIterator[LocalServer]:
    tls = server_tls(authority, "consent")
    async with serving(tmp_path, Echo().bolt(), admissions=OPEN_TO_LICENSING, tls=tls) as local:
        yield local


def dialing(
    server: LocalServer, authority: Authority, name: str, token: Callable[[], str] | None = None
) -> Peer:
    """As `name` of the authority, to what has to be consent."""
    return server.peer_showing(token, client_tls(authority, name, "consent"))


async def who(peer: Peer) -> str:
    answer: bytes = await peer.call(peer.channel.unary_unary(f"/{NAME}/Who"), b"")
    return answer.decode()


async def refused(peer: Peer) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await who(peer)
    return caught.value


async def test_a_service_is_who_its_certificate_says_without_any_token(
    server: LocalServer, authority: Authority
) -> None:
    assert await who(dialing(server, authority, "licensing")) == "service licensing"


async def test_a_service_that_the_rpc_does_not_name_is_not_admitted(
    server: LocalServer, authority: Authority
) -> None:
    refusal = await refused(dialing(server, authority, "metering"))

    assert (refusal.kind, refusal.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")


async def test_a_certificate_whose_names_cannot_be_read_names_nobody(
    server: LocalServer, authority: Authority
) -> None:
    # A URI with a byte that is not ASCII.
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), bytes.fromhex("30038601ff"))
    give(authority, "metering", [odd, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])

    refusal = await refused(dialing(server, authority, "metering"))

    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "TOKEN_MISSING")


async def test_a_token_alone_makes_nobody_a_service(server: LocalServer, authority: Authority) -> None:
    stolen = dialing(server, authority, "console", lambda: server.token(SERVICE, "licensing"))

    refusal = await refused(stolen)

    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "CERTIFICATE_MISMATCH")


async def test_a_token_of_a_service_with_the_certificate_of_another_is_refused(
    server: LocalServer, authority: Authority
) -> None:
    crossed = dialing(server, authority, "metering", lambda: server.token(SERVICE, "licensing"))

    assert (await refused(crossed)).reason == "CERTIFICATE_MISMATCH"


async def test_a_token_of_the_service_that_the_certificate_names_says_nothing_new(
    server: LocalServer, authority: Authority
) -> None:
    both = dialing(server, authority, "licensing", lambda: server.token(SERVICE, "licensing"))

    assert await who(both) == "service licensing"


@pytest.mark.parametrize("certificate", ["console", "gateway"])
async def test_others_are_who_their_token_says_whatever_certificate_brings_them(
    server: LocalServer, authority: Authority, certificate: str
) -> None:
    peer = dialing(server, authority, certificate, lambda: server.token(PrincipalKind.PIPELINE, "export"))

    assert await who(peer) == "pipeline export"


async def test_a_client_that_is_no_service_needs_a_token(server: LocalServer, authority: Authority) -> None:
    assert (await refused(dialing(server, authority, "console"))).reason == "TOKEN_MISSING"


async def test_what_the_gateway_passes_on_is_not_its_own_call(
    server: LocalServer, authority: Authority
) -> None:
    async with raw_channel(server.address, authority, "licensing") as channel:
        call = channel.unary_unary(f"/{NAME}/Who")
        own = await call(b"")
        with pytest.raises(grpc.aio.AioRpcError) as nobody:
            await call(b"", metadata=[("x-sluice-gateway", "1")])
        shown = ("authorization", f"Bearer {server.token(SERVICE, 'licensing')}")
        with pytest.raises(grpc.aio.AioRpcError) as service:
            await call(b"", metadata=[("x-sluice-gateway", "1"), shown])

    assert own == b"service licensing"
    assert nobody.value.details() == "the call carries no bearer token"
    assert service.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_the_certificate_of_another_ca_is_refused(
    server: LocalServer, authority: Authority, tmp_path: Path
) -> None:
    stranger = another_authority(tmp_path)
    stranger.ca.write_bytes(authority.ca.read_bytes())

    assert (await refused(dialing(server, stranger, "licensing"))).reason == "PEER_UNAVAILABLE"


async def test_a_server_of_another_ca_is_not_believed(
    server: LocalServer, authority: Authority, tmp_path: Path
) -> None:
    others = another_authority(tmp_path)
    authority.ca.write_bytes(others.ca.read_bytes())

    assert (await refused(dialing(server, authority, "licensing"))).reason == "PEER_UNAVAILABLE"


async def test_a_server_that_is_another_service_is_not_believed(
    server: LocalServer, authority: Authority
) -> None:
    astray = server.peer_showing(None, client_tls(authority, "licensing", "metering"))

    assert (await refused(astray)).reason == "PEER_UNAVAILABLE"


async def test_without_a_certificate_nobody_gets_in(server: LocalServer, authority: Authority) -> None:
    async with raw_channel(server.address, authority, None) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await channel.unary_unary(f"/{NAME}/Greet")(b"")

    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_plain_text_is_refused(server: LocalServer) -> None:
    plain = server.peer(PrincipalKind.PIPELINE)

    assert (await refused(plain)).reason == "PEER_UNAVAILABLE"


async def test_tls_to_a_plain_port_is_refused(tmp_path: Path, authority: Authority) -> None:
    async with serving(tmp_path, Echo().bolt(), admissions=OPEN_TO_LICENSING) as plain:
        assert (await refused(dialing(plain, authority, "licensing"))).reason == "PEER_UNAVAILABLE"


async def test_a_certificate_that_has_ended_is_refused(server: LocalServer, authority: Authority) -> None:
    issue_past(authority, "licensing", days=1)

    async with raw_channel(server.address, authority, "licensing") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await channel.unary_unary(f"/{NAME}/Who")(b"")

    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_whose_certificate_has_ended_is_not_believed(
    tmp_path: Path, authority: Authority
) -> None:
    issue_past(authority, "consent", days=1)
    when_it_was_good = ManualClock(SystemClock().now_us() - 3 * DAY_US // 2)
    tls = ServerTls(certificates(authority, "consent", when_it_was_good), TRUST_DOMAIN, SystemClock())

    async with serving(tmp_path, Echo().bolt(), admissions=OPEN_TO_LICENSING, tls=tls) as server:
        refusal = await refused(dialing(server, authority, "licensing"))

    assert refusal.reason == "PEER_UNAVAILABLE"


def test_a_connection_that_shows_no_certificate_is_nobodys(tmp_path: Path) -> None:
    callers = CertifiedCallers(a_verifier(some_keys(tmp_path)), TRUST_DOMAIN, SystemClock())

    with pytest.raises(Refusal) as refusal:
        callers.identify({"transport_security_type": [b"ssl"]}, {}, "")

    assert refusal.value.reason == "CERTIFICATE_MISSING"


async def test_a_connection_does_not_outlast_the_certificate_it_was_made_with(
    tmp_path: Path, authority: Authority
) -> None:
    clock = ManualClock(SystemClock().now_us())
    tls = server_tls(authority, "consent", clock)
    async with serving(tmp_path, Echo().bolt(), admissions=OPEN_TO_LICENSING, tls=tls) as server:
        peer = dialing(server, authority, "licensing")
        first = await who(peer)
        clock.advance(91 * DAY_US)
        refusal = await refused(peer)

    assert first == "service licensing"
    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "CERTIFICATE_EXPIRED")


async def test_the_certificate_of_a_client_does_not_do_for_a_server(
    tmp_path: Path, authority: Authority
) -> None:
    names, _ = of_server("consent", TRUST_DOMAIN, ())
    _, use = of_client("consent", TRUST_DOMAIN)
    give(authority, "consent", [names, use])
    tls = server_tls(authority, "consent")

    async with serving(tmp_path, Echo().bolt(), admissions=OPEN_TO_LICENSING, tls=tls) as server:
        refusal = await refused(dialing(server, authority, "licensing"))

    assert refusal.reason == "PEER_UNAVAILABLE"


async def test_without_a_uri_the_one_short_dns_name_counts(server: LocalServer, authority: Authority) -> None:
    names = x509.SubjectAlternativeName(
        [x509.DNSName("licensing.sluice.svc"), x509.DNSName("licensing"), x509.DNSName("localhost")]
    )
    give(authority, "licensing", [names])

    assert await who(dialing(server, authority, "licensing")) == "service licensing"


async def test_a_service_of_another_trust_domain_is_none_of_ours(
    server: LocalServer, authority: Authority
) -> None:
    give(authority, "licensing", of_server("licensing", "elsewhere", ()))

    assert (await refused(dialing(server, authority, "licensing"))).reason == "TOKEN_MISSING"


@pytest.mark.parametrize(
    ("version", "is_spoken"), [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)]
)
async def test_nothing_older_than_tls_1_2_is_spoken(
    server: LocalServer, authority: Authority, version: ssl.TLSVersion, is_spoken: bool
) -> None:
    files = authority.files("licensing")
    context = ssl.create_default_context(cafile=str(files.ca))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(files.certificate, files.key)

    assert await shakes_hands(server.address, context) is is_spoken


async def shakes_hands(address: str, context: ssl.SSLContext) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname="consent")
    except (ssl.SSLError, ConnectionError):
        return False
    writer.close()
    return True


@pytest.mark.parametrize("target", ["ipv4:{}", "ipv4:{},127.0.0.1:1", "dns:///{}"])
async def test_replicas_are_known_by_the_name_of_their_service_however_they_are_named(
    server: LocalServer, authority: Authority, target: str
) -> None:
    named = target.format(server.address)
    right = Peer(named, None, name="consent", tls=client_tls(authority, "licensing", "consent"))
    wrong = Peer(named, None, name="metering", tls=client_tls(authority, "licensing", "metering"))

    assert await who(right) == "service licensing"
    assert (await refused(wrong)).reason == "PEER_UNAVAILABLE"
    await right.close()
    await wrong.close()
