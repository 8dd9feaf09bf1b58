"""Guessing of API keys, through Envoy: limited exactly, told when to come again, and nobody else's loss."""

import asyncio
import base64
import time

import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from services.console.api_keys import create_key
from sluice.licensing.v1.api_key_pb2 import KeyHolder, KeyHolderKind
from sluice.licensing.v1.key_service_pb2 import CreateApiKeyRequest
from sluice.licensing.v1.token_service_pb2 import GetTokenRequest
from tests.e2e.through.conftest import GET_TOKEN, GUESSES, MINUTE_NETWORK, SECOND_NETWORK
from tests.support.gateway_callers import Outcome, in_json, over_grpc_web
from tests.support.through import Through, bearer

WRONG, FULL = Outcome(16, "API_KEY_INVALID"), Outcome(8, "RATE_LIMITED")
GUESS = {"apiKey": "sk_guess"}
SPOOFED = {"x-forwarded-for": "203.0.113.7"}


async def test_no_more_guesses_than_the_limit_get_an_answer_and_others_are_told_when_to_come_again(
    gateway: Through,
) -> None:
    request = GetTokenRequest(api_key="sk_guess").SerializeToString()
    async with gateway.client(MINUTE_NETWORK) as client:
        guesses = [client.post("/v1/token", json=GUESS, headers=SPOOFED if n % 2 else {}) for n in range(20)]
        answers = await asyncio.gather(*guesses)
        web = await over_grpc_web(client, GET_TOKEN, request)

    told = [in_json(answer) for answer in answers]
    assert (told.count(WRONG), told.count(FULL), len(told)) == (GUESSES, 20 - GUESSES, 20)
    for answer in answers:
        if answer.status_code == 429:
            delay = seconds_of(next(d["retryDelay"] for d in answer.json()["details"] if "retryDelay" in d))
            assert 0 < delay <= 60
            assert delay <= int(answer.headers["retry-after"]) < delay + 1
    assert web == FULL
    packed = web.headers["grpc-status-details-bin"]
    status, delay = status_pb2.Status(), error_details_pb2.RetryInfo()
    status.ParseFromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    assert any(each.Unpack(delay) for each in status.details)
    assert 0 < delay.retry_delay.ToTimedelta().total_seconds() <= 60


def seconds_of(text: str) -> float:
    return float(text.removesuffix("s"))


async def test_in_no_second_wherever_it_begins_are_there_more_guesses_than_the_limit(
    gateway: Through,
) -> None:
    answered = list[tuple[float, float]]()

    async def guess(client: httpx.AsyncClient) -> None:
        began = time.monotonic()
        if in_json(await client.post("/v1/token", json=GUESS)) == WRONG:
            answered.append((began, time.monotonic()))

    async with gateway.client(SECOND_NETWORK) as client:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            await asyncio.gather(*(guess(client) for _ in range(3)))

    # Counted somewhere between its beginning and its end: so many more cannot lie within one second.
    answered.sort(key=lambda call: call[1])
    within = [(after[1] - before[0]) for before, after in zip(answered, answered[GUESSES:], strict=False)]
    assert len(answered) > GUESSES
    assert min(within) >= 1.0


@pytest.fixture
async def key(gateway: Through) -> str:
    holder = KeyHolder(kind=KeyHolderKind.KEY_HOLDER_KIND_LICENSEE, party="acme")
    request = CreateApiKeyRequest(holder=holder, label="during a flood")
    async with gateway.operator() as operator:
        return (await create_key(operator, request)).secret


async def test_who_holds_a_key_gets_a_token_from_another_network_during_a_flood(
    gateway: Through, key: str
) -> None:
    async with gateway.client(MINUTE_NETWORK) as flood, gateway.client(21) as elsewhere:
        guesses = [flood.post("/v1/token", json=GUESS) for _ in range(20)]
        token, *answers = await asyncio.gather(elsewhere.post("/v1/token", json={"apiKey": key}), *guesses)
        with_it = await elsewhere.get("/v1/licenses", headers=bearer(token.json()["token"]))

    assert FULL in [in_json(answer) for answer in answers]
    assert (token.status_code, with_it.status_code) == (200, 200)
