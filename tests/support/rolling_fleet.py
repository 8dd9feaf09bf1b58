"""Two replicas of each of the three services, known to each other by lists of addresses, and the gateway."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.chassis.identity import PrincipalKind
from services.console.gateway.credential import CredentialFile
from tests.support.envoy import an_envoy, some_values
from tests.support.keys import a_minter, some_keys
from tests.support.replicas import Replica, running

SERVICES = ("consent", "metering", "licensing")
REPLICAS = 2
_OF_EACH = {
    # As 0026 has it; longer than the second in which the gateway asks each replica how it is.
    "DRAIN_GRACE": "3",
    # Connections that end by their age, besides those that end with their replicas.
    "MAX_CONNECTION_AGE": "20",
}
_LIMITS = """
domain: gateway
descriptors:
  - {key: kind, rate_limit: {name: everyone, unit: second, requests_per_unit: 10000}}
"""
"""Each call through the gateway is counted, and has room."""
_OF_LICENSING = {
    "DRAIN_SECONDS": "10",
    # Longer than a call may take; what is under way is not swept before.
    "SWEEP_AGE_SECONDS": "35",
    "SWEEP_INTERVAL_SECONDS": "1",
}


@dataclass(frozen=True)
class Pairs:
    """The replicas, by service."""

    of: Mapping[str, list[Replica]]
    folder: Path
    """Has the keys of all."""
    gateway: str
    """The URL of an Envoy before all of them."""

    def target(self, service: str) -> str:
        """All replicas of a service, as gRPC names them."""
        return target_of(self.of[service])


def target_of(replicas: list[Replica]) -> str:
    """Them as one target."""
    return "ipv4:" + ",".join(each.address for each in replicas)


@contextlib.asynccontextmanager
async def pairs(urls: Mapping[str, str], folder: Path) -> AsyncIterator[Pairs]:
    """They serve; killed on leaving. `urls` of the databases, by service."""

    def pair(service: str, **settings: str) -> list[Replica]:
        # All have the same keys: what one of them signs the others believe.
        common = {"DATABASE_URL": urls[service], "STATE_DIR": str(folder), "HEAD_DIR": str(folder / "heads")}
        given = {**common, **_OF_EACH, **settings}
        return [Replica(f"services.{service}", service, folder, given) for _ in range(REPLICAS)]

    (folder / "limits.yaml").write_text(_LIMITS)
    consent, metering = pair("consent"), pair("metering", LIMITS_FILE=str(folder / "limits.yaml"))
    targets = {"CONSENT_TARGET": target_of(consent), "METERING_TARGET": target_of(metering)}
    licensing = pair("licensing", LOG_DIR=str(folder / "log"), **targets, **_OF_LICENSING)
    of = {"consent": consent, "metering": metering, "licensing": licensing}
    upstreams = {name: [each.address for each in replicas] for name, replicas in of.items()}
    shown = a_minter(some_keys(folder)).mint(PrincipalKind.SERVICE, "gateway")
    CredentialFile(folder / "credential.json", lambda: shown, print).write()
    values = some_values(folder, upstreams, credential=folder / "credential.json")
    async with running([*consent, *metering, *licensing]), an_envoy(values, folder) as envoy:
        yield Pairs(of, folder, envoy.url)
