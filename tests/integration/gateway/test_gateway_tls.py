"""Certificates of a cluster: callers see the gateway's, services are shown one and are known by name."""

import ssl
from pathlib import Path

import grpc
import httpx
import pytest

from services.console.gateway.values import Values
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_callers import Outcome, in_json
from tests.support.gateway_world import GOOD, a_world
from tests.support.https import make_certificate

SDS = Path(__file__).parents[3] / "deploy" / "envoy" / "sds"


class Certificates:
    """One of the gateway and one of the services, each vouching for itself."""

    def __init__(self, folder: Path, *services: str) -> None:
        # Envoy watches the folder: nothing else is written there.
        folder = folder / "certificates"
        folder.mkdir()
        self._folder = folder
        for name, names in (("gateway", ("gateway",)), ("services", services)):
            (folder / name).mkdir()
            made = make_certificate(folder / name, *names)
            for path, kind in zip(made, ("pem", "key"), strict=True):
                (folder / f"{name}.{kind}").write_bytes(path.read_bytes())
        (folder / "ca.pem").write_bytes((folder / "services.pem").read_bytes())
        for shown, kind in (("tls.crt", "pem"), ("tls.key", "key")):
            (folder / shown).write_bytes((folder / f"gateway.{kind}").read_bytes())
        for name in ("gateway", "authorities", "listener"):
            text = (SDS / f"{name}.yaml").read_text(encoding="utf-8")
            text = text.replace("/etc/sluice/certs", str(folder)).replace("/etc/sluice/public", str(folder))
            (folder / f"{name}.yaml").write_text(text)

    def of_services(self) -> grpc.ServerCredentials:
        """They talk to nobody but the gateway."""
        read = [(self._folder / f"services.{kind}").read_bytes() for kind in ("key", "pem")]
        callers = (self._folder / "gateway.pem").read_bytes()
        return grpc.ssl_server_credentials([(read[0], read[1])], callers, require_client_auth=True)

    def values(self, upstreams: dict[str, str]) -> Values:
        """As a cluster has them."""
        files = {
            "certificate": self._folder / "gateway.yaml",
            "authorities": self._folder / "authorities.yaml",
        }
        return some_values(self._folder, upstreams, tls=files, listen_tls=self._folder / "listener.yaml")

    def client(self, address: str) -> httpx.AsyncClient:
        """Somebody who calls from outside."""
        trusts = ssl.create_default_context(cafile=str(self._folder / "gateway.pem"))
        trusts.check_hostname = False
        return httpx.AsyncClient(base_url=f"https://{address}", verify=trusts)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (("consent", "metering", "licensing"), Outcome(0)),
        (("consent", "metering"), Outcome(14, "GATEWAY_NOT_CHECKED")),
        (("consent", "licensing"), Outcome(14, "GATEWAY_NOT_COUNTED")),
    ],
)
async def test_a_service_is_believed_only_by_its_own_name(
    tmp_path: Path, services: tuple[str, ...], expected: Outcome
) -> None:
    certificates = Certificates(tmp_path, *services)
    async with a_world(certificates.of_services()) as world:
        values = certificates.values(world.upstreams)
        async with an_envoy(values, tmp_path) as envoy, certificates.client(envoy.address) as client:
            answer = in_json(await client.get("/v1/decisions/1", headers=GOOD))

    assert answer == expected


async def test_a_service_that_speaks_plainly_is_not_believed(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, "consent", "metering", "licensing")
    async with a_world() as world:
        values = certificates.values(world.upstreams)
        async with an_envoy(values, tmp_path) as envoy, certificates.client(envoy.address) as client:
            answer = in_json(await client.get("/v1/decisions/1", headers=GOOD))

    assert answer == Outcome(14, "GATEWAY_NOT_CHECKED")
    assert world.licensing.asked == []
