"""C9 and C11: what a subject with a long history costs others, and that nothing is lost by saving it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from sqlalchemy import Connection

from services.chassis.database import Database
from services.consent.domain.choices import Stance
from services.consent.domain.outcomes import Imported
from services.consent.storage.custody import SqlCustody
from services.consent.storage.register import SqlRegister
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import a_draft, a_key, facts_rows
from tests.support.consent_shelf import SqlShelf

T = TypeVar("T")

LONG = 2_000
STEPS_AT_ONCE = 50


class Counting:
    """A SQLite database that counts the steps of its virtual machine, whatever else the computer does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.steps = 0

    async def read(self, query: Callable[[Connection], T], **options: bool) -> T:
        return await self._database.read(self._counted(query), **options)

    async def write(self, unit: Callable[[Connection], T]) -> T:
        return await self._database.write(self._counted(unit))

    def _counted(self, unit: Callable[[Connection], T]) -> Callable[[Connection], T]:
        def counted(connection: Connection) -> T:
            driver: Any = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.set_progress_handler(self._count, STEPS_AT_ONCE)
            try:
                return unit(connection)
            finally:
                driver.set_progress_handler(None, 0)

        return counted

    def _count(self) -> int:
        self.steps += STEPS_AT_ONCE
        return 0


async def a_long_history(shelf: SqlShelf, subject_id: int = 7) -> None:
    """A subject who changes their mind again and again."""
    rows = [
        (number, a_draft(Stance(1 + number % 2), subject_id, claimed_us=NOON_US - LONG + number))
        for number in range(1, LONG + 1)
    ]
    imported = await shelf.register.import_choices(rows, a_key(500 + subject_id), NOON_US)
    assert imported.accepted == LONG


@pytest.mark.parametrize("what", ["standing", "known now", "import"])
async def test_c9_a_long_history_costs_no_more_than_a_short_one(tmp_path: Path, what: str) -> None:
    shelf = SqlShelf(f"sqlite:///{tmp_path / 'consent.db'}")
    await shelf.register.import_subjects(facts_rows(7, 8), a_key(1), NOON_US)
    await a_long_history(shelf, 7)
    await shelf.register.record(a_draft(Stance.DENY, 8), a_key(2), NOON_US)
    steps = []

    for subject_id in (7, 8):
        counting = Counting(shelf.database)
        database = cast("Database", counting)
        if what == "standing":
            await SqlCustody(database, ManualClock()).standing(subject_id)
        elif what == "known now":
            await SqlCustody(database, ManualClock()).known_now(subject_id)
        else:
            rows = [(1, a_draft(Stance.DENY, subject_id, licensee="acme", claimed_us=NOON_US))]
            await SqlRegister(database, ManualClock()).import_choices(rows, a_key(10 + subject_id), NOON_US)
        steps.append(counting.steps)
    await shelf.close()

    assert steps[0] <= steps[1] + LONG // 4


async def test_the_choice_that_stands_after_a_long_history_is_the_last_one(archive: SqlShelf) -> None:
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    await a_long_history(archive)

    _, standing, head = await archive.custody.standing(7)

    assert [(each.revision, each.stance) for each in standing] == [(LONG + 1, Stance.ALLOW)]
    assert head.number == LONG + 1


async def test_c1_a_page_of_a_long_history_that_comes_again_changes_nothing(archive: SqlShelf) -> None:
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    rows = [
        (number, a_draft(Stance(1 + number % 2), 7, claimed_us=NOON_US - LONG + number))
        for number in range(1, LONG + 1)
    ]
    await archive.register.import_choices(rows, a_key(2), NOON_US)

    again = await archive.register.import_choices(
        [*rows, (LONG + 1, a_draft(Stance.DENY, 7, claimed_us=NOON_US, purpose=1))], a_key(3), NOON_US
    )

    assert again == Imported(1, LONG, (), await archive.head())


async def test_c11_of_what_was_known_only_choices_that_could_matter_are_read(archive: SqlShelf) -> None:
    await archive.register.import_subjects(facts_rows(7), a_key(1), NOON_US)
    for request, (stance, licensee, claimed_us) in enumerate(
        [
            (Stance.DENY, "", 5),
            (Stance.DENY, "acme", 7),
            (Stance.ALLOW, "", 4),
            (Stance.ALLOW, "acme", 9),
            (Stance.DENY, "acme", 9),
            (Stance.DENY, "", 6),
        ],
        start=2,
    ):
        rows = [(1, a_draft(stance, 7, licensee=licensee, claimed_us=claimed_us))]
        await archive.register.import_choices(rows, a_key(request), NOON_US + request)

    async def known_at(at_us: int) -> list[int]:
        known, _ = await archive.custody.known(7, 0, at_us)
        return [choice.revision for choice in known.choices]

    assert await known_at(NOON_US + 1) == []
    assert await known_at(NOON_US + 4) == [2, 3, 4]
    assert await known_at(NOON_US + 5) == [2, 4, 5]
    # The same scope at the same time: which of them counts is for the rules to say.
    assert await known_at(NOON_US + 7) == [5, 6, 7]
