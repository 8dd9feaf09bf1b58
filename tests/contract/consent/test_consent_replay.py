"""C1 and C2: a database comes to the same as the register in memory, whatever is chosen and imported."""

import shutil
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.consent.domain.choices import Draft, Stance
from services.consent.registrar import Register
from tests.support.clock import NOON_US
from tests.support.consent import (
    GENERATIVE,
    a_batch,
    a_draft,
    a_key,
    a_question,
    consent_database,
    facts_rows,
    some_facts,
)
from tests.support.consent_memory import MemoryRegister
from tests.support.consent_shelf import Shelf, SqlShelf

Taken: TypeAlias = tuple[Stance, int, str, int, int | None]

steps: st.SearchStrategy[list[Taken]] = st.lists(
    st.tuples(
        st.sampled_from(Stance),
        st.integers(1, 3),
        st.sampled_from(["", "acme", "other"]),
        st.sampled_from([0, 1, GENERATIVE]),
        st.none() | st.integers(NOON_US - 3, NOON_US + 3),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to copy: making one takes longer than all that is done with it."""
    folder = tmp_path_factory.mktemp("empty")
    consent_database(folder).close_now()
    return folder / "consent.db"


@settings(suppress_health_check=list(HealthCheck))
@given(steps)
async def test_c2_the_database_comes_to_the_same_as_a_replay_of_everything(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, taken: list[Taken]
) -> None:
    copy = tmp_path_factory.mktemp("consent") / "consent.db"
    shutil.copy(empty, copy)
    stored = SqlShelf(f"sqlite:///{copy}")
    shelves = [stored, Shelf(MemoryRegister())]
    posts = a_batch((1,), (2,), (3,), (1, 2), (2, 1))
    answers = []

    for shelf in shelves:
        await shelf.put_in_force()
        await shelf.register.import_subjects(facts_rows(1), a_key(1), NOON_US)
        await shelf.register.import_subjects(facts_rows(2, facts=some_facts("FR")), a_key(2), NOON_US)
        for number, (stance, who, licensee, purpose, at) in enumerate(taken):
            draft = a_draft(stance, who, licensee=licensee, purpose=purpose, claimed_us=at)
            await take(shelf.register, draft, number)
        answers.append([await shelf.answers(a_question(licensee), posts) for licensee in ("acme", "third")])
    await stored.close()

    assert answers[0] == answers[1]
    assert await shelves[1].head() == stored.index.revision


async def take(register: Register, draft: Draft, number: int) -> None:
    """As an import where it has a time, live otherwise; what is refused is refused by both."""
    if draft.claimed_us is not None:
        await register.import_choices([(1, draft)], a_key(1000 + number), NOON_US + number)
        return
    try:
        await register.record(draft, a_key(1000 + number), NOON_US + number)
    except Refusal as refused:
        assert refused.reason == "SUBJECT_UNKNOWN"
