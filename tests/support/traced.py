"""An installation behind its gateway whose every process exports its spans to one collector over OTLP."""

import asyncio
import contextlib
import csv
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import grpc

from services.chassis.identity import PrincipalKind
from services.console import subjects
from services.console.connections import Connections
from services.console.credentials import PIPELINE, Local, own_tokens, token_source
from services.console.directory import put_posts
from services.console.gateway import credential
from services.console.gateway.credential import CredentialFile
from services.console.gateway.files import shipped
from services.metering.domain.rates.documents import MOST_CALLS
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.type.v1.purpose_pb2 import PURPOSE_AI_TRAINING_GENERATIVE
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.envoy import Envoy, an_envoy, some_values
from tests.support.fleet import NOTICE, Fleet, a_fleet

SERVICES = ("consent", "metering", "directory", "licensing")
LICENSE = "traced"
"""Of a licensee of the same name."""
PEOPLE = 20
POSTED_AT_US = 1_600_000_000_000_000
FIRST_POST = 2**60
AT_ONCE = 16
"""Decisions under way."""
REQUEST_RELEASE = "/sluice.licensing.v1.ReleaseService/RequestRelease"


@dataclass
class Traced:
    """What decisions are asked of."""

    fleet: Fleet
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def shown(self) -> dict[str, str]:
        """What the licensee shows."""
        token = own_tokens(self.fleet.state, Local(PrincipalKind.LICENSEE, LICENSE))()
        return {"authorization": f"Bearer {token}"}

    def request(self, posts: int = 3) -> pb.RequestReleaseRequest:
        """For posts that may go, under an id of its own."""
        first = FIRST_POST + next(self._numbers) % PEOPLE
        return pb.RequestReleaseRequest(
            request_id=self.fleet.new_id(),
            license_id=LICENSE,
            purpose=PURPOSE_AI_TRAINING_GENERATIVE,
            post_ids=[first + number for number in range(posts)],
        )

    async def decide(self, decisions: int, at_once: int = AT_ONCE) -> list[float]:
        """Asks licensing itself for so many decisions; how many seconds each took."""
        seconds, left, shown = list[float](), iter(range(decisions)), tuple(self.shown().items())
        async with grpc.aio.insecure_channel(self.fleet.address("licensing")) as channel:
            call: Any = channel.unary_unary(REQUEST_RELEASE)

            async def ask() -> None:
                for _ in left:
                    request = self.request().SerializeToString()
                    began = time.perf_counter()
                    answer = await _answered(call, request, shown)
                    seconds.append(time.perf_counter() - began)
                    assert pb.RequestReleaseResponse.FromString(answer).decision.receipt

            await asyncio.gather(*(ask() for _ in range(at_once)))
        return seconds


@contextlib.asynccontextmanager
async def a_traced_fleet(
    folder: Path,
    endpoint: str | None,
    more: Mapping[str, str] | None = None,
    databases: Mapping[str, str] | None = None,
) -> AsyncIterator[Traced]:
    """The services, with people, their posts and a license; `more` are settings of each of them.

    `databases` are URLs by service; by default they are files.
    """
    settings = {**({} if endpoint is None else {"otlp_endpoint": endpoint}), **(more or {})}
    of_each = {service: dict(settings) for service in SERVICES}
    for service, url in (databases or {}).items():
        # Replicas share what is beside a database that they share, so it has to be said where.
        beside = {} if service == "directory" else {"head_dir": str(folder / "heads")}
        of_each[service] |= {"database_url": url, **beside}
    if databases:
        of_each["licensing"] |= {"log_dir": str(folder / "log")}
    # Nothing that a test does is to wait for the end of a permit, and nothing in the background adds to it.
    of_each["licensing"] |= {"permit_seconds": "30", "sweep_age_seconds": "60"}
    of_each["consent"] |= {"permit_seconds": "30"}
    of_each["metering"] |= {"limits_file": str(_limits(folder / "limits.yaml"))}
    async with a_fleet(folder / "state", of_each, directory=True) as fleet:
        await _people(fleet, folder / "subjects.csv")
        await _posts(fleet)
        await fleet.license(LICENSE)
        yield Traced(fleet)


@contextlib.asynccontextmanager
async def a_gateway_before(fleet: Fleet, folder: Path, collector: str) -> AsyncIterator[Envoy]:
    """The real Envoy, which exports to the collector (host:port) as well."""
    token = own_tokens(fleet.state, Local(PrincipalKind.SERVICE, credential.NAME))
    async with CredentialFile(folder / "credential.json", token, print).kept() as kept:
        values = some_values(
            folder,
            {name: fleet.address(name) for name in SERVICES},
            credential=kept,
            collector=collector,
            jwks=fleet.state.existing_keys().token_jwks.resolve(),
        )
        async with an_envoy(values, folder) as envoy:
            yield envoy


async def _answered(call: Any, request: bytes, shown: tuple[tuple[str, str], ...]) -> bytes:
    """Asks again where a peer had no answer in time, as it may on a busy machine."""
    while True:
        try:
            answer: bytes = await call(request, metadata=shown, timeout=60)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
        else:
            return answer


def _limits(file: Path) -> Path:
    """The limits that are shipped, each so high that nobody runs into it."""
    text = (shipped("limits.yaml") or file).read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?<=requests_per_unit: )\d+", str(MOST_CALLS), text), encoding="utf-8")
    return file


async def _people(fleet: Fleet, file: Path) -> None:
    with file.open("w", encoding="ascii", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(subjects.COLUMNS)
        writer.writerows((number, "US", "", NOTICE) for number in range(1, PEOPLE + 1))
    await fleet.import_subjects(file)


async def _posts(fleet: Fleet) -> None:
    posts = [
        Post(
            id=FIRST_POST + number,
            author_id=number % PEOPLE + 1,
            kind=1,
            media_flags=0,
            language="en",
            posted_at_us=POSTED_AT_US,
            embeds=(),
        )
        for number in range(2 * PEOPLE)
    ]
    tokens = token_source(fleet.state, None, PIPELINE)
    async with Connections({"directory": fleet.address("directory")}, tokens) as pipeline:
        await put_posts(pipeline, columns_of(posts))
