"""An assessment that is larger than a message can be read back, all of it (D2)."""

import json

import pytest
from sqlalchemy import text

from services.chassis.channels import LARGEST_ANSWER_BYTES
from services.chassis.database import Database
from tests.support.clock import ManualClock
from tests.support.damages_caller import DamagesCaller
from tests.support.grpc import LocalServer

PERIODS, MEMBERS = 12_000, 20


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
