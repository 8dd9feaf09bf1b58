"""The gateway's span is the root of a trace, and the services go on below it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from services.console.gateway.spans import receiving
from services.console.traces import find_trace
from sluice.licensing.v1.release_service_pb2 import GetDecisionRequest
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.envoy import Envoy, an_envoy, some_values
from tests.support.gateway_world import GOOD, a_world
from tests.support.telemetry import recording, spans_in
from tests.support.waiting import until

PATH = "/sluice.licensing.v1.ReleaseService/GetDecision"


async def test_a_span_of_the_gateway_is_the_root_and_names_the_rpc_and_nobodys_id(tmp_path: Path) -> None:
    file = tmp_path / "traces" / "gateway.jsonl"
    async with a_world() as world, receiving(file) as collector:
        values = some_values(tmp_path, world.upstreams, collector=collector)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            await client.get("/v1/decisions/11223344", headers=GOOD)
            _, trace_id, parent, _ = world.heard(PATH)["traceparent"].split("-")
            await until(lambda: find_trace(file.parent, trace_id), "the span has come")

    roots = [span for span in find_trace(file.parent, trace_id) if not span.parent_id]
    assert [(span.service, span.name, span.span_id) for span in roots] == [("gateway", PATH[1:], parent)]
    assert roots[0].end_ns >= roots[0].start_ns > 0
    assert "11223344" not in file.read_text()


THEIRS = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "said",
    [
        {"traceparent": f"00-{THEIRS}-b7ad6b7169203331-01", "tracestate": "theirs=1"},
        {"x-client-trace-id": "theirs"},
        {"x-request-id": "b7380ee9-8c9c-9095-9c84-77b71c327798"},
        {"x-envoy-force-trace": "1"},
    ],
    ids=lambda said: next(iter(said)),
)
async def test_nobody_outside_decides_what_is_traced(tmp_path: Path, said: dict[str, str]) -> None:
    file = tmp_path / "traces" / "gateway.jsonl"
    async with a_world() as world, receiving(file) as collector:
        values = some_values(tmp_path, world.upstreams, collector=collector, sampled_percent=0)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            await client.get("/v1/decisions/1", headers={**GOOD, **said})

    _, trace_id, _, flags = world.heard(PATH)["traceparent"].split("-")
    assert (trace_id != THEIRS, flags) == (True, "00")
    assert "tracestate" not in world.heard(PATH) or "theirs" not in world.heard(PATH)["tracestate"]
    assert not file.exists() or file.read_text() == ""


async def test_a_caller_that_says_its_trace_is_not_to_be_kept_is_traced_as_all_others(tmp_path: Path) -> None:
    file = tmp_path / "traces" / "gateway.jsonl"
    async with a_world() as world, receiving(file) as collector:
        values = some_values(tmp_path, world.upstreams, collector=collector)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            headers = {**GOOD, "traceparent": f"00-{THEIRS}-b7ad6b7169203331-00"}
            await client.get("/v1/decisions/1", headers=headers)
            _, trace_id, _, flags = world.heard(PATH)["traceparent"].split("-")
            await until(lambda: find_trace(file.parent, trace_id), "the span has come")

    assert (trace_id != THEIRS, flags) == (True, "01")


async def test_a_span_holds_neither_the_address_nor_the_browser_of_a_person(tmp_path: Path) -> None:
    file = tmp_path / "traces" / "gateway.jsonl"
    theirs = {"x-forwarded-for": "198.51.100.77", "user-agent": "Phone of theirs"}
    async with a_world() as world, receiving(file) as collector:
        values = some_values(tmp_path, world.upstreams, collector=collector, trusted_hops=1)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            await client.get("/v1/decisions/1", headers={**GOOD, **theirs})
            trace_id = world.heard(PATH)["traceparent"].split("-")[1]
            await until(lambda: find_trace(file.parent, trace_id), "the span has come")

    written = file.read_text()
    assert PATH[1:] in written
    assert "198.51.100.77" not in written
    assert "Phone of theirs" not in written


async def test_a_caller_of_ours_notes_the_name_that_the_access_log_has_of_its_call(tmp_path: Path) -> None:
    spans = tmp_path / "spans.jsonl"
    async with a_world() as world:
        values = some_values(tmp_path, world.upstreams)
        with recording(spans):
            async with an_envoy(values, tmp_path) as envoy:
                await _read(envoy, "good")
                with pytest.raises(Refusal, match="TOKEN_MISSING"):
                    await _read(envoy, "unknown")

    lines = [json.loads(line) for line in envoy.access_log.read_text().splitlines()]
    logged = [line["request_id"] for line in lines if line["rpc"] == PATH]
    noted = [_noted(span) for span in spans_in(spans) if span["name"] == PATH[1:]]
    assert noted == logged
    assert len(set(noted)) == 2


async def _read(envoy: Envoy, token: str) -> None:
    peer = Peer(envoy.address, lambda: token, name="licensing")
    await peer.call(ReleaseServiceStub(peer.channel).GetDecision, GetDecisionRequest(decision_id="1"))
    await peer.close()


def _noted(span: dict[str, Any]) -> str:
    said = {each["key"]: each["value"] for each in span["attributes"]}
    return str(said["rpc.response.metadata.x-request-id"]["arrayValue"]["values"][0]["stringValue"])
