"""A decision asked for at the gateway is one whole trace, down to every work of every database.

All processes export over the real OTLP. What the databases really were given to do is written down below the
layer that makes spans (`support/noting`), so that a work without a span would be seen.
"""

import asyncio
import functools
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.licensing.rpc.decision_spans import LICENSE_VERSION, OUTCOME, POSTS_ASKED, POSTS_RELEASED
from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.background_work import BACKGROUND
from tests.support.collector import CollectedSpan, Collector, a_collector
from tests.support.engines import ENGINES
from tests.support.gateway_callers import over_grpc
from tests.support.http_forms import http_form
from tests.support.postgres import PostgresServer
from tests.support.traced import REQUEST_RELEASE, SERVICES, a_gateway_before, a_traced_fleet
from tests.support.waiting import until, until_told

DECISIONS = 100
ROOT = Path(__file__).resolve().parents[2]
NOTING = ROOT / "tests" / "support" / "noting"
SAMPLER = ROOT / "deploy" / "otel" / "sampler.yaml"

REQUEST = REQUEST_RELEASE[1:]
CHECK = "envoy.service.auth.v3.Authorization/Check"
COUNT = "envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
RESERVE = "sluice.metering.v1.MeteringService/Reserve"
LOOK_UP = "sluice.directory.v1.PostDirectoryService/GetPosts"
CONSENT = "sluice.consent.v1.ConsentService/CheckConsent"
MAY = "async envoy.service.auth.v3.Authorization.Check egress"
ROOM = "async envoy.service.ratelimit.v3.RateLimitService.ShouldRateLimit egress"


class Place(NamedTuple):
    """Where a span stands in its trace; "" is for the parent of a root, and no work of a database."""

    service: str
    name: str
    below_service: str
    below: str
    function: str = ""


def work(service: str, operation: str, below: str, function: str) -> Place:
    """A work of the service's own database."""
    return Place(service, f"{operation} {service}", service, below, f"services.{service}.storage.{function}")


WHOLE = Counter(
    {
        Place("gateway", REQUEST, "", ""): 1,
        # The gateway asks whether the caller may, and whether there is room for another call.
        Place("gateway", MAY, "gateway", REQUEST): 1,
        Place("licensing", CHECK, "gateway", MAY): 1,
        Place("gateway", ROOM, "gateway", REQUEST): 1,
        Place("metering", COUNT, "gateway", ROOM): 1,
        work("metering", "write", COUNT, "rate_windows.SqlRateWindows._count_all"): 1,
        # Licensing: room for what is asked, what the posts are, whether they may go, room for those that may.
        Place("licensing", REQUEST, "gateway", REQUEST): 1,
        work("licensing", "read", REQUEST, "ledger.LedgerStore.read"): 2,
        work("licensing", "read", REQUEST, "contracts.ContractStore.read"): 2,
        Place("licensing", RESERVE, "licensing", REQUEST): 2,
        Place("metering", RESERVE, "licensing", RESERVE): 2,
        work("metering", "write", RESERVE, "books.SqlBooks._post_all"): 2,
        Place("licensing", LOOK_UP, "licensing", REQUEST): 1,
        Place("directory", LOOK_UP, "licensing", LOOK_UP): 1,
        work("directory", "read", LOOK_UP, "posts.PostStore.known"): 1,
        Place("licensing", CONSENT, "licensing", REQUEST): 1,
        Place("consent", CONSENT, "licensing", CONSENT): 1,
        work("licensing", "write", REQUEST, "ledger.LedgerStore.write"): 1,
    }
)
SHARED = work("consent", "read", CONSENT, "register.SqlRegister.follow")
"""Checks that come while the register is read wait for that read, which is in the trace of the first."""
LOST = ("", "not in this trace")
FUNCTION, SYSTEM = "code.function.name", "db.system.name"
BUSY = (0, 14)
"""OK, and UNAVAILABLE: on a busy machine the gateway has no answer in time, and its callers ask again."""


async def ask_grpc(gateway: str, request: pb.RequestReleaseRequest, shown: dict[str, str]) -> str:
    """The id of the trace of a decision over gRPC; "" where the gateway could not have it checked in time."""
    answer = await over_grpc(gateway, REQUEST_RELEASE, request.SerializeToString(), shown)
    assert answer.code in BUSY, answer
    return pb.RequestReleaseResponse.FromString(answer.body).decision.trace_id


async def ask_json(
    client: httpx.AsyncClient, request: pb.RequestReleaseRequest, shown: dict[str, str]
) -> str:
    """The same in JSON."""
    form = http_form(REQUEST_RELEASE, request)
    answer = await client.post(form.path, content=form.content({}), headers=shown)
    assert answer.status_code in (200, 503), answer.text
    trace_id: str = answer.json()["decision"]["traceId"] if answer.is_success else ""
    return trace_id


def databases_on(engine: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """URLs of empty ones by service; none for files of the services' own."""
    if engine == "sqlite":
        return {}
    server: PostgresServer = request.getfixturevalue("postgres")
    urls = {service: server.new_database() for service in SERVICES}
    for url in urls.values():
        request.addfinalizer(functools.partial(server.drop, url))
    return urls


def of_the_gateway(spans: list[CollectedSpan]) -> int:
    """How many of them are its own."""
    return sum(each.service == "gateway" for each in spans)


async def decided(folder: Path, collector: Collector, databases: dict[str, str]) -> list[str]:
    """The ids of the traces of so many decisions at once; when it returns, all processes have ended."""
    async with (
        a_traced_fleet(folder, f"http://{collector.address}", databases=databases) as traced,
        a_gateway_before(traced.fleet, folder, collector.address) as envoy,
        httpx.AsyncClient(base_url=envoy.url, timeout=60) as client,
    ):
        shown, requests = traced.shown(), [traced.request() for _ in range(DECISIONS)]

        async def ask(number: int, request: pb.RequestReleaseRequest) -> str:
            if number % 2:
                return await until_told(lambda: ask_json(client, request, shown), "JSON is answered")
            return await until_told(lambda: ask_grpc(envoy.address, request, shown), "gRPC is answered")

        trace_ids = await asyncio.gather(*(ask(*each) for each in enumerate(requests)))
        # Services send the rest at their end. Envoy sends what it has every five seconds, and nothing then.
        await until(
            lambda: all(of_the_gateway(collector.collected(id)) == 3 for id in trace_ids),
            "its spans are there",
            0.1,
        )
        fleet = traced.fleet
    # Else what is missing further on would be theirs to explain.
    assert not [name for name in SERVICES if "spans were dropped" in fleet.state.log(name).read_text()]
    assert not [said for said in fleet.said if "killed" in said]
    return trace_ids


def places(spans: list[CollectedSpan]) -> Counter[Place]:
    """Where each span stands; LOST is above those whose parent is not in the trace."""
    known = {each.span.span_id: each for each in spans}
    above = {b"": ("", "")} | {id: (each.service, each.span.name) for id, each in known.items()}
    return Counter(
        Place(
            each.service, each.span.name, *above.get(each.span.parent_span_id, LOST), each.attribute(FUNCTION)
        )
        for each in spans
    )


def works(spans: list[CollectedSpan]) -> Counter[tuple[str, str, str, str]]:
    """(trace, parent, name, function) of each span of a database."""
    return Counter(
        (each.span.trace_id.hex(), each.span.parent_span_id.hex(), each.span.name, each.attribute(FUNCTION))
        for each in spans
        if each.attribute(SYSTEM)
    )


def noted(file: Path, trace_ids: list[str]) -> Counter[tuple[str, str, str, str]]:
    """The same as the databases were really given it."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return Counter(
        (line["trace"], line["parent"], line["name"], line["function"])
        for line in lines
        if line["trace"] in trace_ids
    )


def strays(file: Path) -> set[tuple[str, str]]:
    """(name, function) of work given to databases outside of any trace, and not by what runs by itself."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    traceless = {(line["name"], line["function"]) for line in lines if not int(line["trace"], 16)}
    return {(name, function) for name, function in traceless if function not in BACKGROUND.get(name, ())}


def calls_and_answers(spans: list[CollectedSpan]) -> tuple[list[bytes], list[bytes]]:
    """The ids of the spans of calls, and those under which the spans of answers hang; each sorted."""
    calls = [
        each.span.span_id
        for each in spans
        if each.span.kind == Span.SPAN_KIND_CLIENT and not each.attribute(SYSTEM)
    ]
    answers = [
        each.span.parent_span_id
        for each in spans
        if each.span.kind == Span.SPAN_KIND_SERVER and each.service != "gateway"
    ]
    return sorted(calls), sorted(answers)


def keys_of_services(spans: list[CollectedSpan]) -> set[str]:
    """The names of all attributes that services have put onto them."""
    return {each.key for span in spans if span.service != "gateway" for each in span.span.attributes}


def said_of_a_decision(spans: list[CollectedSpan]) -> tuple[str, int, int, int]:
    """How it came out, how many posts it was about, how many went, and the version of the license."""
    of_licensing = (each for each in spans if (each.service, each.span.name) == ("licensing", REQUEST))
    said = {each.key: each.value for each in next(of_licensing).span.attributes}
    posts, released, version = (said[key].int_value for key in (POSTS_ASKED, POSTS_RELEASED, LICENSE_VERSION))
    return said[OUTCOME].string_value, posts, released, version


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_hundred_decisions_at_once_are_a_hundred_whole_traces(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(NOTING)
    monkeypatch.setenv("NOTED_WORK", str(tmp_path / "work.jsonl"))
    databases = databases_on(engine, request)

    async with a_collector() as collector:
        trace_ids = await decided(tmp_path, collector, databases)
        traces = [collector.collected(trace_id) for trace_id in trace_ids]

    assert len(set(trace_ids)) == DECISIONS
    for spans in traces:
        found = places(spans) - Counter({SHARED: 1})
        assert (found - WHOLE, WHOLE - found) == (Counter(), Counter())
    for spans in traces:
        calls, answers = calls_and_answers(spans)
        # The gateway's own span is the call that licensing's hangs under.
        root = next(each.span.span_id for each in spans if not each.span.parent_span_id)
        assert sorted([*calls, root]) == answers
    spans = [each for trace in traces for each in trace]
    assert len({each.span.span_id for each in spans}) == len(spans)
    assert works(spans) == noted(tmp_path / "work.jsonl", trace_ids)
    assert strays(tmp_path / "work.jsonl") == set()
    assert {each.attribute(SYSTEM) for each in spans} == {"", engine}
    assert 9 * DECISIONS < works(spans).total() <= 10 * DECISIONS
    assert keys_of_services(spans) <= set(
        yaml.safe_load(SAMPLER.read_text(encoding="utf-8"))["processors"]["redaction"]["allowed_keys"]
    )
    assert {said_of_a_decision(trace) for trace in traces} == {("RELEASED", 3, 3, 1)}
