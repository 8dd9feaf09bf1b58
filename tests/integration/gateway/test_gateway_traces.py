"""The gateway's span is the root of a trace, and the services go on below it."""

from pathlib import Path

import httpx

from services.console.gateway.spans import receiving
from services.console.traces import find_trace
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_world import GOOD, a_world
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


async def test_a_trace_that_a_caller_began_goes_on(tmp_path: Path) -> None:
    trace_id, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    file = tmp_path / "traces" / "gateway.jsonl"
    async with a_world() as world, receiving(file) as collector:
        values = some_values(tmp_path, world.upstreams, collector=collector)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            headers = {**GOOD, "traceparent": f"00-{trace_id}-{caller}-01"}
            await client.get("/v1/decisions/1", headers=headers)
            await until(lambda: find_trace(file.parent, trace_id), "the span has come")

    assert world.heard(PATH)["traceparent"].split("-")[1] == trace_id
    assert caller in {span.parent_id for span in find_trace(file.parent, trace_id)}
