"""The gateway before the licensing and the metering that are real: who comes in, and how often."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from services.chassis.identity import PrincipalKind
from services.console.gateway.credential import CredentialFile
from services.licensing.network_counting import NetworkCounter
from services.licensing.wall_watching import WallWatch
from services.metering.domain.rates.documents import limits_of
from sluice.metering.v1 import usage_pb2, usage_service_pb2
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.support.clock import ManualClock
from tests.support.cluster import Cluster, a_cluster
from tests.support.envoy import Envoy, an_envoy, some_values
from tests.support.gateway_world import a_page
from tests.support.metering_server import a_metering_server

PREFIX = "/posts/"
"""Where the platform's own pages are."""


@dataclass(frozen=True)
class Entrance:
    """What tests call, and what stands behind it."""

    envoy: Envoy
    http: httpx.AsyncClient
    cluster: Cluster

    async def reads(self, forwarded_for: str) -> httpx.Response:
        """What somebody hears who has not signed in and reads a post by way of a load balancer."""
        return await self.http.get(f"{PREFIX}1", headers={"x-forwarded-for": forwarded_for})

    def as_licensee(self) -> dict[str, str]:
        """The header that a licensee shows."""
        return {"authorization": f"Bearer {self.cluster.licensing.token(PrincipalKind.LICENSEE, 'acme')}"}

    async def counted(self, network: str) -> int:
        """How many reads of a network metering has heard of."""
        await self.cluster.task(NetworkCounter).tell()
        request = usage_service_pb2.QueryUsageRequest(of=usage_pb2.UsageOf(party_id=network))
        answer = await self.cluster.in_metering(UsageServiceStub, "QueryUsage", request)
        return sum(row.used for row in answer.rows)


@contextlib.asynccontextmanager
async def an_entrance(folder: Path, limits: str, **values: Any) -> AsyncIterator[Entrance]:
    """All of it, with `limits` (YAML) on calls; clocks stand still. `values` are the gateway's."""
    clock, read = ManualClock(), limits_of(yaml.safe_load(limits))
    async with (
        a_cluster(folder, clock) as cluster,
        a_metering_server(folder, clock, f"sqlite:///{folder}/limits.db", lambda: read) as metering,
        a_page() as page,
    ):
        await cluster.task(WallWatch).refresh()
        token = cluster.licensing.token(PrincipalKind.SERVICE, "gateway")
        CredentialFile(folder / "credential.json", lambda: token, print).write()
        upstreams = {
            "consent": cluster.consent_address,
            "licensing": cluster.licensing.address,
            "metering": metering.address,
        }
        content = {"prefix": PREFIX, "address": page}
        usual = {"credential": folder / "credential.json", "content": content}
        given = some_values(folder, upstreams, **{**usual, **values})
        async with an_envoy(given, folder) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            yield Entrance(envoy, client, cluster)
