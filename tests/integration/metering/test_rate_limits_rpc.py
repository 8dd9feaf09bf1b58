"""Envoy's RateLimitService over gRPC: who may ask, and what they and their callers are told."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from gateway import rate_limit_pb2 as pb
from gateway.rate_limit_pb2_grpc import RateLimitServiceStub
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.metering.assembly import bolts
from services.metering.domain.rates.documents import limits_of
from services.metering.rpc.admissions import ADMISSIONS
from services.metering.storage.projecting import SqlProjections
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.rate_limits import YAML

OK, OVER = pb.RateLimitResponse.OK, pb.RateLimitResponse.OVER_LIMIT
Descriptor = dict[str, str]
ACME: Descriptor = {"principal": "licensee:acme"}
LICENSEES: Descriptor = {"kind": "licensee"}


def a_request(*descriptors: Descriptor, calls: int = 0, domain: str = "gateway") -> pb.RateLimitRequest:
    request = pb.RateLimitRequest(domain=domain, hits_addend=calls)
    for each in descriptors:
        request.descriptors.add().entries.extend(
            pb.RateLimitDescriptor.Entry(key=key, value=value) for key, value in each.items()
        )
    return request


class Envoy:
    """Asks as the gateway does."""

    def __init__(self, server: LocalServer, kind: PrincipalKind, party: str) -> None:
        self._peer = server.peer(kind, party)

    async def ask(
        self, *descriptors: Descriptor, calls: int = 0, domain: str = "gateway"
    ) -> pb.RateLimitResponse:
        stub = RateLimitServiceStub(self._peer.channel)
        asked = a_request(*descriptors, calls=calls, domain=domain)
        answer: pb.RateLimitResponse = await self._peer.call(stub.ShouldRateLimit, asked)
        return answer


async def served(
    database: Database, folder: Path, clock: Clock, text: str | None = YAML
) -> AsyncIterator[LocalServer]:
    limits = None if text is None else limits_of(yaml.safe_load(text))
    all_of_it = bolts(database, SqlProjections(database), clock, watch_seconds=1, limits=lambda: limits)
    async with serving(folder, *all_of_it, admissions=ADMISSIONS, clock=clock) as local:
        yield local


@pytest_asyncio.fixture
async def server(database: Database, tmp_path: Path, clock: ManualClock) -> AsyncIterator[LocalServer]:
    async for local in served(database, tmp_path, clock):
        yield local


@pytest.fixture
def envoy(server: LocalServer) -> Envoy:
    return Envoy(server, PrincipalKind.SERVICE, "gateway")


async def test_each_descriptor_is_told_its_limit_and_what_is_left_of_it(envoy: Envoy) -> None:
    answer = await envoy.ask(LICENSEES, ACME, {"method": "/a/B"})

    assert answer.overall_code == OK
    assert [each.limit_remaining for each in answer.statuses] == [2, 1, 0]
    assert [each.current_limit.name for each in answer.statuses] == ["all licensees", "one caller", ""]
    assert [each.HasField("current_limit") for each in answer.statuses] == [True, True, False]
    assert answer.statuses[0].current_limit.unit == pb.RateLimitResponse.RateLimit.SECOND
    assert answer.statuses[0].duration_until_reset.ToMicroseconds() == 1_000_000
    assert not answer.raw_body


async def test_who_is_kept_out_is_told_so_in_the_form_of_every_error_and_when_to_come_back(
    envoy: Envoy, clock: ManualClock
) -> None:
    await envoy.ask(ACME)
    clock.advance(300_000)
    await envoy.ask(ACME)

    denied = await envoy.ask(LICENSEES, ACME)

    assert denied.overall_code == OVER
    assert [each.code for each in denied.statuses] == [OK, OVER]
    assert denied.statuses[1].duration_until_reset.ToMicroseconds() == 700_000
    headers = {each.key: each.value for each in denied.response_headers_to_add}
    assert headers["retry-after"] == "1"
    body = json.loads(denied.raw_body)
    assert body["code"] == 8
    # For callers of gRPC, whom Envoy tells no body.
    in_header = status_pb2.Status.FromString(base64.b64decode(headers["grpc-status-details-bin"] + "=="))
    assert in_header == json_format.ParseDict(body, status_pb2.Status())
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    status = json_format.ParseDict(body, status_pb2.Status())
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (info.reason, info.domain, info.metadata["limits"]) == ("RATE_LIMITED", "sluice", "one caller")
    assert retry.retry_delay.ToMicroseconds() == 700_000


async def test_what_was_denied_has_eaten_none_of_the_other_limits(envoy: Envoy) -> None:
    for _ in range(5):
        await envoy.ask(LICENSEES, ACME)

    answer = await envoy.ask(LICENSEES, {"principal": "licensee:orbit"})

    assert answer.overall_code == OK
    assert answer.statuses[0].limit_remaining == 0


async def test_a_call_counts_as_many_and_one_that_never_fits_is_told_no_time(envoy: Envoy) -> None:
    two = await envoy.ask(ACME, calls=2)
    three = await envoy.ask({"principal": "licensee:orbit"}, calls=3)

    assert two.statuses[0].limit_remaining == 0
    assert three.overall_code == OVER
    assert not three.statuses[0].HasField("duration_until_reset")
    assert "retry-after" not in {each.key for each in three.response_headers_to_add}
    assert len(json.loads(three.raw_body)["details"]) == 1


async def test_strangers_of_one_network_share_a_limit_however_envoy_names_their_address(envoy: Envoy) -> None:
    first = await envoy.ask({"remote_address": "2001:db8::1"})
    second = await envoy.ask({"masked_remote_address": "2001:db8::/48"})
    other = await envoy.ask({"remote_address": "2001:db8:1::1"})

    assert [each.overall_code for each in (first, second, other)] == [OK, OVER, OK]


async def test_another_domain_has_no_limits(envoy: Envoy) -> None:
    answers = [await envoy.ask(ACME, domain="elsewhere") for _ in range(5)]

    assert {each.overall_code for each in answers} == {OK}


async def test_only_the_gateway_may_ask(server: LocalServer) -> None:
    for kind, party in [
        (PrincipalKind.SERVICE, "licensing"),
        (PrincipalKind.LICENSEE, "gateway"),
        (PrincipalKind.OPERATOR, "gateway"),
    ]:
        with pytest.raises(Refusal) as refused:
            await Envoy(server, kind, party).ask(ACME)
        assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")


async def test_a_descriptor_without_entries_is_refused(envoy: Envoy) -> None:
    nothing: Descriptor = {}
    for descriptors in ((), (nothing,)):
        with pytest.raises(Refusal) as refused:
            await envoy.ask(*descriptors)
        assert refused.value.reason == "INVALID_REQUEST"


async def test_without_a_file_of_limits_every_call_is_refused(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    async for server in served(database, tmp_path, clock, None):
        with pytest.raises(Refusal) as refused:
            await Envoy(server, PrincipalKind.SERVICE, "gateway").ask(ACME)
        assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "LIMITS_NOT_SET")


async def test_what_cannot_be_counted_is_not_let_through_but_what_is_full_stays_denied(
    envoy: Envoy, database: Database
) -> None:
    for _ in range(3):
        await envoy.ask(ACME)
    await database.close()

    denied = await envoy.ask(ACME)
    with pytest.raises(Refusal) as refused:
        await envoy.ask({"principal": "licensee:orbit"})

    assert denied.overall_code == OVER
    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "DATABASE_CLOSED")
