"""Sources belong to whoever first reports under them, on either engine and at any replica (M7)."""

import asyncio

from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.metering.domain.reservations import Access
from services.metering.domain.seen import AccessKey, Outcome, Reporter, Row, Seen
from services.metering.storage.sightings import SqlSightings
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import a_key, metering_database_at
from tests.support.metering_usage import (
    ACCEPTED,
    ACCESS,
    CONFLICT,
    DUPLICATE,
    REJECTED,
    SEEN,
    UsageCaller,
    an_access,
    of_party,
)
from tests.support.postgres import PostgresServer

PIPELINE, OPERATOR = PrincipalKind.PIPELINE, PrincipalKind.OPERATOR
POST = 1
FIVE_MINUTES_US = 300_000_000


async def owners(database: Database) -> list[tuple[str, str, int]]:
    query = text("SELECT source, reporter, since_us FROM sources ORDER BY source")
    rows = await database.read(lambda connection: connection.execute(query).all())
    return [tuple(row) for row in rows]


async def test_m7_a_source_belongs_to_whoever_first_reports_under_it(
    call: UsageCaller, database: Database
) -> None:
    rightful, other = call.as_other(PIPELINE, "edge-logs"), call.as_other(PIPELINE, "mallory")

    await call.report(an_access("a"), by=rightful)
    answer = await call.report(an_access("b", party_id="mallory"), an_access("b", source="own"), by=other)
    again = await call.report(an_access("b"), by=rightful)

    assert list(answer.outcomes) == [REJECTED, ACCEPTED]
    assert [(remark.line, remark.reason) for remark in answer.remarks] == [(1, "SOURCE_OF_ANOTHER")]
    assert list(again.outcomes) == [ACCEPTED]
    assert await call.rows(of_party("mallory")) == []
    assert await owners(database) == [
        ("edge", "pipeline:edge-logs", NOON_US),
        ("own", "pipeline:mallory", NOON_US),
    ]


async def test_m7_nobody_learns_what_is_on_record_under_the_source_of_another(call: UsageCaller) -> None:
    rightful, other = call.as_other(PIPELINE, "edge-logs"), call.as_other(PIPELINE, "mallory")
    await call.report(an_access("a"), by=rightful)

    answer = await call.report(an_access("a"), an_access("a", posts=2), an_access("z"), by=other)

    assert {remark.reason for remark in answer.remarks} == {"SOURCE_OF_ANOTHER"}
    assert list(answer.outcomes) == [REJECTED] * 3


async def test_m7_an_admin_reports_under_any_source_and_makes_none_their_own(
    call: UsageCaller, database: Database
) -> None:
    rightful = call.as_other(PIPELINE, "edge-logs")

    before = await call.report(an_access("a"))
    theirs = await call.report(an_access("b"), by=rightful)
    after = await call.report(an_access("c"))

    assert [list(answer.outcomes) for answer in (before, theirs, after)] == [[ACCEPTED]] * 3
    assert await owners(database) == [("edge", "pipeline:edge-logs", NOON_US)]


async def test_m7_an_operator_of_another_role_is_as_others_are(call: UsageCaller) -> None:
    legal, other = call.as_other(OPERATOR, "lena", "legal"), call.as_other(PIPELINE, "mallory")
    await call.report(an_access("a", source="theirs"), by=other)

    refused = await call.report(an_access("b", source="theirs"), by=legal)
    await call.report(an_access("c", source="court"), by=legal)
    refused_too = await call.report(an_access("d", source="court"), by=other)

    assert [remark.reason for remark in refused.remarks] == ["SOURCE_OF_ANOTHER"]
    assert [remark.reason for remark in refused_too.remarks] == ["SOURCE_OF_ANOTHER"]


async def test_a_kind_of_caller_of_the_same_name_is_another(call: UsageCaller) -> None:
    await call.report(an_access("a"), by=call.as_other(PIPELINE, "licensing"))

    answer = await call.report(an_access("a"), by=call.as_other(PrincipalKind.SERVICE, "licensing"))

    assert list(answer.outcomes) == [REJECTED]


async def test_a_line_that_is_not_taken_makes_no_source_anybodys(
    call: UsageCaller, database: Database
) -> None:
    await call.report(
        an_access("a", NOON_US + FIVE_MINUTES_US + 1),
        an_access("b", party_id="Not An Id"),
        by=call.as_other(PIPELINE, "mallory"),
    )

    assert await owners(database) == []


async def test_m7_a_source_on_record_that_is_nobodys_becomes_that_of_its_next_reporter(
    call: UsageCaller, database: Database
) -> None:
    await call.report(an_access("a"))
    rightful = call.as_other(PIPELINE, "edge-logs")

    answer = await call.report(an_access("a"), an_access("a", posts=9), by=rightful)

    assert list(answer.outcomes) == [DUPLICATE, CONFLICT]
    assert await owners(database) == [("edge", "pipeline:edge-logs", NOON_US)]
    assert await call.rows(of_party()) == [(SEEN, ACCESS, POST, 0, 1, 0)]


async def test_m7_of_many_who_report_first_at_two_replicas_one_gets_the_source(
    postgres: PostgresServer,
) -> None:
    url = postgres.copy_of("metering_database_at", lambda url: metering_database_at(url).close_now())
    databases = [metering_database_at(url), metering_database_at(url)]
    stores = [SqlSightings(database, ManualClock().now_us) for database in databases]

    def report(source: int, n: int) -> asyncio.Future[list[Outcome]]:
        key = AccessKey(f"source-{source}", f"id:{n}")
        row = Row(1, Seen(key, "acme", NOON_US, Access.ACCESS, POST, 0, 1, ""))
        reporter = Reporter(f"pipeline:{n}", is_admin=False)

        async def outcomes() -> list[Outcome]:
            return list((await stores[n % 2].report([row], reporter, a_key(f"{source}-{n}"))).outcomes)

        return asyncio.ensure_future(outcomes())

    found = await asyncio.gather(*(report(source, n) for source in range(10) for n in range(6)))
    taken = await owners(databases[0])
    await asyncio.gather(*(database.close() for database in databases))

    assert len(taken) == 10
    assert sorted(outcome for (outcome,) in found) == [Outcome.ACCEPTED] * 10 + [Outcome.REJECTED] * 50
