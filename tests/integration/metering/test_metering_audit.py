"""AuditUsage over gRPC: every broken sum is named, and nothing else is (M2, M5, M7)."""

import asyncio
import contextlib
import random

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.metering.domain.windows import HOUR_US
from services.metering.storage import auditing
from services.metering.storage.auditing import CHECKS
from services.metering.storage.projecting import SqlProjections
from sluice.metering.v1 import usage_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.metering import an_id
from tests.support.metering_usage import UsageCaller, an_access
from tests.support.words import Blockade

BOOKED = "Each reservation: what it holds and has settled, by content = its entries in each account"
OF_PARTY = "(SELECT id FROM accounts WHERE scope = 2)"
OF_LICENSE = "(SELECT id FROM accounts WHERE scope = 1)"
POSTS = "kind 1 with media 0 by access 3"


async def a_few_counts(call: UsageCaller, database: Database) -> None:
    """Four reservations of one time: two settled alike, one held, one cancelled; two accesses seen."""
    await call.move("acme", "red", 0)
    for n in (1, 2):
        await call.reserve(n, 5)
        await call.settle(n, 3)
    await call.reserve(3, 7)
    await call.reserve(4, 5)
    await call.cancel(4)
    await call.report(an_access("a", posts=2, reservation_id=an_id(1)), an_access("b", NOON_US - 1))
    while await SqlProjections(database).advance():
        pass


def at_noon(account: str) -> str:
    return f"{account} at {NOON_US}"


def entry_of(n: int, order: str, account: str = OF_PARTY) -> str:
    """Where the entry that made a hold is, or that ended it."""
    made = f"(SELECT number FROM reservations WHERE reservation_id = '{an_id(n)}')"
    if order == "made":
        return f"account_id = {account} AND number = {made}"
    return f"account_id = {account} AND number = {made} + 1"


DOCTORED: dict[str, tuple[str, str, list[tuple[str, ...]]]] = {
    "freed": (
        f"UPDATE reservations SET posts_freed = 9 WHERE reservation_id = '{an_id(1)}'",
        "Each reservation: reserved = still held + settled + freed",
        [(f"reservation {an_id(1)}", "5", "12")],
    ),
    "tally": (
        f"UPDATE tallies SET used = used + 1 WHERE account_id = {OF_LICENSE}",
        "Each window: used and held = the sums of its entries",
        [("license license-1, window of 86400000000 us", "6 used, 7 held", "7 used, 7 held")],
    ),
    "entry of a party": (
        f"UPDATE entries SET used = used + 1 WHERE {entry_of(1, 'made')}",
        "Each party's entries = its reservations",
        [(at_noon("licensee acme"), "6 used, 7 held", "7 used, 7 held")],
    ),
    "entry of a group": (
        "UPDATE entries SET held = held - 1 WHERE "
        + entry_of(3, "made", "(SELECT id FROM accounts WHERE scope = 3)"),
        "Each group's entries = the reservations of its parties",
        [(at_noon("group red"), "6 used, 7 held", "6 used, 6 held")],
    ),
    "entry of a license": (
        f"DELETE FROM entries WHERE {entry_of(3, 'made', OF_LICENSE)}",
        "Each license's entries = its reservations",
        [(at_noon("license license-1"), "6 used, 7 held", "6 used, 0 held")],
    ),
    "content": (
        f"UPDATE entries SET counts = '[[1,0,6]]' WHERE {entry_of(3, 'made')}",
        "Each entry: its kinds of content add up to its posts",
        [("entry NUMBER of licensee acme", "7", "6")],
    ),
    "sighting": (
        "UPDATE sightings SET posts = 3 WHERE id = 'id:b'",
        "Accesses seen elsewhere, without what receipts absorbed = their entries",
        [(f"seen acme at {NOON_US - 1}", "3 used, 0 held", "1 used, 0 held")],
    ),
    "absorbed too little": (
        "UPDATE sightings SET absorbed = 0 WHERE id = 'id:a'",
        "Each receipt absorbs what was settled under it, as far as it is shown",
        [(f"reservation {an_id(1)} of party acme", "2", "0")],
    ),
    "absorbed in all": (
        "UPDATE absorptions SET posts = 3",
        "Each receipt: what it has absorbed in all = that of the accesses that show it",
        [(f"reservation {an_id(1)}", "2", "3")],
    ),
    "absorbed by none": (
        "UPDATE sightings SET absorbed = 1 WHERE id = 'id:b'",
        "Each receipt absorbs what was settled under it, as far as it is shown",
        [("reservation of none of party acme", "0", "1")],
    ),
    "second": (
        f"UPDATE projections SET posts = posts + 1 WHERE account_id = {OF_PARTY} AND span_us = 1000000",
        "Each second, minute and hour = the sum of its entries",
        [(f"licensee acme, 1000000 us from {NOON_US} on, {POSTS}", "13", "14")],
    ),
    "hour that is gone": (
        f"DELETE FROM projections WHERE account_id = {OF_PARTY} AND span_us = 3600000000",
        "Each second, minute and hour = the sum of its entries",
        [(f"licensee acme, 3600000000 us from {NOON_US // HOUR_US * HOUR_US} on, {POSTS}", "13", "0")],
    ),
    "settled as other content": (
        f"UPDATE reservations SET settled = '[[2,0,3]]' WHERE reservation_id = '{an_id(2)}'",
        BOOKED,
        [
            (f"reservation {an_id(2)}: {content} in {account}", *sides)
            for account in ("license license-1", "licensee acme", "group red")
            for content, *sides in ((POSTS, "0", "3"), ("kind 2 with media 0 by access 3", "3", "0"))
        ],
    ),
    "held as other content": (
        f"UPDATE reservations SET held = '[[1,2,7]]' WHERE reservation_id = '{an_id(3)}'",
        BOOKED,
        [
            (f"reservation {an_id(3)}: {content} in {account}", *sides)
            for account in ("license license-1", "licensee acme", "group red")
            for content, *sides in ((POSTS, "0", "7"), ("kind 1 with media 2 by access 3", "7", "0"))
        ],
    ),
    "entry of other content": (
        f"UPDATE entries SET counts = '[[4,0,7]]' WHERE {entry_of(3, 'made')}",
        BOOKED,
        [
            (f"reservation {an_id(3)}: {POSTS} in licensee acme", "7", "0"),
            (f"reservation {an_id(3)}: kind 4 with media 0 by access 3 in licensee acme", "0", "7"),
        ],
    ),
    "ending of other content": (
        f"UPDATE entries SET counts = '[[1,0,-1]]' WHERE {entry_of(2, 'ended')}",
        BOOKED,
        [(f"reservation {an_id(2)}: {POSTS} in licensee acme", "3", "4")],
    ),
    "settled in full after all": (
        "UPDATE reservations SET settled = held, posts_settled = 5, posts_freed = 0"
        f" WHERE reservation_id = '{an_id(1)}'",
        BOOKED,
        [
            (f"reservation {an_id(1)}: {what} in {account}", "5", "3")
            for account in ("license license-1", "licensee acme", "group red")
            for what in (POSTS, "posts used")
        ],
    ),
    "held after all": (
        f"UPDATE reservations SET state = 1, posts_freed = 0 WHERE reservation_id = '{an_id(4)}'",
        BOOKED,
        [
            (f"reservation {an_id(4)}: {what} in {account}", "5", "0")
            for account in ("license license-1", "licensee acme", "group red")
            for what in (POSTS, "posts held")
        ],
    ),
    "ending that is gone": (
        f"DELETE FROM entries WHERE {entry_of(4, 'ended')}",
        BOOKED,
        [
            (f"reservation {an_id(4)}: {POSTS} in licensee acme", "0", "5"),
            (f"reservation {an_id(4)}: posts held in licensee acme", "0", "5"),
        ],
    ),
    "other group": (
        f"UPDATE reservations SET group_id = 'blue' WHERE reservation_id = '{an_id(3)}'",
        BOOKED,
        [
            (f"reservation {an_id(3)}: {POSTS} in an account that is not there", "7", "0"),
            (f"reservation {an_id(3)}: posts held in an account that is not there", "7", "0"),
            (f"reservation {an_id(3)}: {POSTS} in group red", "0", "7"),
            (f"reservation {an_id(3)}: posts held in group red", "0", "7"),
        ],
    ),
}


@pytest.mark.parametrize("doctored", DOCTORED)
async def test_the_audit_names_the_one_row_that_does_not_add_up(
    call: UsageCaller, database: Database, doctored: str
) -> None:
    statement, check, differences = DOCTORED[doctored]
    await a_few_counts(call, database)
    assert await call.named_differences() == {}

    changed = await database.write(lambda connection: connection.execute(text(statement)).rowcount)

    assert changed == 1
    number = await database.read(lambda connection: connection.execute(text(LATEST_HOLD)).scalar_one())
    found = (await call.named_differences())[check]
    told = [(subject.replace("NUMBER", str(number)), *sides) for subject, *sides in differences]
    assert sorted(found) == sorted(told)


LATEST_HOLD = f"SELECT number FROM reservations WHERE reservation_id = '{an_id(3)}'"


async def test_each_check_is_told_as_it_starts_and_when_it_is_done(
    call: UsageCaller, database: Database
) -> None:
    await a_few_counts(call, database)

    async with call.peer.open(call.usage.AuditUsage, pb.AuditUsageRequest()) as stream:
        answers = [answer async for answer in stream]

    assert [(answer.check, answer.step) for answer in answers] == [
        (check, step) for check, _ in CHECKS for step in (pb.AUDIT_STEP_STARTED, pb.AUDIT_STEP_DONE)
    ]
    assert len({answer.revision.number for answer in answers}) == 1
    compared = {answer.check: answer.compared for answer in answers if answer.step == pb.AUDIT_STEP_DONE}
    assert compared[BOOKED] == 12
    assert all(answer.compared == 0 for answer in answers if answer.step == pb.AUDIT_STEP_STARTED)


async def test_a_check_is_told_while_the_next_is_at_work(
    call: UsageCaller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_few_counts(call, database)
    blockade = Blockade()
    monkeypatch.setattr(auditing, "CHECKS", (*CHECKS[:2], ("slow", blockade)))

    async with call.peer.open(call.usage.AuditUsage, pb.AuditUsageRequest()) as stream:
        answers = [await asyncio.wait_for(stream.receive(), 10) for _ in range(5)]
        blockade.open()

    assert [answer.step for answer in answers] == [1, 2, 1, 2, 1]
    assert answers[-1].check == "slow"


async def test_all_checks_are_of_one_moment(call: UsageCaller, database: Database) -> None:
    await a_few_counts(call, database)

    async with call.peer.open(call.usage.AuditUsage, pb.AuditUsageRequest()) as stream:
        answers = [await stream.receive()]
        # What breaks after the snapshot is for the next audit to find.
        await database.write(lambda connection: connection.execute(text("UPDATE reservations SET held='[]'")))
        answers += [await stream.receive() for _ in range(2 * len(CHECKS) - 1)]

    assert [answer.difference_count for answer in answers] == [0] * len(answers)
    assert set(await call.differences()) == {BOOKED}


async def test_a_caller_who_hangs_up_leaves_the_reader_to_the_next(
    call: UsageCaller, database: Database
) -> None:
    await a_few_counts(call, database)

    for _ in range(5):
        async with call.peer.open(call.usage.AuditUsage, pb.AuditUsageRequest()) as stream:
            await stream.receive()

    assert await asyncio.wait_for(call.named_differences(), 30) == {}


async def test_an_audit_while_reservations_run_finds_nothing(
    call: UsageCaller, database: Database, clock: ManualClock
) -> None:
    await call.move("acme", "red", 0)
    chance, done = random.Random(11), asyncio.Event()
    audits = 0

    async def work(first: int) -> None:
        for n in range(first, first + 25):
            party = chance.choice(("acme", "other"))
            await call.reserve(n, chance.randint(1, 9), party)
            clock.advance(chance.choice((0, 0, 1, 1_000_000)))
            if chance.random() < 0.3:
                with contextlib.suppress(Refusal):
                    await call.reduce(n, chance.randint(1, 5))
            if chance.random() < 0.7:
                with contextlib.suppress(Refusal):
                    # For more than is held in some cases, which changes nothing.
                    await call.settle(n, chance.randint(0, 5))
            await call.report(an_access(str(n), party_id=party, posts=2, reservation_id=an_id(n - 1)))
            await SqlProjections(database).advance()

    async def audit() -> None:
        nonlocal audits
        while not done.is_set():
            assert await call.named_differences() == {}
            audits += 1

    auditing = asyncio.create_task(audit())
    await asyncio.gather(*(work(1_000 * worker) for worker in range(1, 7)))
    done.set()
    await auditing

    assert audits > 1
    assert await call.named_differences() == {}
