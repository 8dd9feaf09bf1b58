"""Whoever is kept out by a limit of metering hears which one it was, and when to come back."""

import json
from collections import Counter
from pathlib import Path

from google.rpc import error_details_pb2, status_pb2

from tests.support.gateway_callers import Outcome, in_json, over_grpc, over_grpc_web
from tests.support.gateway_door import an_entrance

SHIPPED = Path(__file__).parents[3] / "deploy" / "envoy" / "limits.yaml"
ONE_A_MINUTE = """
domain: gateway
descriptors:
  - {key: kind, rate_limit: {name: all of a kind, unit: minute, requests_per_unit: 1}}
"""
PATH = "/sluice.licensing.v1.RecallService/ListRecalls"


async def test_all_three_ways_of_calling_hear_what_metering_says(tmp_path: Path) -> None:
    async with an_entrance(tmp_path, ONE_A_MINUTE) as entrance:
        shown = entrance.as_licensee()
        assert (await entrance.http.get("/v1/recalls", headers=shown)).status_code == 200

        json_answer = in_json(await entrance.http.get("/v1/recalls", headers=shown))
        grpc_answer = await over_grpc(entrance.envoy.address, PATH, metadata=shown)
        web_answer = await over_grpc_web(entrance.http, PATH, headers=shown)

    assert [json_answer, grpc_answer, web_answer] == [Outcome(8, "RATE_LIMITED")] * 3
    assert {each.message for each in (json_answer, grpc_answer, web_answer)} == {
        "too many calls; try again later"
    }
    assert (json_answer.http, json_answer.headers["content-type"]) == (429, "application/json")
    assert json_answer.headers["retry-after"] == web_answer.headers["retry-after"] == "60"
    info, retry = json.loads(json_answer.body)["details"]
    assert info["metadata"] == {"limits": "all of a kind"}
    assert retry["retryDelay"] == "60s"
    for answer in (grpc_answer, web_answer):
        assert retry_seconds(answer.details) == 60


async def test_readers_of_content_however_many_keep_no_partner_from_a_token(tmp_path: Path) -> None:
    async with an_entrance(tmp_path, SHIPPED.read_text(encoding="utf-8"), trusted_hops=1) as entrance:
        # From as many networks as the limit of one would keep out; the clock of the limits stands still.
        reading = [(await entrance.reads(f"198.51.{number}.1")).status_code for number in range(201)]
        token = await entrance.http.post("/v1/token", json={"apiKey": "none of ours"})

    assert Counter(reading) == {200: 200, 429: 1}
    assert in_json(token).code != 8


def retry_seconds(details: bytes) -> int:
    """Of the RetryInfo in a google.rpc.Status."""
    retry = error_details_pb2.RetryInfo()
    found = [each for each in status_pb2.Status.FromString(details).details if each.Unpack(retry)]
    assert len(found) == 1
    return int(retry.retry_delay.seconds)
