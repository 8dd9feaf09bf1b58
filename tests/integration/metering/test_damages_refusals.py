"""DamagesService over gRPC: policies and claims that are refused, and why."""

from typing import Any

import pytest

from services.chassis.refusals import Kind, Refusal
from services.metering.domain.windows import HOUR_US, MINUTE_US
from sluice.metering.v1 import damages_pb2
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.clock import NOON_US, ManualClock
from tests.support.damages_caller import START_US, DamagesCaller, a_policy, a_scope, group
from tests.support.grpc import LocalServer
from tests.support.metering import an_id

REQUEST = 1


@pytest.fixture
def claims(server: LocalServer, clock: ManualClock) -> DamagesCaller:
    return DamagesCaller(server, clock)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rate": {"currency_code": "USD", "units": -1}}, "RATE_INVALID"),
        ({"rate": {"currency_code": "USD", "nanos": -1}}, "RATE_INVALID"),
        ({"rate": {"currency_code": "dollars", "units": 1}}, "RATE_INVALID"),
        ({"unit": 0}, "INVALID_REQUEST"),
        ({"rounding": 99}, "INVALID_REQUEST"),
        ({"rounding": 0}, "INVALID_REQUEST"),
        ({"overlap": 0}, "INVALID_REQUEST"),
        ({"terms_digest": b"\1"}, "INVALID_REQUEST"),
        ({"window": {"seconds": 1, "nanos": 5000}}, "WINDOW_INVALID"),
        ({"not_enforceable": [{"jurisdiction": "DE", "reason": "x"}] * 2}, "JURISDICTION_TWICE"),
    ],
)
async def test_a_policy_that_cannot_be_applied_is_refused(
    claims: DamagesCaller, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await claims.put(a_policy(**change))

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, reason)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (a_scope(since_us=START_US, until_us=START_US), "STRETCH_EMPTY"),
        (a_scope(of=UsageOf(license_id="license-1")), "SCOPE_INVALID"),
        (a_scope(of=group("nobody")), "GROUP_UNKNOWN"),
        (a_scope(of=UsageOf(party_id="acmee")), "PARTY_UNKNOWN"),
        (a_scope(until_us=NOON_US + 6 * MINUTE_US), "UNTIL_IN_THE_FUTURE"),
        (a_scope(policy_version=7), "POLICY_UNKNOWN"),
        (a_scope(assisted=[damages_pb2.Assistant(party_id="acme", how="itself")]), "ASSISTANT_IS_MEMBER"),
        (a_scope(assisted=[damages_pb2.Assistant(party_id="x", how=how) for how in "ab"]), "SCOPE_INVALID"),
    ],
)
async def test_what_cannot_be_assessed_is_refused(
    claims: DamagesCaller, scope: damages_pb2.AssessmentScope, reason: str
) -> None:
    await claims.put()
    await claims.took(1, 1)

    with pytest.raises(Refusal) as refused:
        await claims.preview(scope)
    with pytest.raises(Refusal) as not_recorded:
        await claims.record(scope)

    assert (refused.value.reason, not_recorded.value.reason) == (reason, reason)


async def test_an_amount_that_no_record_can_hold_is_refused_under_any_reading(claims: DamagesCaller) -> None:
    # 9 * 10**18 billionths as the policy reads it, and 10**19, over 2**63, where requests count too.
    rate = {"currency_code": "USD", "units": 1_000_000_000}
    await claims.put(a_policy(threshold=0, unit=1, rate=rate, decimals=9))
    await claims.took(1, 9)
    await claims.took(3, 1, access=REQUEST)

    for call in (claims.preview(), claims.record()):
        with pytest.raises(Refusal) as refused:
            await call
        assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "AMOUNT_TOO_LARGE")
    largest = await claims.record(a_scope(until_us=START_US + 2 * HOUR_US))

    assert largest.amount.units == 9_000_000_000


async def test_a_party_that_was_described_or_counted_is_known(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.describe("described", START_US, vetted_research=False)
    await claims.usage.move("moved", "red", START_US)
    await claims.usage.record(1, 900_000)

    amounts = [
        (await claims.preview(a_scope(of=UsageOf(party_id=party_id)))).amount.units
        for party_id in ("described", "moved", "acme")
    ]

    assert amounts == [0, 0, 0]


async def test_what_is_not_on_record_is_not_found(claims: DamagesCaller) -> None:
    with pytest.raises(Refusal) as refused:
        await claims.get(an_id(1))
    with pytest.raises(Refusal) as no_rows:
        await claims.evidence(an_id(1))
    with pytest.raises(Refusal) as no_policy:
        await claims.preview()

    assert [each.value.reason for each in (refused, no_rows, no_policy)] == [
        "ASSESSMENT_UNKNOWN",
        "ASSESSMENT_UNKNOWN",
        "POLICY_UNKNOWN",
    ]
