"""A real Envoy before a service that speaks TLS, with certificates of `sluice certs` as docs/tls.md says."""

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from services.chassis.identity import AdmissionTable, PrincipalKind
from services.console.authority import Authority
from tests.integration.chassis.echo import NAME, Echo
from tests.support.admissions import admit
from tests.support.certificates import an_authority, right_now, server_tls
from tests.support.grpc import LocalServer, serving
from tests.support.ports import a_free_port
from tests.support.waiting import PATIENCE_SECONDS

_FOUND = importlib.util.find_spec("envoy")
BINARIES = [Path(place) / "_bin" / "envoy" for place in (_FOUND and _FOUND.submodule_search_locations) or ()]
HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
TYPES = "type.googleapis.com/envoy"
CALLS_BETWEEN = 50
ADMITTING: AdmissionTable = {
    f"/{NAME}/Who": admit(PrincipalKind.PIPELINE, PrincipalKind.SERVICE, services=["gateway"])
}

pytestmark = pytest.mark.skipif(not BINARIES, reason="there is no Envoy for this platform")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return an_authority(tmp_path)


@pytest.fixture
async def consent(tmp_path: Path, authority: Authority) -> AsyncIterator[LocalServer]:
    tls = server_tls(authority, "consent")
    async with serving(tmp_path, Echo().bolt(), admissions=ADMITTING, tls=tls) as local:
        yield local


async def test_envoy_is_the_gateway_to_services_and_its_callers_are_whom_their_tokens_say(
    consent: LocalServer, authority: Authority, tmp_path: Path
) -> None:
    token = consent.token(PrincipalKind.PIPELINE, "export")

    async with through_envoy(tmp_path, authority, consent, "consent") as who:
        own = await who(b"", wait_for_ready=True, timeout=PATIENCE_SECONDS)
        passed_on = await who(b"", metadata=[("authorization", f"Bearer {token}")])

    assert (own, passed_on) == (b"service gateway", b"pipeline export")


async def test_no_call_through_envoy_fails_while_certificates_of_another_ca_take_their_place(
    consent: LocalServer, authority: Authority, tmp_path: Path
) -> None:
    answers = set()
    async with through_envoy(tmp_path, authority, consent, "consent") as who:
        await who(b"", wait_for_ready=True, timeout=PATIENCE_SECONDS)
        for step in (authority.add_signer, lambda at: authority.renew(None, at)):
            await asyncio.to_thread(step, right_now())
            answers |= {await who(b"") for _ in range(CALLS_BETWEEN)}

    assert answers == {b"service gateway"}


async def test_envoy_does_not_believe_a_service_with_the_name_of_another(
    consent: LocalServer, authority: Authority, tmp_path: Path
) -> None:
    async with through_envoy(tmp_path, authority, consent, "metering") as who:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await who(b"", wait_for_ready=True, timeout=PATIENCE_SECONDS)

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "upstream connect error" in str(refused.value.details())


@contextlib.asynccontextmanager
async def through_envoy(
    folder: Path, authority: Authority, server: LocalServer, expected: str
) -> AsyncIterator[Any]:
    """Who, called through an Envoy that expects its upstream to be `expected`."""
    port = a_free_port()
    for name, secret in secrets(authority, expected).items():
        resource = {"@type": f"{TYPES}.extensions.transport_sockets.tls.v3.Secret", "name": name, **secret}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"resources": [resource]}), encoding="utf-8")
    (folder / "envoy.yaml").write_text(yaml.safe_dump(configuration(folder, port, server)), encoding="utf-8")
    arguments = ("--concurrency", "1", "--use-dynamic-base-id", "--disable-hot-restart", "-l", "error")
    process = await asyncio.create_subprocess_exec(BINARIES[0], "-c", folder / "envoy.yaml", *arguments)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel.unary_unary(f"/{NAME}/Who")
    finally:
        process.terminate()
        await process.wait()


def secrets(authority: Authority, expected: str) -> dict[str, dict[str, Any]]:
    files, watched = authority.files("gateway"), {"path": str(authority.folder)}
    return {
        "own": {
            "tls_certificate": {
                "certificate_chain": {"filename": str(files.certificate)},
                "private_key": {"filename": str(files.key)},
                "watched_directory": watched,
            }
        },
        "believed": {
            "validation_context": {
                "trusted_ca": {"filename": str(files.ca)},
                "watched_directory": watched,
                "match_typed_subject_alt_names": [
                    {"san_type": "URI", "matcher": {"exact": f"spiffe://sluice/{expected}"}}
                ],
            }
        },
    }


def configuration(folder: Path, port: int, server: LocalServer) -> dict[str, Any]:
    def by_sds(name: str) -> dict[str, Any]:
        return {"name": name, "sds_config": {"path_config_source": {"path": str(folder / f"{name}.yaml")}}}

    tls = {
        "@type": f"{TYPES}.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": "consent",
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [by_sds("own")],
            "validation_context_sds_secret_config": by_sds("believed"),
        },
    }
    http2 = {
        "@type": f"type.googleapis.com/{HTTP}",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    upstream = int(server.address.rpartition(":")[2])
    cluster = {
        "name": "consent",
        "load_assignment": {
            "cluster_name": "consent",
            "endpoints": [{"lb_endpoints": [{"endpoint": address(upstream)}]}],
        },
        "typed_extension_protocol_options": {HTTP: http2},
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }
    router = {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router"}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "consent"}}
    manager = {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    filters = [{"name": "http", "typed_config": manager}]
    listener = {**address(port), "filter_chains": [{"filters": filters}]}
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


def address(port: int) -> dict[str, Any]:
    return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
