"""The stand that the gateway is measured on: the services as processes, Envoy before them, people and posts.

Everybody comes from one network, which the gateway is therefore told to let call as often as they like; all
else of it is as shipped.
"""

import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.gateway_ways import Question
from services.chassis.identity import PrincipalKind
from services.console.connections import Connections
from services.console.credentials import PIPELINE, Local, own_tokens, token_source
from services.console.directory import put_posts
from services.console.gateway import credential
from services.console.gateway.credential import CredentialFile
from services.console.gateway.files import shipped
from services.metering.domain.rates.documents import MOST_CALLS
from sluice.consent.v1.consent_service_pb2 import GetChoicesRequest
from sluice.licensing.v1.contract_service_pb2 import ListLicensesRequest
from sluice.licensing.v1.post_pb2 import PostColumns
from sluice.licensing.v1.release_service_pb2 import RequestReleaseRequest
from sluice.type.v1.purpose_pb2 import Purpose
from tests.support.envoy import an_envoy, some_values
from tests.support.fleet import Fleet, a_fleet
from tests.support.platforms import known_subjects

ACCOUNTS = 1_000
POSTS = 10_000
FIRST_POST = 2**60
POSTED_AT_US = 1_600_000_000_000_000
SUBJECT = 1


@dataclass
class Stand:
    """What calls are made on."""

    fleet: Fleet
    gateway: str
    """host:port."""
    _limits: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def a_licensee(self) -> str:
        """One nobody has called for before, with a license of the same name, for a million posts."""
        name = f"bench-{next(self._numbers)}"
        await self.fleet.license(name)
        return name

    def limit(self, calls: int | None) -> None:
        """Every limit of the shipped file at so many calls, or as it is; metering sees it in a second."""
        self._limits.write_text(limits(calls), encoding="utf-8")

    def listing(self, licensee: str) -> Question:
        """Their licenses: a cheap read of licensing's, which it and metering are asked about first."""
        message = ListLicensesRequest().SerializeToString()
        path = "/sluice.licensing.v1.ContractService/ListLicenses"
        token = self._token(PrincipalKind.LICENSEE, licensee)
        return Question(path, message, "GET", "/v1/licenses", None, token)

    def choices(self) -> Question:
        """A subject's choices: a cheap read of consent's, for which neither of the two is asked."""
        message = GetChoicesRequest(subject_id=SUBJECT).SerializeToString()
        path, url = "/sluice.consent.v1.ConsentService/GetChoices", f"/v1/subjects/{SUBJECT}/choices"
        return Question(path, message, "GET", url, None, self._token(PrincipalKind.SUBJECT, str(SUBJECT)))

    def release(self, licensee: str, posts: int) -> Question:
        """So many posts, all of which may go, under a request id of its own."""
        first = next(self._numbers) * posts % (POSTS - posts + 1)
        ids = [FIRST_POST + first + number for number in range(posts)]
        purpose, request_id = Purpose.PURPOSE_AI_TRAINING_GENERATIVE, self.fleet.new_id()
        message = RequestReleaseRequest(
            request_id=request_id, license_id=licensee, purpose=purpose, post_ids=ids
        ).SerializeToString()
        body = {"requestId": request_id, "purpose": Purpose.Name(purpose), "postIds": [str(id) for id in ids]}
        path, url = "/sluice.licensing.v1.ReleaseService/RequestRelease", f"/v1/licenses/{licensee}/releases"
        return Question(path, message, "POST", url, body, self._token(PrincipalKind.LICENSEE, licensee))

    def _token(self, kind: PrincipalKind, party: str) -> str:
        return own_tokens(self.fleet.state, Local(kind, party))()


@contextlib.asynccontextmanager
async def a_stand(folder: Path) -> AsyncIterator[Stand]:
    """A stand that is ready, with limits that nobody runs into; its files are in `folder`."""
    file = folder / "limits.yaml"
    file.write_text(limits(MOST_CALLS), encoding="utf-8")
    patient = {"permit_seconds": "30"}
    settings = {
        "consent": patient,
        "metering": {"limits_file": str(file)},
        "licensing": {**patient, "sweep_age_seconds": "60"},
    }
    async with a_fleet(folder / "state", settings, directory=True) as fleet:
        await known_subjects(fleet, folder / "subjects.csv", ACCOUNTS)
        await _posts(fleet)
        token = own_tokens(fleet.state, Local(PrincipalKind.SERVICE, credential.NAME))
        async with CredentialFile(folder / "credential.json", token, print).kept() as kept:
            services = ("consent", "metering", "licensing", "directory")
            values = some_values(
                folder,
                {name: fleet.address(name) for name in services},
                credential=kept,
                jwks=fleet.state.existing_keys().token_jwks.resolve(),
                limits={"calls_a_second": 1_000_000, "caller_calls_a_second": 1_000_000},
            )
            async with an_envoy(values, folder) as envoy:
                yield Stand(fleet, envoy.address, file)


def limits(calls: int | None) -> str:
    """The file of limits as shipped, but for `calls` in every line where it is given."""
    file = shipped("limits.yaml")
    assert file is not None
    text = file.read_text(encoding="utf-8")
    return text if calls is None else re.sub(r"(?<=requests_per_unit: )\d+", str(calls), text)


async def _posts(fleet: Fleet) -> None:
    numbers = np.arange(POSTS)
    columns = PostColumns(
        ids=(numbers + FIRST_POST).astype("<u8").tobytes(),
        author_ids=(numbers % ACCOUNTS + 1).astype("<u8").tobytes(),
        kinds=bytes([1]) * POSTS,
        media_flags=bytes(POSTS),
        posted_at_us=np.full(POSTS, POSTED_AT_US, "<i8").tobytes(),
        languages=["en"],
        language_indexes=bytes(POSTS),
        embed_offsets=bytes(4 * (POSTS + 1)),
    )
    tokens = token_source(fleet.state, None, PIPELINE)
    async with Connections({"directory": fleet.address("directory")}, tokens) as pipeline:
        await put_posts(pipeline, columns)
