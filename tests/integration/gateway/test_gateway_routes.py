"""Every RPC of every contract is led to its service or is not there, as it says; in all three ways."""

import re
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

from services.chassis.identity import PrincipalKind
from services.console.gateway.routes import contracts, is_public, methods
from tests.integration.gateway.conftest import Gateway
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_callers import Outcome, in_json, over_grpc, over_grpc_web
from tests.support.gateway_world import GOOD, World, a_page, a_world
from tests.support.keys import a_minter, some_keys
from tests.support.waiting import until

NOT_ROUTED = Outcome(12, "GATEWAY_NOT_ROUTED")
WELCOME = Outcome(0)


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def expected(method: MethodDescriptor) -> Outcome:
    return WELCOME if is_public(method) else NOT_ROUTED


def shown(folder: Path, world: World) -> dict[str, str]:
    """A token that consent's routes and this licensing believe alike."""
    token = a_minter(some_keys(folder)).mint(PrincipalKind.OPERATOR, "ada")
    world.licensing.known[token] = {"kind": "operator", "party": "ada", "principal": "operator:ada"}
    return {"authorization": f"Bearer {token}"}


async def in_json_as_its_contract_says(
    client: httpx.AsyncClient, rule: object, headers: dict[str, str]
) -> Outcome:
    verb = next(name for name in ("get", "post", "put", "patch", "delete") if getattr(rule, name))
    path = re.sub(r"\{[^}]+\}", "1", getattr(rule, verb))
    return in_json(
        await client.request(verb.upper(), path, headers=headers, content=None if verb == "get" else b"{}")
    )


async def test_every_rpc_is_led_to_its_service_or_is_not_there_in_all_three_ways(
    gateway: Gateway, tmp_path: Path
) -> None:
    headers, seen = shown(tmp_path, gateway.world), set()

    for method in methods(contracts()):
        path, options = path_of(method), method.GetOptions()
        over = await over_grpc(gateway.address, path, metadata=headers)
        web = await over_grpc_web(gateway.http, path, headers=headers)
        assert (over, web) == (expected(method), expected(method)), path
        if options.HasExtension(annotations_pb2.http) and not method.client_streaming:
            rule = options.Extensions[annotations_pb2.http]
            for each in (rule, *rule.additional_bindings):
                answer = await in_json_as_its_contract_says(gateway.http, each, headers)
                assert answer == expected(method), path
        seen.add((is_public(method), path in gateway.world.upstream.calls))

    assert seen == {(True, True), (False, False)}


async def test_nobody_is_let_in_by_any_way_whom_licensing_does_not_let_in(gateway: Gateway) -> None:
    path = "/sluice.licensing.v1.ReleaseService/GetDecision"

    answers = (
        await over_grpc(gateway.address, path),
        await over_grpc_web(gateway.http, path),
        in_json(await gateway.http.get("/v1/decisions/1")),
    )

    assert answers == (Outcome(16, "TOKEN_MISSING"),) * 3
    assert {answer.message for answer in answers} == {"the call carries no token"}
    # As every other answer of gRPC-Web, whoever it comes from.
    assert (answers[1].http, answers[1].headers["content-type"]) == (200, "application/grpc-web+proto")
    assert answers[2].http == 401
    assert gateway.world.upstream.calls == {}


async def test_every_way_is_one_call_to_licensing_and_one_to_metering_by_the_path_of_the_rpc(
    gateway: Gateway,
) -> None:
    path = "/sluice.licensing.v1.ReleaseService/GetDecision"

    await over_grpc(gateway.address, path, metadata=GOOD)
    await over_grpc_web(gateway.http, path, headers=GOOD)
    await gateway.http.get("/v1/decisions/1", headers=GOOD)

    asked, counted = gateway.world.licensing.asked, gateway.world.metering.asked
    assert [each.request.http.path for each in asked] == [path] * 3
    assert [dict(each.context_extensions) for each in asked] == [{"surface": "api"}] * 3
    method, kind, principal = {"method": path}, {"kind": "licensee"}, {"principal": "licensee:acme"}
    assert counted == [[kind, {**kind, **method}, principal, {**principal, **method}]] * 3


async def test_a_stranger_is_counted_by_network(gateway: Gateway) -> None:
    gateway.world.licensing.refusal = None

    await gateway.http.post("/v1/token", json={})

    kind, network = {"kind": "stranger"}, {"remote_prefix": "127.0.0.0/24"}
    method = {"method": "/sluice.licensing.v1.TokenService/GetToken"}
    assert gateway.world.metering.asked == [[kind, {**kind, **method}, network, {**network, **method}]]


async def test_messages_of_a_stream_are_passed_on_before_it_ends(gateway: Gateway) -> None:
    path = "/sluice.metering.v1.UsageService/ReportAccesses"
    channel = grpc.aio.insecure_channel(gateway.address)
    call: Any = channel.stream_stream(path)(metadata=tuple(GOOD.items()), timeout=20)

    await call.write(b"first")

    await until(lambda: gateway.world.upstream.messages == [b"first"], "the first message has come through")
    call.cancel()
    await channel.close()


async def test_content_is_asked_for_as_content_and_shown_by_the_platform(tmp_path: Path) -> None:
    async with a_world() as world, a_page() as page:
        world.licensing.refusal = None
        values = some_values(tmp_path, world.upstreams, content={"prefix": "/posts/", "address": page})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            shown = await client.get("/posts/17?as=html")
            world.licensing.refusal = (401, 16, "LOGIN_REQUIRED", "sign in to read on")
            refused = await client.get("/posts/17")

    assert (shown.status_code, shown.text) == (200, "GET /posts/17?as=html")
    assert (refused.status_code, in_json(refused)) == (401, Outcome(16, "LOGIN_REQUIRED"))
    assert dict(world.licensing.asked[0].context_extensions) == {"surface": "content"}
    assert {"remote_prefix": "127.0.0.0/24"} in world.metering.asked[0]


async def test_pages_are_served_from_files_without_asking_anyone(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.0"}')
    (tmp_path / "docs.html").write_text("<h1>Partners</h1>")
    pages: dict[str, Any] = {"openapi": tmp_path / "openapi.json", "docs": tmp_path / "docs.html"}

    async with (
        an_envoy(some_values(tmp_path, **pages), tmp_path) as envoy,
        httpx.AsyncClient(base_url=envoy.url) as client,
    ):
        openapi, docs = await client.get("/openapi.json"), await client.get("/docs")

    assert openapi.json() == {"openapi": "3.1.0"}
    assert openapi.headers["content-type"] == "application/json; charset=utf-8"
    assert docs.text == "<h1>Partners</h1>"
    assert docs.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("keep_token", [False, True])
async def test_the_platforms_pages_are_shown_a_callers_token_only_where_the_values_say_so(
    tmp_path: Path, keep_token: bool
) -> None:
    heads: list[str] = []
    spoofed = {"x-real-ip": "192.0.2.77", "forwarded": "for=192.0.2.77"}
    async with a_world() as world, a_page(heads) as page:
        content = {"prefix": "/posts/", "address": page, "keep_token": keep_token}
        values = some_values(tmp_path, world.upstreams, content=content)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            answer = await client.get("/posts/17", headers={**GOOD, **spoofed})

    (head,) = heads
    assert answer.status_code == 200
    assert ("authorization: bearer good" in head) == keep_token
    assert "192.0.2.77" not in head
    assert "x-sluice-address" not in head
