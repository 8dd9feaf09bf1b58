"""Two replicas of each of the three services, which know each other by lists of addresses as in a cluster."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.replicas import Replica, running

SERVICES = ("consent", "metering", "licensing")
REPLICAS = 2
_OF_EACH = {
    # Callers hear of the health of replicas at once: a second is long for them to leave.
    "DRAIN_GRACE": "1",
    "DRAIN_SECONDS": "60",
    # Connections that end by their age, besides those that end with their replicas.
    "MAX_CONNECTION_AGE": "20",
}
_OF_LICENSING = {
    # Longer than a busy machine takes; what is under way is not swept before.
    "PEER_DEADLINE_SECONDS": "30",
    "SWEEP_AGE_SECONDS": "35",
    "SWEEP_INTERVAL_SECONDS": "1",
}


@dataclass(frozen=True)
class Pairs:
    """The replicas, by service."""

    of: Mapping[str, list[Replica]]
    folder: Path
    """Has the keys of all."""

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

    consent, metering = pair("consent"), pair("metering")
    targets = {"CONSENT_TARGET": target_of(consent), "METERING_TARGET": target_of(metering)}
    licensing = pair("licensing", LOG_DIR=str(folder / "log"), **targets, **_OF_LICENSING)
    of = {"consent": consent, "metering": metering, "licensing": licensing}
    async with running([*consent, *metering, *licensing]):
        yield Pairs(of, folder)
