"""Two replicas of each of the three services, which know each other by lists of addresses as in a cluster."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.replicas import Replica, running

SERVICES = ("consent", "metering", "licensing")
REPLICAS = 2
DRAINING = {"DRAIN_GRACE": "1", "DRAIN_SECONDS": "10"}
"""Callers watch the health of replicas: a second is long for them to hear of it."""
_SHORT = {
    # A busy machine is slow now and then.
    "PEER_DEADLINE_SECONDS": "30",
    "SWEEP_AGE_SECONDS": "35",
    "SWEEP_INTERVAL_SECONDS": "1",
    # Connections that end by their age, besides those that end with their replicas.
    "MAX_CONNECTION_AGE": "20",
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
async def pairs(
    urls: Mapping[str, str], folder: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Pairs]:
    """They serve; killed on leaving. `urls` of the databases, by service; `settings` of licensing on top."""

    def pair(service: str, **settings: str) -> list[Replica]:
        # All have the same keys: what one of them signs the others believe.
        common = {"DATABASE_URL": urls[service], "STATE_DIR": str(folder), "HEAD_DIR": str(folder / "heads")}
        given = {**common, **DRAINING, **settings}
        return [Replica(f"services.{service}", service, folder, given) for _ in range(REPLICAS)]

    age = {"MAX_CONNECTION_AGE": _SHORT["MAX_CONNECTION_AGE"]}
    consent, metering = pair("consent", **age), pair("metering", **age)
    targets = {"CONSENT_TARGET": target_of(consent), "METERING_TARGET": target_of(metering)}
    licensing = pair("licensing", LOG_DIR=str(folder / "log"), **targets, **_SHORT, **(settings or {}))
    of = {"consent": consent, "metering": metering, "licensing": licensing}
    async with running([*consent, *metering, *licensing]):
        yield Pairs(of, folder)
