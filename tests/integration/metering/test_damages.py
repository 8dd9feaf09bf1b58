"""DamagesService over gRPC: what the clause comes to, on record with its evidence (D1 to D4)."""

import hashlib
import json
import random
from typing import Any

import numpy as np
import pytest
from google.type.money_pb2 import Money
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.metering.domain.damages.evidence import Rows, root
from services.metering.domain.windows import HOUR_US, ROLLING_DAY_US
from services.metering.storage.projecting import SqlProjections
from sluice.metering.v1 import damages_pb2
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.clock import ManualClock
from tests.support.damages_caller import START_US, DamagesCaller, a_policy, a_scope, group
from tests.support.grpc import LocalServer
from tests.support.metering import an_id
from tests.support.metering_usage import ACCESS, VIEW, an_access

REQUEST = 1


@pytest.fixture
def claims(server: LocalServer, clock: ManualClock) -> DamagesCaller:
    return DamagesCaller(server, clock)


def cents(money: Money) -> int:
    assert money.currency_code == "USD" and money.nanos % 10_000_000 == 0
    return int(money.units) * 100 + int(money.nanos) // 10_000_000


async def test_d1_a_claim_lists_its_periods_and_what_each_comes_to(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.took(0.5, 600_000)
    await claims.took(24.4, 600_000, access=VIEW)
    await claims.took(100, 2_000_000)

    found = await claims.preview()

    since = [each.since.ToMicroseconds() for each in found.periods]
    assert since == [START_US + HOUR_US // 2, START_US + 100 * HOUR_US]
    assert [each.until.ToMicroseconds() - each.since.ToMicroseconds() for each in found.periods] == [
        ROLLING_DAY_US
    ] * 2
    assert [(each.posts, cents(each.amount)) for each in found.periods] == [
        (1_200_000, 15_000_00),
        (2_000_000, 30_000_00),
    ]
    assert (found.posts, cents(found.amount), cents(found.amount_in_force)) == (
        3_200_000,
        45_000_00,
        45_000_00,
    )
    assert found.state == damages_pb2.ASSESSMENT_STATE_PREVIEW
    assert found.enforceable


async def test_d2_every_reading_says_what_it_would_come_to(claims: DamagesCaller) -> None:
    await claims.put()
    for hour in (0, 23, 24, 26, 27, 50):
        await claims.took(hour, 600_000)
    await claims.took(51, 1_000_000, access=REQUEST)
    await claims.took(40 * 24 + 7, 200_000)
    await claims.usage.record(1, 900_000)

    found = await claims.preview(a_scope(until_us=claims.now_us() + 1))

    amounts = {
        (
            len(each.accesses),
            each.licensed_volume_counts,
            damages_pb2.DamagesOverlap.Name(each.overlap).removeprefix("DAMAGES_OVERLAP_"),
            damages_pb2.DamagesRounding.Name(each.rounding).removeprefix("DAMAGES_ROUNDING_"),
        ): cents(each.amount)
        for each in found.readings
    }
    assert len(found.readings) == len(amounts) == 64
    assert cents(found.amount) == amounts[2, False, "DISJOINT", "WHOLE_UNITS"] == 30_000_00
    assert amounts[2, False, "SHORTER_ALLOWED", "WHOLE_UNITS"] == 45_000_00
    assert amounts[2, False, "ONE_PER_BREACH", "WHOLE_UNITS"] == 30_000_00
    assert amounts[2, True, "DISJOINT", "WHOLE_UNITS"] == 45_000_00
    assert amounts[3, False, "DISJOINT", "PRO_RATA"] == 69_000_00
    assert amounts[3, True, "DISJOINT", "EXCESS_ONLY"] == 30_000_00 + 1_500_00


async def test_m7_what_a_receipt_absorbed_and_what_was_licensed_is_not_claimed(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.usage.record(1, 900_000)
    await claims.took(1, 1_500_000, reservation_id=an_id(1), access=ACCESS)
    await claims.took(2, 300_000)

    found = await claims.preview()

    assert [each.posts for each in found.periods] == []
    assert found.posts == 900_000


async def test_d3_members_are_each_liable_for_the_whole(claims: DamagesCaller) -> None:
    await claims.put()
    for party_id in ("acme", "beta"):
        await claims.usage.move(party_id, "red", START_US)
    await claims.usage.move("late", "red", START_US + 20 * ROLLING_DAY_US)
    await claims.took(1, 600_000)
    await claims.took(1.5, 600_000, "beta")

    found = await claims.preview(a_scope(of=group()))

    shares = [(each.party_id, each.posts, cents(each.share), cents(each.liable_for)) for each in found.liable]
    assert shares == [("acme", 600_000, 7_500_00, 15_000_00), ("beta", 600_000, 7_500_00, 15_000_00)]
    assert cents(found.amount) == 15_000_00
    assert [each.party_id for each in found.members] == ["acme", "beta", "late"]


async def test_m6_an_access_belongs_to_the_group_of_its_own_time(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.usage.move("acme", "red", START_US)
    await claims.usage.move("acme", "blue", START_US + 2 * HOUR_US)
    await claims.usage.move("beta", "red", START_US)
    await claims.took(1, 600_000)
    await claims.took(2, 900_000)
    await claims.took(3, 500_000, "beta")

    found = await claims.preview(a_scope(of=group()))

    assert [each.posts for each in found.periods] == [1_100_000]


async def test_d4_vetted_research_is_never_assessed(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.describe("acme", vetted_research=True, at_us=START_US)
    await claims.describe("acme", vetted_research=False, at_us=START_US + 10 * HOUR_US)
    await claims.took(1, 5_000_000)
    await claims.took(10, 2_000_000)

    found = await claims.preview()

    assert [each.posts for each in found.periods] == [2_000_000]
    assert [(each.party_id, each.until.ToMicroseconds()) for each in found.exempt] == [
        ("acme", START_US + 10 * HOUR_US)
    ]


async def test_d4_a_jurisdiction_that_does_not_permit_it_is_said(claims: DamagesCaller) -> None:
    barred = damages_pb2.Unenforceable(jurisdiction="DE", reason="a penalty")
    await claims.put(a_policy(not_enforceable=[barred]))
    await claims.took(1, 1)

    said = {
        place: (await claims.preview(a_scope(jurisdiction=place))).enforceable
        for place in ("DE", "DE-BY", "FR", "")
    }

    assert said == {"DE": False, "DE-BY": False, "FR": True, "": True}


async def test_d3_who_only_assisted_is_named_and_not_counted(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.took(1, 2_000_000)
    await claims.took(1, 2_000_000, "helper")
    scope = a_scope(assisted=[damages_pb2.Assistant(party_id="helper", how="lent its accounts")])

    found = await claims.preview(scope)

    assert [each.party_id for each in found.liable] == ["acme"]
    assert [each.party_id for each in found.scope.assisted] == ["helper"]
    assert found.posts == 2_000_000


async def test_a_recorded_assessment_is_the_same_for_ever_after(
    claims: DamagesCaller, clock: ManualClock
) -> None:
    await claims.put()
    await claims.took(1, 2_000_000)
    id = claims.new_id()

    recorded = await claims.record(id=id)
    await claims.took(2, 7_000_000)
    clock.advance(HOUR_US)
    again = await claims.record(id=id)
    document = await claims.document(recorded.assessment_id)

    assert again == recorded
    assert recorded.state == damages_pb2.ASSESSMENT_STATE_RECORDED
    assert recorded.recorded_by == "operator:lena"
    assert hashlib.sha256(document).digest() == recorded.digest
    assert json.dumps(json.loads(document), sort_keys=True, separators=(",", ":")).encode() == document
    assert cents((await claims.preview()).amount) == 9 * 15_000_00


async def test_d2_the_evidence_is_what_was_digested_also_after_more_has_come(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.usage.reserve(1, 900_000)
    await claims.took(1, 2_000_000, id="first")
    await claims.took(2, 500_000, id="shown", reservation_id=an_id(1), access=ACCESS)
    await claims.usage.settle(1, 900_000)
    recorded = await claims.record(a_scope(until_us=claims.now_us() + 1))
    await claims.took(1, 800_000, id="later")
    await claims.took(1.5, 600_000, id="displaces", reservation_id=an_id(1), access=ACCESS)

    chunks = [rows_of(chunk) for chunk in await claims.evidence(recorded.assessment_id)]

    assert root([chunk.digest() for chunk in chunks]) == recorded.evidence.root
    (rows,) = chunks
    assert list(zip(rows.origins, rows.posts, rows.ids, strict=True)) == [
        (2, 2_000_000, "id:first"),
        (2, 500_000, "id:shown"),
        (2, -500_000, ""),
        (1, 900_000, ""),
    ]
    assert recorded.evidence.rows == 4
    assert set(rows.parties) == {"acme"}


async def test_rows_that_were_changed_behind_its_back_are_noticed(
    claims: DamagesCaller, database: Database
) -> None:
    await claims.put()
    await claims.took(1, 2_000_000)
    recorded = await claims.record()
    await database.write(
        lambda connection: connection.execute(text("UPDATE entries SET counts = '[[1, 0, 1999999]]'"))
    )

    with pytest.raises(Refusal) as refused:
        await claims.evidence(recorded.assessment_id)

    assert refused.value.reason == "EVIDENCE_DIFFERS"


async def test_sums_that_are_not_those_of_the_entries_give_no_amount(
    claims: DamagesCaller, database: Database
) -> None:
    await claims.put()
    await claims.took(1, 2_000_000)
    await project(database)
    await database.write(
        lambda connection: connection.execute(text("UPDATE projections SET posts = posts + 1"))
    )

    with pytest.raises(Refusal) as refused:
        await claims.preview()

    assert refused.value.reason == "SUMS_DIFFER"


async def test_the_order_and_repetition_of_imports_change_nothing(
    claims: DamagesCaller, database: Database
) -> None:
    await claims.put()
    taken = [(random.Random(n).uniform(0, 500), n % 7 * 90_000 + 1, f"edge-{n}") for n in range(60)]
    found = []

    for party_id, seed in (("one", 1), ("two", 2), ("three", 3)):
        shuffled = [*taken, *taken[::3]]
        random.Random(seed).shuffle(shuffled)
        accesses = [
            an_access(id, START_US + round(hours * HOUR_US), party_id, posts=posts, source=f"log-{party_id}")
            for hours, posts, id in shuffled
        ]
        for begin in range(0, len(accesses), 10 * seed):
            await claims.usage.report(*accesses[begin : begin + 10 * seed])
        if seed == 2:
            await project(database)
        found.append(await claims.preview(a_scope(of=UsageOf(party_id=party_id))))

    assert found[0].amount.units > 0
    for other in found[1:]:
        assert [(each.since, each.posts, each.amount) for each in other.periods] == [
            (each.since, each.posts, each.amount) for each in found[0].periods
        ]
        assert list(other.readings) == list(found[0].readings)


async def test_an_import_that_may_go_on_is_said(claims: DamagesCaller, clock: ManualClock) -> None:
    await claims.put()
    await claims.took(1, 1, source="edge-1")
    clock.advance(61_000_000)
    await claims.took(1, 1, source="edge-2")

    found = await claims.preview()

    assert [each.source for each in found.imports_running] == ["edge-2"]


async def test_it_is_said_how_far_it_is(claims: DamagesCaller) -> None:
    await claims.put()
    await claims.took(1, 2_000_000)
    request = pb.RecordAssessmentRequest(request_id=claims.new_id(), scope=a_scope())

    steps = await claims.steps(claims.stub.RecordAssessment, request)

    told = [(step.progress.stage, step.progress.done, step.progress.of) for step in steps[:-1]]
    assert told == [(1, done, 64) for done in range(1, 65)] + [(2, 1, 1)]
    assert steps[-1].HasField("assessment")


async def test_policies_and_assessments_are_listed_latest_first_and_in_pages(claims: DamagesCaller) -> None:
    for threshold in (1, 2, 3):
        await claims.put(a_policy(threshold=threshold))
    await claims.took(1, 2)
    days = [a_scope(START_US + n * ROLLING_DAY_US, START_US + (n + 1) * ROLLING_DAY_US) for n in range(3)]
    ids = [(await claims.record(day)).assessment_id for day in days]
    await claims.took(1, 2, "other")
    await claims.record(a_scope(of=UsageOf(party_id="other")))

    policies = await claims.pages(claims.stub.ListDamagesPolicies, pb.ListDamagesPoliciesRequest(page_size=2))
    listed = await claims.pages(
        claims.stub.ListAssessments, pb.ListAssessmentsRequest(page_size=2, of=UsageOf(party_id="acme"))
    )

    assert [each.version for page in policies for each in page.policies] == [3, 2, 1]
    assert [each.assessment_id for page in listed for each in page.assessments] == ids[::-1]
    assert [len(page.assessments) for page in listed] == [2, 1]


def rows_of(chunk: pb.ReadEvidenceResponse) -> Rows:
    """The rows as they were before they were sent."""

    def numbers(column: bytes, type: str) -> Any:
        return np.frombuffer(column, type).astype(np.int64)

    return Rows(
        numbers(chunk.at_us, "<i8"),
        numbers(chunk.numbers, "<i8"),
        [chunk.parties[place] for place in numbers(chunk.party_indexes, "<u4")],
        numbers(chunk.origins, "u1"),
        numbers(chunk.accesses, "u1"),
        numbers(chunk.kinds, "u1"),
        numbers(chunk.media_flags, "u1"),
        numbers(chunk.posts, "<i8"),
        [chunk.sources[place] for place in numbers(chunk.source_indexes, "<u4")],
        chunk.ids,
    )


async def project(database: Database) -> None:
    """Brings the sums up to date."""
    while await SqlProjections(database).advance():
        pass
