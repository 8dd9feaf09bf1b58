"""What is larger than a message can be read back, all of it (D2, D4)."""

import json

import pytest
from sqlalchemy import text

from services.chassis.channels import LARGEST_ANSWER_BYTES
from services.chassis.database import Database
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Unenforceable
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.clock import ManualClock
from tests.support.damages_caller import START_US, DamagesCaller, a_policy, a_scope
from tests.support.grpc import LocalServer
from tests.support.metering_usage import an_access

pytestmark = pytest.mark.slow

PERIODS, MEMBERS = 12_000, 20
LARGE_ONES = 24
"""Policies of 750 kB that do not fit into one message together."""


@pytest.fixture
def claims(server: LocalServer, clock: ManualClock) -> DamagesCaller:
    return DamagesCaller(server, clock)


async def test_d2_what_is_larger_than_a_message_is_read_back_whole(
    claims: DamagesCaller, database: Database
) -> None:
    await claims.put()
    await claims.took(1, 2_000_000)
    request_id = claims.new_id()
    id = (await claims.record(id=request_id)).assessment_id
    said = json.loads(await claims.document(id))
    (period,) = said["periods"]
    shares = [{"party": f"party-{n:056}", "posts": 100_000 + n, "share": 1_500_00} for n in range(MEMBERS)]
    said["periods"] = [period | {"members": shares}] * PERIODS
    document = json.dumps(said, sort_keys=True, separators=(",", ":"))
    changed = text("UPDATE assessments SET document = :document")
    await database.write(lambda connection: connection.execute(changed, {"document": document}))

    found, again = await claims.get(id), await claims.record(id=request_id)

    assert await claims.document(id) == document.encode()
    assert found.ByteSize() > LARGEST_ANSWER_BYTES
    assert len(found.periods) == PERIODS
    assert found.periods[-1].members[-1].posts == 100_000 + MEMBERS - 1
    assert again == found


async def test_d4_lists_of_what_is_large_are_paged_by_its_size(claims: DamagesCaller) -> None:
    places = [
        f"{first}{second}" for first in "ABCDEFGHIJKLMNOPQRST" for second in "ABCDEFGHIJKLMNOPQRSTUVWXY"
    ]
    barred = [Unenforceable(jurisdiction=place, reason="\u8a9e" * 500) for place in places]
    versions = [(await claims.put(a_policy(not_enforceable=barred))).version for _ in range(LARGE_ONES)]
    parties = [f"party-{n}" for n in range(LARGE_ONES)]
    await claims.usage.report(*(an_access(each, START_US, each) for each in parties))
    ids = [(await claims.record(a_scope(of=UsageOf(party_id=each)))).assessment_id for each in parties]

    policies = await claims.pages(claims.stub.ListDamagesPolicies, pb.ListDamagesPoliciesRequest())
    assessments = await claims.pages(claims.stub.ListAssessments, pb.ListAssessmentsRequest())

    assert sum(page.ByteSize() for page in policies) > LARGEST_ANSWER_BYTES
    assert [each.version for page in policies for each in page.policies] == versions[::-1]
    assert [each.assessment_id for page in assessments for each in page.assessments] == ids[::-1]
    assert list(policies[-1].policies[-1].not_enforceable) == barred
