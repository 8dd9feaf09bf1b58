"""What callers are told when something behind the gateway is down, slow or full: the same in all ways."""

import json
from pathlib import Path
from typing import Any

import grpc
import httpx

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import unavailable
from tests.integration.gateway.conftest import Gateway
from tests.support.envoy import NOBODY, an_envoy, some_values
from tests.support.forging import Workshop
from tests.support.gateway_callers import Outcome, in_json, over_grpc, over_grpc_web
from tests.support.gateway_world import GOOD, a_world
from tests.support.keys import a_minter, some_keys
from tests.support.oidc import ELSEWHERE, FOR_US, claims_elsewhere

PATH = "/sluice.licensing.v1.ReleaseService/GetDecision"
JSON_PATH = "/v1/decisions/1"


async def all_three(client: httpx.AsyncClient, address: str, **headers: str) -> list[Outcome]:
    shown = {**GOOD, **headers}
    return [
        in_json(await client.get(JSON_PATH, headers=shown)),
        await over_grpc(address, PATH, metadata=shown),
        await over_grpc_web(client, PATH, headers=shown),
    ]


async def through(folder: Path, values: dict[str, Any], upstreams: dict[str, str]) -> list[Outcome]:
    """What is answered through a gateway of these values, all else being up."""
    async with a_world() as world:
        given = some_values(folder, {**world.upstreams, **upstreams}, **values)
        async with an_envoy(given, folder) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            answers = await all_three(client, envoy.address)
        assert not world.upstream.calls
    return answers


async def test_nothing_goes_on_while_licensing_is_down(tmp_path: Path) -> None:
    answers = await through(tmp_path, {}, {"licensing": NOBODY})

    assert answers == [Outcome(14, "GATEWAY_NOT_CHECKED")] * 3
    assert answers[0].http == 503


async def test_what_licensing_cannot_tell_now_it_says_itself(tmp_path: Path) -> None:
    async with a_world() as world:
        world.licensing.refusal = (
            503,
            14,
            "KEYS_UNAVAILABLE",
            "the keys of the token's issuer: 100 % missing",
        )
        world.licensing.known.clear()
        values = some_values(tmp_path, world.upstreams)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            answers = await all_three(client, envoy.address)

    assert answers == [Outcome(14, "KEYS_UNAVAILABLE")] * 3
    assert {answer.message for answer in answers} == {"the keys of the token's issuer: 100 % missing"}
    assert answers[0].http == 503


async def test_nothing_goes_on_while_metering_is_down(tmp_path: Path) -> None:
    answers = await through(tmp_path, {}, {"metering": NOBODY})

    assert answers == [Outcome(14, "GATEWAY_NOT_COUNTED")] * 3
    assert answers[0].http == 503


async def test_users_whose_issuers_keys_cannot_be_had_are_told_so_and_to_come_again(tmp_path: Path) -> None:
    shop = Workshop()
    issuer = {"name": "users", "issuer": ELSEWHERE, "audiences": [FOR_US]}
    values = some_values(tmp_path, issuers=[{**issuer, "jwks_url": f"http://{NOBODY}/keys"}])
    later = SystemClock().now_us() // 1_000_000 + 60
    token = shop.token(claims=claims_elsewhere(shop, exp=later))
    headers = {"authorization": f"Bearer {token}"}
    path = "/sluice.consent.v1.ConsentService/ListPolicies"

    async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
        answers = [
            in_json(await client.get("/v1/policies", headers=headers)),
            await over_grpc(envoy.address, path, metadata=headers),
            await over_grpc_web(client, path, headers=headers),
        ]

    assert answers == [Outcome(14, "KEYS_UNAVAILABLE")] * 3
    assert answers[0].http == 503


async def test_a_service_that_is_down_is_unavailable(tmp_path: Path) -> None:
    shown = {"authorization": f"Bearer {a_minter(some_keys(tmp_path)).mint(PrincipalKind.SUBJECT, '1001')}"}
    path = "/sluice.consent.v1.ConsentService/ListPolicies"

    async with (
        an_envoy(some_values(tmp_path), tmp_path) as envoy,
        httpx.AsyncClient(base_url=envoy.url) as client,
    ):
        answers = [
            in_json(await client.get("/v1/policies", headers=shown)),
            await over_grpc(envoy.address, path, metadata=shown),
            await over_grpc_web(client, path, headers=shown),
        ]

    assert answers == [Outcome(14, "GATEWAY_UNAVAILABLE")] * 3
    assert answers[0].http == 503


async def test_what_a_service_refuses_itself_it_is_asked_once(gateway: Gateway) -> None:
    gateway.world.upstream.refusal = unavailable("DATABASE_UNAVAILABLE", "the database cannot be written now")

    answers = await all_three(gateway.http, gateway.address)

    assert answers == [Outcome(14, "DATABASE_UNAVAILABLE")] * 3
    assert len(gateway.world.upstream.calls[PATH]) == 3, "one of each way"


async def test_metering_that_cannot_count_is_asked_once_more(gateway: Gateway) -> None:
    gateway.world.metering.failure = grpc.StatusCode.UNAVAILABLE

    answer = in_json(await gateway.http.get(JSON_PATH, headers=GOOD))

    assert answer == Outcome(14, "GATEWAY_NOT_COUNTED")
    assert len(gateway.world.metering.asked) == 2
    assert len(gateway.world.licensing.asked) == 1


async def test_a_service_that_is_slow_is_504_when_the_callers_time_is_up(gateway: Gateway) -> None:
    gateway.world.upstream.answering.clear()

    # A client of gRPC ends the call by itself.
    answer = await gateway.http.get(JSON_PATH, headers={**GOOD, "grpc-timeout": "300m"})
    web = await over_grpc_web(gateway.http, PATH, headers={**GOOD, "grpc-timeout": "300m"})
    gateway.world.upstream.answering.set()

    assert (answer.status_code, in_json(answer)) == (504, Outcome(4, "GATEWAY_TIMEOUT"))
    assert web == Outcome(4, "GATEWAY_TIMEOUT")


async def test_a_call_that_names_no_time_ends_with_the_usual_one(tmp_path: Path) -> None:
    async with a_world() as world:
        world.upstream.answering.clear()
        values = some_values(tmp_path, world.upstreams, limits={"call_seconds": 1})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            answer = await client.get(JSON_PATH, headers=GOOD)
        world.upstream.answering.set()

    assert (answer.status_code, in_json(answer)) == (504, Outcome(4, "GATEWAY_TIMEOUT"))


async def test_a_call_for_which_there_is_no_room_is_429_in_meterings_own_words(gateway: Gateway) -> None:
    gateway.world.metering.full = True

    answers = await all_three(gateway.http, gateway.address)

    assert answers == [Outcome(8, "RATE_LIMITED")] * 3
    assert answers[0].http == 429
    assert gateway.world.upstream.calls == {}


async def test_a_flood_from_one_network_is_429_before_anyone_is_asked(tmp_path: Path) -> None:
    async with a_world() as world:
        values = some_values(tmp_path, world.upstreams, limits={"calls_a_second": 1})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            answers = [in_json(await client.get("/v1/policies")) for _ in range(20)]

    assert Outcome(8, "GATEWAY_RATE_LIMITED") in answers
    assert set(answers) <= {Outcome(8, "GATEWAY_RATE_LIMITED"), Outcome(16, "TOKEN_MISSING")}


async def test_what_licensing_refuses_is_told_in_its_own_words(gateway: Gateway) -> None:
    gateway.world.licensing.known.clear()
    gateway.world.licensing.refusal = (403, 7, "NOT_ADMITTED", "not open to this kind of caller")

    answers = await all_three(gateway.http, gateway.address)

    assert answers == [Outcome(7, "NOT_ADMITTED")] * 3
    assert {answer.message for answer in answers} == {"not open to this kind of caller"}
    assert answers[0].http == 403


async def test_the_access_log_has_the_rpc_and_neither_token_nor_ids(gateway: Gateway) -> None:
    secret = {"authorization": "Bearer good"}

    await gateway.http.get("/v1/decisions/11223344", headers=secret)
    gateway.envoy.end()

    lines = [json.loads(line) for line in gateway.envoy.access_log.read_text().splitlines()]
    assert [line["rpc"] for line in lines if line["kind"] == "licensee"] == [PATH]
    assert "11223344" not in gateway.envoy.access_log.read_text()
    assert "good" not in gateway.envoy.access_log.read_text()


async def test_health_is_the_gateways_own(tmp_path: Path) -> None:
    async with (
        an_envoy(some_values(tmp_path), tmp_path) as envoy,
        httpx.AsyncClient(base_url=envoy.url) as client,
    ):
        answer = await client.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")
