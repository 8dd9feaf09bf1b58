"""C9 and C10 on PostgreSQL: several processes share a database, and none of them answers from what it was."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.consent.domain.choices import Stance
from services.consent.domain.policies import Regime
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import (
    a_batch,
    a_draft,
    a_halt_order,
    a_key,
    a_policy_draft,
    a_question,
    consent_database_at,
    facts_rows,
    names,
)
from tests.support.consent_server import a_replica
from tests.support.postgres import PostgresServer

SECOND_US = 1_000_000


class Process:
    """One process of several."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        replica = a_replica(database, self.clock)
        self.registrar, self.custodian = replica.registrar, replica.custodian

    async def reasons(self, *posts: tuple[int, ...]) -> list[str]:
        return names((await self.registrar.check(a_question(), a_batch(*posts))).reasons)

    async def reasons_at_last(self, *posts: tuple[int, ...]) -> list[str]:
        """Each session that was lost may cost a try."""
        for _ in range(5):
            with contextlib.suppress(Refusal):
                return await self.reasons(*posts)
        return await self.reasons(*posts)

    async def deny(self, subject_id: int, request: int) -> int:
        """Its revision."""
        recorded = await self.registrar.record(a_draft(Stance.DENY, subject_id), a_key(request))
        return recorded.outcome.revision.number

    async def session(self) -> int:
        """Of the one that writes."""
        return await self.database.write(
            lambda c: int(c.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        )


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.copy_of("consent_database_at", lambda url: consent_database_at(url).close_now())


@pytest_asyncio.fixture
async def here(url: str) -> AsyncIterator[Process]:
    process = Process(consent_database_at(url))
    await process.registrar.import_subjects(facts_rows(7, 8), a_key(100))
    await process.registrar.publish(a_policy_draft(NOON_US), a_key(101))
    yield process
    await process.database.close()


@pytest_asyncio.fixture
async def there(url: str, here: Process) -> AsyncIterator[Process]:
    process = Process(consent_database_at(url))
    assert await here.reasons((7,), (8,)) == await process.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]
    yield process
    await process.database.close()


async def test_c9_a_choice_made_at_one_process_is_seen_by_the_next_check_at_the_other(
    here: Process, there: Process
) -> None:
    await here.deny(7, 1)
    seen_there = await there.reasons((7,), (8,))
    await there.deny(8, 2)

    assert seen_there == ["CHOICE_DENIES", "ALLOWED"]
    assert await here.reasons((7,), (8,)) == ["CHOICE_DENIES", "CHOICE_DENIES"]


async def test_c9_choices_and_checks_at_all_processes_at_once_never_show_an_older_answer(
    here: Process, there: Process
) -> None:
    who = range(1_000, 1_060)
    await here.registrar.import_subjects(facts_rows(*who), a_key(1))
    processes = (here, there)
    stale: list[int] = []

    async def choose_and_check(number: int) -> None:
        await processes[number % 2].deny(number, number)
        if await processes[(number + 1) % 2].reasons((number,)) != ["CHOICE_DENIES"]:
            stale.append(number)

    await asyncio.gather(*map(choose_and_check, who))

    assert stale == []


async def test_revisions_given_at_several_processes_are_distinct_and_leave_none_out(
    here: Process, there: Process
) -> None:
    first = await here.deny(7, 1)

    given = await asyncio.gather(*((here, there)[number % 2].deny(7, 10 + number) for number in range(40)))

    assert sorted(given) == list(range(first + 1, first + 41))


async def test_a_request_that_reaches_two_processes_at_once_is_recorded_once(
    here: Process, there: Process
) -> None:
    first, second = await asyncio.gather(here.deny(7, 1), there.deny(7, 1))

    assert first == second


async def test_c12_a_halt_ordered_at_one_process_stops_the_next_check_at_the_other(
    here: Process, there: Process
) -> None:
    await here.custodian.order_halt(a_halt_order(), a_key(1))

    assert await there.reasons((7,)) == ["HALTED"]


async def test_c3_a_policy_that_is_due_at_several_processes_is_activated_once(
    here: Process, there: Process
) -> None:
    at_us = NOON_US + SECOND_US
    await here.registrar.publish(a_policy_draft(at_us, Regime.PROHIBITED), a_key(1))
    for process in (here, there):
        process.clock.advance(SECOND_US)

    answers = await asyncio.gather(*(process.reasons((7,)) for process in (here, there) * 3))

    newest, _ = await here.registrar.policies(None, 10)
    assert answers == [["PROHIBITED"]] * 6
    assert newest.activation is not None
    # The two subjects, two announcements and the first activation came before.
    assert newest.activation.revision == 6


async def test_c3_a_process_whose_clock_is_behind_goes_by_what_another_has_activated(
    here: Process, there: Process
) -> None:
    await here.registrar.publish(a_policy_draft(NOON_US + SECOND_US, Regime.PROHIBITED), a_key(1))
    before = await there.reasons((7,))

    here.clock.advance(SECOND_US)
    await here.reasons((7,))

    assert before == ["ALLOWED"]
    assert await there.reasons((7,)) == ["PROHIBITED"]


async def test_c3_what_one_process_has_retracted_no_other_activates(here: Process, there: Process) -> None:
    await here.registrar.publish(a_policy_draft(NOON_US + SECOND_US, Regime.PROHIBITED), a_key(1))
    before = await there.reasons((7,))

    # Here the time has not come yet, there it has.
    there.clock.advance(SECOND_US)
    await here.registrar.retract(2, a_key(2))
    answers = await asyncio.gather(*(process.reasons((7,)) for process in (here, there) * 3))

    newest, _ = await here.registrar.policies(None, 10)
    assert before == ["ALLOWED"]
    assert answers == [["ALLOWED"]] * 6
    assert newest.activation is None


async def test_c10_a_process_that_lost_its_session_goes_on_with_the_next_one(
    here: Process, there: Process, postgres: PostgresServer
) -> None:
    pid = await here.session()
    await asyncio.to_thread(postgres.execute, f"SELECT pg_terminate_backend({pid}, 10000)")

    await there.deny(7, 1)
    seen = await here.reasons((7,), (8,))
    await here.deny(8, 2)

    assert seen == ["CHOICE_DENIES", "ALLOWED"]
    assert await there.reasons((8,)) == ["CHOICE_DENIES"]


async def test_c10_while_the_database_is_out_of_reach_nobody_is_answered(
    here: Process, postgres: PostgresServer, url: str
) -> None:
    name = url.rpartition("/")[2]
    before = await here.reasons((7,))

    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    with pytest.raises(Refusal) as checked:
        await here.reasons((7,))
    with pytest.raises(Refusal) as recorded:
        await here.deny(7, 1)
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    after = await here.reasons_at_last((7,))

    assert (before, after) == (["ALLOWED"], ["ALLOWED"])
    assert checked.value.reason == recorded.value.reason == "DATABASE_UNAVAILABLE"
