"""What one subject can make the database keep: their choices, and nothing that grows with each of them."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from sqlalchemy import func, insert, select

from services.chassis.database import Database
from services.consent.domain.choices import Stance
from services.consent.domain.subjects import State
from services.consent.freshness import Freshness
from services.consent.index import Index
from services.consent.storage.register import SqlRegister
from services.consent.storage.tables import TABLES
from tests.support.clock import NOON_US
from tests.support.consent import (
    SCHEMA,
    a_batch,
    a_draft,
    a_key,
    a_policy_draft,
    a_question,
    consent_database,
    names,
    some_facts,
)

_PROFILES, _STATES = TABLES["profiles"], TABLES["states"]


class Bench:
    """A register over a database, with the index that follows it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.index = Index(seed=7)
        self.register = SqlRegister(database, Freshness(self.index))
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

    def reasons(self, *subject_ids: int, licensee: str = "acme") -> list[str]:
        posts = a_batch(*((subject_id,) for subject_id in subject_ids))
        return names(self.index.view().reasons(a_question(licensee), posts))


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(consent_database(tmp_path))
    await bench.register.load()
    people = [(who, some_facts()) for who in (7, 8, 9)]
    await bench.register.import_subjects(people, a_key(1), NOON_US)
    await bench.register.publish(a_policy_draft(NOON_US), a_key(2), NOON_US)
    await bench.register.activate_due(NOON_US)
    yield bench
    await bench.database.close()


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
    assert bench.reasons(7, 8, 9) == ["ALLOWED"] * 3


async def test_facts_that_change_leave_no_profile_behind(bench: Bench) -> None:
    everybody = (7, 8, 9)

    for number, states in enumerate((State.SUSPENDED, State.DELETED, State.MINOR)):
        rows = [(who, some_facts(states=states)) for who in everybody]
        await bench.register.import_subjects(rows, a_key(10 + number), NOON_US)

    assert await bench.profiles() == 1
    assert bench.reasons(*everybody) == ["SUBJECT_MINOR"] * 3


async def test_an_id_that_another_profile_had_answers_for_the_new_one(bench: Bench) -> None:
    # The newest profile goes first, so that its id is free for the next.
    await bench.choose(Stance.DENY, 7, "acme")
    denied = bench.reasons(7, 8)
    await bench.register.import_subjects([(7, some_facts("DE"))], a_key(10), NOON_US)
    await bench.choose(Stance.ALLOW, 7, "acme")
    await bench.choose(Stance.DENY, 8, "other")
    followed = {licensee: bench.reasons(7, 8, 9, licensee=licensee) for licensee in ("acme", "other")}

    await bench.register.load()

    assert denied == ["CHOICE_DENIES", "ALLOWED"]
    assert followed == {"acme": ["ALLOWED"] * 3, "other": ["ALLOWED", "CHOICE_DENIES", "ALLOWED"]}
    assert {licensee: bench.reasons(7, 8, 9, licensee=licensee) for licensee in followed} == followed


def test_profiles_that_an_earlier_release_left_behind_are_dropped(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    shutil.copy(SCHEMA / "versions" / "0001_consent.py", earlier / "versions")
    database = Database.open(f"sqlite:///{tmp_path / 'consent.db'}", schema_dir=earlier, name="consent")
    profiles = [{"profile_id": number, "content": f"[{number}]"} for number in (1, 2, 3)]
    state = {"subject_id": 7, "profile_id": 2, "choices": "[]", "last_stated_us": None}
    database.write_now(lambda c: c.execute(insert(_PROFILES), profiles))
    database.write_now(lambda c: c.execute(insert(_STATES), [state]))
    database.close_now()

    database = consent_database(tmp_path)
    left = database.read_now(lambda c: c.scalars(select(_PROFILES.c.profile_id)).all())
    database.close_now()

    assert left == [2]
