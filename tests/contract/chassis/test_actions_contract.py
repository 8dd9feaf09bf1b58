"""The log of actions in the databases of the three services, on either engine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, Table, text

from services.chassis.action_pages import ActionPage, Wanted
from services.chassis.action_rows import MOST_CHARACTERS, SqlActions, forget_subject
from services.chassis.actions import ActionHead, Begun, ChainCheck, Ended, Entry, Fault, Outcome
from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.consent.storage.tables import ACTIONS as OF_CONSENT
from services.licensing.storage.action_tables import ACTIONS as OF_LICENSING
from services.metering.schema.tables import ACTIONS as OF_METERING
from tests.support.actions import a_begun, a_begun_of, a_caller
from tests.support.clock import NOON_US, ManualClock
from tests.support.engines import ENGINES, SERVICES, url_on

TABLES: dict[str, Table] = {"consent": OF_CONSENT, "metering": OF_METERING, "licensing": OF_LICENSING}
EVERYTHING = Wanted(limit=1_000, oldest_first=True)


@dataclass
class Log:
    """A log, its database, and what opens another process's connections to it."""

    actions: SqlActions
    database: Database
    url: str
    clock: ManualClock
    service: str

    async def entries(self) -> tuple[Entry, ...]:
        return (await self.actions.page(EVERYTHING)).entries

    async def page(self, limit: int = 100, **wanted: object) -> ActionPage:
        return await self.actions.page(Wanted(limit, **wanted))  # type: ignore[arg-type]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(params=TABLES)
async def log(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> AsyncIterator[Log]:
    service = str(request.param)
    url = url_on(engine, request, tmp_path, SERVICES[service])
    database, clock = SERVICES[service](url), ManualClock()
    yield Log(SqlActions(database, TABLES[service], clock), database, url, clock, service)
    await database.close()


async def change(log: Log, statement: str) -> None:
    def unit(connection: Connection) -> None:
        connection.execute(text(statement))

    await log.database.write(unit)


def fault_in(page: ActionPage) -> object:
    check = ChainCheck()
    for entry in page.entries:
        check.add(entry)
    return check.finish(page.head)


async def test_entries_are_numbered_without_gaps_and_chained_however_many_come_at_once(log: Log) -> None:
    async def act(number: int) -> int:
        action = await log.actions.begin(a_caller(f"operator-{number}"), a_begun(str(number)))
        await log.actions.end(action, a_caller(f"operator-{number}"), Ended(Outcome.DONE))
        return action

    actions = await asyncio.gather(*map(act, range(40)))
    page = await log.actions.page(EVERYTHING)

    assert [entry.number for entry in page.entries] == list(range(1, 81))
    assert sorted(actions) == [entry.number for entry in page.entries if isinstance(entry.what, Begun)]
    assert fault_in(page) is None
    assert page.head == ActionHead(80, page.entries[-1].digest())


async def test_an_entry_is_read_as_it_was_written(log: Log) -> None:
    ended = Ended(Outcome.REFUSED, "HALT_UNKNOWN", 3, 2)

    action = await log.actions.begin(a_caller(), a_begun("Grüße"))
    log.clock.advance(5)
    await log.actions.end(action, a_caller(), ended)

    first, second = await log.entries()
    assert (first.at_us, first.action, first.caller, first.what) == (
        NOON_US,
        action,
        a_caller(),
        a_begun("Grüße"),
    )
    assert (second.at_us, second.action, second.what) == (NOON_US + 5, action, ended)


async def test_an_entry_is_never_earlier_than_the_one_before_whatever_the_clock_says(log: Log) -> None:
    await log.actions.begin(a_caller(), a_begun())
    log.clock.advance(-1_000_000)
    await log.actions.begin(a_caller(), a_begun())

    assert [entry.at_us for entry in await log.entries()] == [NOON_US, NOON_US]


async def test_pages_go_both_ways_and_every_entry_is_on_one(log: Log) -> None:
    for _ in range(7):
        await log.actions.begin(a_caller(), a_begun())

    for oldest_first, numbers in ((True, [1, 2, 3, 4, 5, 6, 7]), (False, [7, 6, 5, 4, 3, 2, 1])):
        found: list[int] = []
        beyond, has_more = None, True
        while has_more:
            page = await log.page(3, beyond=beyond, oldest_first=oldest_first)
            found += [entry.number for entry in page.entries]
            beyond, has_more = found[-1], page.has_more
        assert found == numbers


async def test_entries_are_found_by_operator_by_rpc_and_by_time(log: Log) -> None:
    for operator, method in (("ada", "a.S/X"), ("bob", "a.S/X"), ("ada", "a.S/Y")):
        action = await log.actions.begin(a_caller(operator, method), a_begun())
        log.clock.advance(10)
        await log.actions.end(action, a_caller(operator, method), Ended(Outcome.DONE))

    async def numbers(**wanted: object) -> list[int]:
        return [entry.number for entry in (await log.page(**wanted)).entries]  # type: ignore[arg-type]

    assert await numbers(operator="ada") == [6, 5, 2, 1]
    assert await numbers(method="a.S/X") == [4, 3, 2, 1]
    assert await numbers(operator="ada", method="a.S/Y") == [6, 5]
    assert await numbers(since_us=NOON_US + 20) == [6, 5, 4]
    assert await numbers(operator="nobody") == []


async def test_a_page_is_shorter_where_its_requests_are_long(log: Log) -> None:
    long = Begun("", "x" * (MOST_CHARACTERS // 2 + 1), b"", b"", 0, "")
    for _ in range(3):
        await log.actions.begin(a_caller(), long)

    page = await log.page()

    assert [entry.number for entry in page.entries] == [3]
    assert page.has_more


async def test_what_is_changed_in_the_table_or_deleted_from_it_is_found(log: Log) -> None:
    for _ in range(3):
        await log.actions.begin(a_caller(), a_begun())

    await change(log, "UPDATE actions SET reason = 'peace' WHERE number = 2")
    changed = fault_in(await log.actions.page(EVERYTHING))
    await change(log, "DELETE FROM actions WHERE number = 2")
    deleted = fault_in(await log.actions.page(EVERYTHING))

    assert changed == Fault(3, "it does not hold the digest of the entry before")
    assert deleted == Fault(2, "it is missing")


async def test_odd_text_in_an_entry_keeps_no_later_one_out(log: Log) -> None:
    await log.actions.begin(replace(a_caller(), roles=("\ud800", "\0")), a_begun())

    await log.actions.begin(a_caller(), a_begun())

    assert fault_in(await log.actions.page(EVERYTHING)) is None


async def test_c11_what_names_a_subject_is_forgotten_and_the_chain_holds(log: Log) -> None:
    largest = 2**64 - 1
    for subject_id in (largest, 7, largest):
        await log.actions.begin(a_caller(), a_begun_of(subject_id))

    await log.database.write(lambda c: forget_subject(c, TABLES[log.service], largest))

    page = await log.actions.page(EVERYTHING)
    assert [entry.what for entry in page.entries] == [
        a_begun_of(largest).forgotten(),
        a_begun_of(7),
        a_begun_of(largest).forgotten(),
    ]
    assert fault_in(page) is None


async def test_c11_of_whom_is_erased_no_request_is_kept_any_more(log: Log) -> None:
    actions = SqlActions(log.database, TABLES[log.service], log.clock, lambda _, subject_id: subject_id == 7)
    for subject_id in (7, 8):
        await actions.begin(a_caller(), a_begun_of(subject_id))

    page = await log.actions.page(EVERYTHING)
    assert [entry.what for entry in page.entries] == [a_begun_of(7).forgotten(), a_begun_of(8)]
    assert fault_in(page) is None


async def test_without_a_database_nothing_begins(log: Log) -> None:
    await log.database.close()

    with pytest.raises(Refusal, match="DATABASE_CLOSED"):
        await log.actions.begin(a_caller(), a_begun())


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_two_processes_write_one_chain(log: Log) -> None:
    other = SERVICES[log.service](log.url)
    both = (log.actions, SqlActions(other, TABLES[log.service], log.clock))

    await asyncio.gather(*(both[n % 2].begin(a_caller(), a_begun(str(n))) for n in range(40)))
    await other.close()

    page = await log.actions.page(EVERYTHING)
    assert [entry.number for entry in page.entries] == list(range(1, 41))
    assert fault_in(page) is None
