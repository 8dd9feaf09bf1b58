"""Recalls are issued when their interval is over, and overdue when their time is (W2, W3)."""

import json
from typing import Any

import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.licensing.business_days import is_business_day
from services.licensing.contracts import ContractDesk
from services.licensing.domain.answers import Revision
from services.licensing.domain.licenses import LicenseState
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.recalls.recalls import RecallState
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal
from services.licensing.domain.terms import Purpose, digest_of
from services.licensing.issuing import Issuer, Pace, Standing
from services.licensing.storage.contracts import ContractStore
from services.licensing.storage.recalls import RecallStore
from tests.support import recall_worlds as world
from tests.support.clock import NOON_US, ManualClock
from tests.support.indexed import Post

ALL = frozenset(int(purpose) for purpose in Purpose)
MINUTE_US = 60 * world.SECOND_US
DAY_US = 1_440 * MINUTE_US
MIDNIGHT_US = NOON_US - NOON_US % DAY_US
"""With which the day of the tests begins."""
SUSPENDING = Obligations(2, True, suspend_when_overdue=True)


class Office:
    """Licensees with releases, a process that recalls, and one that issues."""

    def __init__(self, database: Database, obligations: Obligations) -> None:
        world.add_contracts(database, obligations=obligations)
        for contract in world.CONTRACTS:
            world.record(database, world.Sent((Post(1, 100),), contract, 1, NOON_US))
        self.database, self.clock, self.stream = database, ManualClock(NOON_US), world.Stream()
        self.shown: list[Standing] = []
        self.process = world.Process(RecallStore(database), self.stream, self.clock)
        pace = Pace(interval_us=MINUTE_US, default_days=30)
        self.issuer = Issuer(RecallStore(database), self.clock, is_business_day, pace, show=self.shown.append)

    async def withdraw(self, revision: int, licensee_id: str = "") -> None:
        """Author 100 withdraws."""
        purposes = ALL
        now_us = self.clock.now_us()
        self.stream.withdrawals.append(
            Withdrawal(Revision(1, revision), Cause.CHOICE, now_us, 100, 0, licensee_id, purposes)
        )
        await self.process.finish()

    def recalls(self) -> dict[str, list[Any]]:
        """By licensee, in the order of numbers."""
        found: dict[str, list[Any]] = {}
        for row in sorted(world.recalls(self.database), key=lambda row: row.number or 2**62):
            found.setdefault(row.licensee_id, []).append(row)
        return found

    async def state_of(self, license_id: str) -> LicenseState:
        license = await ContractDesk(ContractStore(self.database), self.clock).current(license_id)
        return license.state


async def test_a_recall_is_issued_when_its_interval_is_over_and_what_comes_later_is_in_the_next(
    database: Database,
) -> None:
    office = Office(database, Obligations(30, True))
    await office.withdraw(2)
    office.clock.advance(MINUTE_US - 1)
    await office.issuer.look()
    await office.withdraw(3)
    assert [row.state for row in world.recalls(database)] == [RecallState.COLLECTING] * 2

    office.clock.advance(1)
    await office.issuer.look()
    await office.withdraw(4, licensee_id="acme")

    first, second = office.recalls()["acme"]
    assert (first.state, first.withdrawals, first.posts) == (RecallState.ISSUED, 2, 2)
    assert (first.issued_at_us, first.due_at_us) == (NOON_US + MINUTE_US, MIDNIGHT_US + 31 * DAY_US)
    assert (second.state, second.number, second.withdrawals) == (RecallState.COLLECTING, None, 1)
    (other,) = office.recalls()["beta"]
    assert {first.number, other.number} == {1, 2}


async def test_a_recall_of_several_licenses_is_due_by_the_strictest_of_them(database: Database) -> None:
    office = Office(database, Obligations(30, True))
    strict = world.Contract("acme-strict", "acme")
    world.add_license_to(database, strict, obligations=Obligations(3, True))
    world.record(database, world.Sent((Post(9, 100),), strict, 1, NOON_US))

    await office.withdraw(2)
    office.clock.advance(MINUTE_US)
    await office.issuer.look()

    assert {row.licensee_id: row.due_at_us for row in world.recalls(database)} == {
        "acme": MIDNIGHT_US + 4 * DAY_US,
        "beta": MIDNIGHT_US + 31 * DAY_US,
    }


async def issued_and_left(office: Office) -> None:
    """A recall is issued, and its time runs out."""
    await office.withdraw(2, licensee_id="acme")
    office.clock.advance(MINUTE_US)
    await office.issuer.look()
    office.clock.advance(3 * DAY_US)
    await office.issuer.look()


async def test_an_overdue_recall_suspends_the_licenses_that_say_so_and_says_why(database: Database) -> None:
    office = Office(database, SUSPENDING)

    await issued_and_left(office)

    (recall,) = office.recalls()["acme"]
    assert (recall.state, recall.overdue_at_us) == (RecallState.OVERDUE, office.clock.now_us())
    assert await office.state_of("acme-world") is LicenseState.SUSPENDED
    assert await office.state_of("beta-us") is LicenseState.ACTIVE
    desk = ContractDesk(ContractStore(database), office.clock)
    line = (await desk.history("acme-world", 1_000, 1))[0]
    assert (line.change.by, line.change.reason) == ("system", f"recall {recall.recall_id} is overdue")
    assert line.state is LicenseState.SUSPENDED


async def test_an_overdue_recall_suspends_nothing_where_no_license_says_so(
    database: Database,
) -> None:
    office = Office(database, Obligations(2, True))

    await issued_and_left(office)

    assert [row.state for row in office.recalls()["acme"]] == [RecallState.OVERDUE]
    assert await office.state_of("acme-world") is LicenseState.ACTIVE


async def test_a_recall_that_was_resolved_in_time_is_never_overdue(database: Database) -> None:
    office = Office(database, SUSPENDING)
    await office.withdraw(2, licensee_id="acme")
    office.clock.advance(MINUTE_US)
    await office.issuer.look()
    world.resolve_all(database)

    office.clock.advance(9 * DAY_US)
    await office.issuer.look()

    assert [row.state for row in office.recalls()["acme"]] == [RecallState.DELETED]
    assert await office.state_of("acme-world") is LicenseState.ACTIVE


async def test_a_recall_is_overdue_once_and_suspends_nothing_again_after_a_resumption(
    database: Database,
) -> None:
    office = Office(database, SUSPENDING)
    await issued_and_left(office)
    world.resume(database, "acme-world", office.clock.now_us())
    office.clock.advance(DAY_US)

    assert not await office.issuer.look()

    assert await office.state_of("acme-world") is LicenseState.ACTIVE


def say_more_than_is_understood(database: Database, *tables: str) -> None:
    """Terms of all licenses get a restriction of a later program, under a digest that is right."""

    def unit(connection: Connection) -> None:
        for table in tables:
            for (terms,) in connection.execute(text(f"SELECT DISTINCT terms FROM {table}")).all():
                document = json.dumps(
                    json.loads(terms) | {"embargo_days": 30}, sort_keys=True, separators=(",", ":")
                )
                connection.execute(
                    text(f"UPDATE {table} SET terms = :new, terms_digest = :digest WHERE terms = :old"),
                    {"new": document, "digest": digest_of(document.encode()), "old": terms},
                )

    database.write_now(unit)


async def test_l2_what_went_under_terms_that_are_not_understood_is_due_in_one_day(
    database: Database,
) -> None:
    office = Office(database, Obligations(30, True))
    say_more_than_is_understood(database, "license_versions")

    await office.withdraw(2)
    office.clock.advance(MINUTE_US)
    await office.issuer.look()

    assert {row.licensee_id: row.due_at_us for row in world.recalls(database)} == {
        "acme": MIDNIGHT_US + 2 * DAY_US,
        "beta": MIDNIGHT_US + 2 * DAY_US,
    }


@pytest.mark.parametrize("tables", [("licenses",), ("licenses", "license_versions")])
async def test_l2_an_overdue_recall_suspends_nothing_by_terms_that_are_not_understood(
    database: Database, tables: tuple[str, ...]
) -> None:
    office = Office(database, SUSPENDING)
    say_more_than_is_understood(database, *tables)

    await issued_and_left(office)

    assert [row.state for row in office.recalls()["acme"]] == [RecallState.OVERDUE]
    assert await office.state_of("acme-world") is LicenseState.ACTIVE
    assert await office.state_of("acme-de") is LicenseState.ACTIVE
