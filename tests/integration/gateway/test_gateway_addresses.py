"""Strangers are told apart by the network that they come from, also behind a load balancer of ours."""

from pathlib import Path

from tests.support.gateway_door import an_entrance

ONE_A_MINUTE = """
domain: gateway
descriptors:
  - {key: kind, rate_limit: {unlimited: true}}
  - {key: remote_prefix, rate_limit: {name: one network, unit: minute, requests_per_unit: 1}}
"""


async def test_behind_a_load_balancer_each_network_is_limited_and_counted_by_itself(tmp_path: Path) -> None:
    async with an_entrance(tmp_path, ONE_A_MINUTE, trusted_hops=1) as entrance:
        statuses = [
            (await entrance.reads(forwarded_for)).status_code
            # The load balancer adds the last one; what stands before that anyone can have written.
            for forwarded_for in ("198.51.100.7", "203.0.113.9", "203.0.113.9, 198.51.100.8")
        ]
        counted = [await entrance.counted(f"network-{net}.0-24") for net in ("198.51.100", "203.0.113")]
        of_the_balancer = await entrance.counted("network-127.0.0.0-24")

    assert statuses == [200, 200, 429]
    assert (counted, of_the_balancer) == ([2, 1], 0)


async def test_without_one_the_network_is_that_of_the_connection_whatever_a_caller_says(
    tmp_path: Path,
) -> None:
    async with an_entrance(tmp_path, ONE_A_MINUTE) as entrance:
        spoofed = {"x-sluice-address": "203.0.113.9", "x-forwarded-for": "203.0.113.9"}
        answers = [await entrance.http.get("/posts/1", headers=spoofed) for _ in range(2)]
        counted = await entrance.counted("network-127.0.0.0-24")
        of_the_spoofed = await entrance.counted("network-203.0.113.0-24")

    assert [answer.status_code for answer in answers] == [200, 429]
    assert (counted, of_the_spoofed) == (2, 0)
