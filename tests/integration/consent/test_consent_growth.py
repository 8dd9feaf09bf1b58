"""What one subject can make the database keep: their choices, and nothing that grows with each of them."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from sqlalchemy import func, select

from services.chassis.database import Database
from services.consent.domain.choices import Stance
from services.consent.domain.subjects import State
from services.consent.storage.tables import TABLES
from tests.support.clock import NOON_US
from tests.support.consent import SCHEMA, a_draft, a_key, consent_database, facts_rows, some_facts
from tests.support.consent_shelf import SqlShelf

_PROFILES, _STATES = TABLES["profiles"], TABLES["states"]
EVERYBODY = (7, 8, 9)


class Bench(SqlShelf):
    """A register over a file, and what it takes there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder / 'consent.db'}")
        self._keys = 0

    async def choose(self, stance: Stance, subject_id: int, licensee: str) -> None:
        self._keys += 1
        draft = a_draft(stance, subject_id, licensee=licensee)
        await self.register.record(draft, a_key(1_000 + self._keys), NOON_US)

    async def profiles(self) -> int:
        return await self.database.read(
            lambda c: c.execute(select(func.count()).select_from(_PROFILES)).scalar_one()
        )

    async def bytes(self) -> int:
        """Of what is derived from the choices: profiles and states."""
        profiles = select(func.sum(func.length(_PROFILES.c.content)))
        states = select(func.sum(func.length(_STATES.c.choices)))
        return await self.database.read(
            lambda c: int(c.execute(profiles).scalar_one()) + int(c.execute(states).scalar_one())
        )


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.register.import_subjects(facts_rows(*EVERYBODY), a_key(1), NOON_US)
    await bench.put_in_force()
    yield bench
    await bench.close()


async def test_n_choices_of_one_subject_keep_storage_in_proportion_to_n(bench: Bench) -> None:
    before = await bench.bytes()

    for number in range(100):
        await bench.choose(Stance.DENY, 7, f"licensee-{number}")

    # One profile for the subject and one for the two others, and at most 100 bytes a choice in both places.
    assert await bench.profiles() == 2
    assert await bench.bytes() - before <= 100 * 100


async def test_choosing_again_and_again_leaves_nothing_behind(bench: Bench) -> None:
    await bench.choose(Stance.DENY, 7, "acme")
    once = await bench.bytes()

    for number in range(20):
        await bench.choose(Stance(1 + number % 2), 7, "acme")

    assert await bench.profiles() == 2
    assert await bench.bytes() <= once + 20


async def test_a_profile_lasts_as_long_as_a_subject_has_it(bench: Bench) -> None:
    await bench.choose(Stance.DENY, 7, "acme")
    await bench.choose(Stance.DENY, 8, "acme")
    shared = await bench.profiles()

    await bench.choose(Stance.ALLOW, 7, "acme")
    moved = await bench.profiles()
    await bench.choose(Stance.ALLOW, 8, "acme")

    assert (shared, moved, await bench.profiles()) == (2, 3, 2)
    assert await bench.reasons((7,), (8,), (9,)) == ["ALLOWED"] * 3


async def test_facts_that_change_leave_no_profile_behind(bench: Bench) -> None:
    for number, states in enumerate((State.SUSPENDED, State.DELETED, State.MINOR)):
        rows = facts_rows(*EVERYBODY, facts=some_facts(states=states))
        await bench.register.import_subjects(rows, a_key(10 + number), NOON_US)

    assert await bench.profiles() == 1
    assert await bench.reasons((7,), (8,), (9,)) == ["SUBJECT_MINOR"] * 3


async def test_the_id_of_a_profile_is_never_given_again(bench: Bench) -> None:
    async def ids() -> set[int]:
        return await bench.database.read(lambda c: set(c.scalars(select(_PROFILES.c.profile_id))))

    given = await ids()
    for number in range(10):
        await bench.choose(Stance(1 + number % 2), 7 + number % 3, f"licensee-{number % 4}")
        fresh = await ids() - given
        assert all(each > max(given) for each in fresh)
        given |= fresh

    assert len(given) > 10


async def test_an_index_that_followed_and_one_that_starts_know_the_same_profiles(bench: Bench) -> None:
    denied = []
    for stance, who, licensee in (
        (Stance.DENY, 7, "acme"),
        (Stance.ALLOW, 7, "acme"),
        (Stance.DENY, 8, "other"),
    ):
        await bench.choose(stance, who, licensee)
        denied.append(await bench.reasons((7,), (8,), (9,)))
    posts = (7,), (8,), (9,)
    followed = {licensee: await bench.reasons(*posts, licensee=licensee) for licensee in ("acme", "other")}

    await bench.reopen()

    assert denied[0] == ["CHOICE_DENIES", "ALLOWED", "ALLOWED"]
    assert followed == {"acme": ["ALLOWED"] * 3, "other": ["ALLOWED", "CHOICE_DENIES", "ALLOWED"]}
    assert {licensee: await bench.reasons(*posts, licensee=licensee) for licensee in followed} == followed


def test_profiles_that_an_earlier_release_left_behind_are_dropped(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    shutil.copy(SCHEMA / "versions" / "0001_consent.py", earlier / "versions")
    database = Database.open(f"sqlite:///{tmp_path / 'consent.db'}", schema_dir=earlier, name="consent")
    for number in (1, 2, 3):
        execute(database, f"INSERT INTO profiles VALUES ({number}, '[null,[],[[\"{number}\"]]]')")
    execute(database, "INSERT INTO states VALUES (7, 2, '[]', NULL)")
    database.close_now()

    database = consent_database(tmp_path)
    left = database.read_now(lambda c: c.scalars(select(_PROFILES.c.profile_id)).all())
    database.close_now()

    # The ids of an earlier release are turned out of the way of new ones.
    assert left == [-2]


def execute(database: Database, statement: str) -> None:
    database.write_now(lambda connection: connection.exec_driver_sql(statement))
