"""One trace for a release, from Envoy to the databases; and what callers say of traces changes nothing."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from services.console.traces import Span, find_trace
from tests.support.commands import sluice
from tests.support.http_forms import http_form
from tests.support.through import REQUEST_RELEASE, Through, a_request
from tests.support.through_world import MINOR, post_of
from tests.support.waiting import until

RPC = REQUEST_RELEASE[1:]
CHECK = "envoy.service.auth.v3.Authorization/Check"
LIMIT = "envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
FIND = "sluice.directory.v1.PostDirectoryService/GetPosts"
ASK = "sluice.consent.v1.ConsentService/CheckConsent"
RESERVE = "sluice.metering.v1.MeteringService/Reserve"
THEIRS = "0af7651916cd43dd8448eb211c80319c"
HOSTILE: dict[str, Mapping[str, str]] = {
    "nothing": {},
    "a sampled trace": {"traceparent": f"00-{THEIRS}-b7ad6b7169203331-01"},
    "one that is not sampled": {"traceparent": f"00-{THEIRS}-b7ad6b7169203331-00"},
    "a large state": {
        "traceparent": f"00-{THEIRS}-b7ad6b7169203331-01",
        "tracestate": ",".join(f"k{n}={'v' * 200}" for n in range(60)),
    },
    "nonsense": {"traceparent": "ff-zz", "tracestate": "=,="},
    "forced": {
        "x-client-trace-id": "me",
        "x-envoy-force-trace": "1",
        "x-request-id": "b7380ee9-8c9c-9095-9c84-77b71c327798",
    },
}


async def released(gateway: Through, said: Mapping[str, str]) -> dict[str, Any]:
    """The decision on a request that came with these headers."""
    form = http_form(REQUEST_RELEASE, a_request(post_of(11), post_of(MINOR)))
    async with gateway.client() as client:
        answer = await client.post(form.path, content=form.content({}), headers={**gateway.acme, **said})
    assert answer.is_success, answer.text
    decision: dict[str, Any] = answer.json()["decision"]
    return decision


async def trace_of(gateway: Through, trace_id: str) -> list[Span]:
    """All spans, once those of every service have come, which send them at times of their own."""

    def whole() -> list[Span]:
        spans = find_trace(gateway.state.traces, trace_id)
        known = {span.span_id for span in spans}
        has_parents = all(not span.parent_id or span.parent_id in known for span in spans)
        return spans if has_parents and lineage(spans) >= TREE else []

    return await until(whole, "every span and its parent is there", 0.1)


def lineage(spans: list[Span]) -> set[tuple[str, str, str, str]]:
    """(service, span, service of its parent, its parent) for each; "" where it has none."""
    known = {span.span_id: (span.service, span.name) for span in spans}
    return {(each.service, each.name, *known.get(each.parent_id, ("", ""))) for each in spans}


TREE = {
    ("gateway", RPC, "", ""),
    # What the gateway asks before a call goes on.
    ("gateway", "async envoy.service.auth.v3.Authorization.Check egress", "gateway", RPC),
    ("licensing", CHECK, "gateway", "async envoy.service.auth.v3.Authorization.Check egress"),
    ("gateway", "async envoy.service.ratelimit.v3.RateLimitService.ShouldRateLimit egress", "gateway", RPC),
    (
        "metering",
        LIMIT,
        "gateway",
        "async envoy.service.ratelimit.v3.RateLimitService.ShouldRateLimit egress",
    ),
    ("metering", "write metering", "metering", LIMIT),
    # The call, and what licensing asks in turn.
    ("licensing", RPC, "gateway", RPC),
    ("licensing", FIND, "licensing", RPC),
    ("directory", FIND, "licensing", FIND),
    ("licensing", ASK, "licensing", RPC),
    ("consent", ASK, "licensing", ASK),
    ("licensing", RESERVE, "licensing", RPC),
    ("metering", RESERVE, "licensing", RESERVE),
    # And down to the databases.
    ("directory", "read directory", "directory", FIND),
    ("consent", "read consent", "consent", ASK),
    ("metering", "write metering", "metering", RESERVE),
    ("licensing", "read licensing", "licensing", RPC),
    ("licensing", "write licensing", "licensing", RPC),
}


async def test_a_release_is_one_tree_from_envoy_to_the_databases_and_its_id_is_in_the_receipt(
    gateway: Through,
) -> None:
    decision = await released(gateway, {})
    spans = await trace_of(gateway, decision["traceId"])
    drawn = await sluice(gateway.state.root, "trace", decision["decisionId"], "--json")

    assert lineage(spans) == TREE
    assert len([span for span in spans if not span.parent_id]) == 1
    payload = decision["receipt"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["trace_id"] == decision["traceId"]
    assert {span["service"] for span in drawn.answer} == {service for service, *_ in TREE}


async def test_whatever_a_caller_says_of_traces_the_trace_is_the_gateways_own(gateway: Through) -> None:
    """So no two calls share one, none is kept out of it, and nobody's spans are mixed into another's."""
    decisions = {what: await released(gateway, said) for what, said in HOSTILE.items()}

    roots = {
        what: [span for span in await trace_of(gateway, decision["traceId"]) if not span.parent_id]
        for what, decision in decisions.items()
    }

    assert THEIRS not in {decision["traceId"] for decision in decisions.values()}
    assert len({decision["traceId"] for decision in decisions.values()}) == len(HOSTILE)
    assert {what: [(span.service, span.name) for span in found] for what, found in roots.items()} == (
        {what: [("gateway", RPC)] for what in HOSTILE}
    )
    assert find_trace(gateway.state.traces, THEIRS) == []
