"""D2: what metering records comes out the same when it is computed again, offline, from its bundle."""

from pathlib import Path

import pytest

from services.console.damages_bundles import write_bundle
from services.console.damages_rows import rows_of
from services.metering.domain.windows import HOUR_US, ROLLING_DAY_US
from sluice.metering.v1 import damages_pb2
from sluice_gate.damages.verify import verify
from tests.support.clock import ManualClock
from tests.support.damages_caller import START_US, DamagesCaller, a_policy, a_scope, group
from tests.support.grpc import LocalServer
from tests.support.metering import an_id
from tests.support.metering_usage import ACCESS


@pytest.fixture
def claims(server: LocalServer, clock: ManualClock) -> DamagesCaller:
    return DamagesCaller(server, clock)


def quiet(what: str, done: int, of: int) -> None:
    """Progress that nobody looks at."""


@pytest.mark.parametrize(
    "overlap", [damages_pb2.DAMAGES_OVERLAP_DISJOINT, damages_pb2.DAMAGES_OVERLAP_SHORTER_ALLOWED]
)
async def test_the_verifier_finds_what_metering_found(
    claims: DamagesCaller, tmp_path: Path, overlap: damages_pb2.DamagesOverlap
) -> None:
    await claims.put(a_policy(overlap=overlap))
    for party_id in ("acme", "beta"):
        await claims.usage.move(party_id, "red", START_US)
    await claims.usage.move("late", "red", START_US + 20 * ROLLING_DAY_US)
    await claims.describe("beta", START_US + 10 * HOUR_US, vetted_research=True)
    await claims.usage.record(1, 900_000)
    await claims.took(1, 2_600_000, id="first")
    await claims.took(1, 700_001, "beta")
    await claims.took(2, 500_000, id="shown", reservation_id=an_id(1), access=ACCESS)
    await claims.took(25.5, 1_700_000)
    await claims.took(500, 1_000_001, "late")
    scope = a_scope(until_us=claims.now_us() + 1, of=group())

    recorded = await claims.record(scope)
    document = await claims.document(recorded.assessment_id)
    chunks = map(rows_of, await claims.evidence(recorded.assessment_id))
    write_bundle(document, chunks, tmp_path / "bundle", quiet)
    report = verify(tmp_path / "bundle", recorded.digest.hex(), quiet)

    assert report.differences == ()
    assert report.agrees
    assert report.document is not None
    assert [each["party"] for each in report.document["exempt"]] == ["beta"]
    assert len(report.document["periods"]) == 3


async def test_d4_a_claim_in_a_part_of_a_country_that_is_barred_comes_out_the_same(
    claims: DamagesCaller, tmp_path: Path
) -> None:
    barred = damages_pb2.Unenforceable(jurisdiction="US", reason="a penalty")
    await claims.put(a_policy(not_enforceable=[barred]))
    await claims.took(1, 2_600_000, id="first")

    recorded = await claims.record(a_scope(jurisdiction="US-CA"))
    document = await claims.document(recorded.assessment_id)
    chunks = map(rows_of, await claims.evidence(recorded.assessment_id))
    write_bundle(document, chunks, tmp_path / "bundle", quiet)
    report = verify(tmp_path / "bundle", recorded.digest.hex(), quiet)

    assert report.agrees
    assert report.document is not None
    assert report.document["enforceable"] is False
