"""A database of an earlier release, with people in it, is taken over as it is."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.chassis.database import Database
from services.consent.domain.changes import Revision
from services.consent.domain.choices import Choice, Scope, Stance
from services.consent.domain.state_changes import ChangeKind
from services.consent.domain.subjects import Facts, State
from services.consent.domain.withdrawals import Cause, Withdrawal, closed
from tests.support.clock import NOON_US
from tests.support.consent import (
    GENERATIVE,
    NOTICE,
    SCHEMA,
    SHARING,
    a_change,
    a_draft,
    a_key,
    a_policy_draft,
    facts_rows,
    of_subject,
    some_facts,
)
from tests.support.consent_records import read_records, read_states
from tests.support.consent_shelf import SqlShelf
from tests.support.engines import ENGINES
from tests.support.postgres import PostgresServer

LARGEST_ID = 2**64 - 1
EARLIER_VERSIONS = ("0001_consent.py", "0002_profiles_in_use.py")
RULES = [[place, purpose, 2] for place in ("US", "DE") for purpose in (GENERATIVE, SHARING)]
KNOWN = [
    # Ordinary, suspended for a time, and as they were described twice.
    {"revision": 1, "subject_id": 7, "jurisdiction": "US", "states": 0},
    {"revision": 2, "subject_id": -1, "jurisdiction": "DE", "states": 4},
    {"revision": 3, "subject_id": 9, "jurisdiction": "US", "states": 4},
    {"revision": 4, "subject_id": 9, "jurisdiction": "US", "states": 0},
]
CHOSEN = [
    {"revision": 5, "subject_id": 7, "stance": 2, "licensee": "acme", "purpose": 2},
    {"revision": 6, "subject_id": 7, "stance": 1, "licensee": "acme", "purpose": 2},
    {"revision": 7, "subject_id": 8, "stance": 2, "licensee": "", "purpose": 0},
    {"revision": 8, "subject_id": 9, "stance": 2, "licensee": "other", "purpose": 1},
]
NOTICES = NOTICE.hex()
PROFILES = {
    1: [["US", 0, NOTICES], [["acme", 2]], []],
    2: [["DE", 4, NOTICES], [], []],
    3: [None, [], [[["", 0], []]]],
    4: [["US", 0, NOTICES], [], [[["other", 1], []]]],
}
STATES = [
    {"subject_id": 7, "profile_id": 1, "choices": [[1, "acme", 2, NOON_US + 6, 6]], "last": NOON_US + 6},
    {"subject_id": -1, "profile_id": 2, "choices": [], "last": None},
    {"subject_id": 8, "profile_id": 3, "choices": [[2, "", 0, NOON_US + 7, 7]], "last": NOON_US + 7},
    {"subject_id": 9, "profile_id": 4, "choices": [[2, "other", 1, NOON_US + 8, 8]], "last": NOON_US + 8},
]


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def fill(database: Database) -> None:
    """As the release of that schema wrote it."""

    def add(table: str, row: dict[str, Any]) -> None:
        values = ", ".join(f":{name}" for name in row)
        statement = text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})")
        database.write_now(lambda connection: connection.execute(statement, row))

    def recorded(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"recorded_us": NOON_US + row["revision"], "recorded_by": "operator:ada"}

    for row in KNOWN:
        add("subjects", recorded(row | {"notices": NOTICE}))
    for row in CHOSEN:
        at_us = NOON_US + int(str(row["revision"]))
        times = {"claimed_us": at_us, "stated_us": at_us, "method": 1, "notice_digest": NOTICE}
        add("choices", recorded(row | times))
    for profile_id, content in PROFILES.items():
        add("profiles", {"profile_id": profile_id, "content": compact(content)})
    for row in STATES:
        state = {name: row[name] for name in ("subject_id", "profile_id")}
        add("states", state | {"choices": compact(row["choices"]), "last_stated_us": row["last"]})
    policy = {"version": 1, "revision": 9, "effective_us": NOON_US, "text_digest": b"t" * 32}
    announced = {"announced_us": NOON_US, "announced_by": "operator:ada"}
    add("policies", policy | announced | {"rules": compact(RULES), "notices": NOTICE})
    add("policy_activations", {"version": 1, "revision": 10, "activated_us": NOON_US})
    database.write_now(lambda connection: connection.execute(text("UPDATE head SET number = 10")))


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database of the earlier schema, with people in it."""
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    for name in EARLIER_VERSIONS:
        shutil.copy(SCHEMA / "versions" / name, earlier / "versions")
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'consent.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    database = Database.open(url, schema_dir=earlier, name="consent")
    fill(database)
    database.close_now()
    return url


@pytest_asyncio.fixture
async def taken_over(url: str) -> AsyncIterator[SqlShelf]:
    shelf = SqlShelf(url)
    yield shelf
    await shelf.close()


async def test_everybody_is_answered_as_before(taken_over: SqlShelf) -> None:
    posts = (7,), (LARGEST_ID,), (8,), (9,), (10,)

    answered = await taken_over.reasons(*posts)

    assert answered == ["ALLOWED", "SUBJECT_SUSPENDED", "SUBJECT_UNKNOWN", "ALLOWED", "SUBJECT_UNKNOWN"]
    assert await taken_over.reasons((9,), licensee="other") == ["CHOICE_DENIES"]
    assert taken_over.index.revision == Revision(1, 10)


async def test_states_and_profiles_are_read_as_what_they_were(taken_over: SqlShelf) -> None:
    states = await taken_over.database.read(read_states)

    assert {who: subject.facts for who, subject in states.subjects.items()} == {
        7: some_facts(),
        LARGEST_ID: Facts("DE", State.SUSPENDED, frozenset({NOTICE})),
        8: None,
        9: some_facts(),
    }
    assert states.subjects[7].choices == (Choice(Stance.ALLOW, Scope("acme", 2), NOON_US + 6, 6),)
    assert {who: subject.seen_us for who, subject in states.subjects.items()} == {
        7: NOON_US + 1,
        LARGEST_ID: NOON_US + 2,
        8: None,
        9: NOON_US + 4,
    }
    assert not any(subject.erased or subject.times_us for subject in states.subjects.values())
    assert states.profiles == {subject.profile() for subject in states.subjects.values()}


async def test_w1_what_was_denied_before_begins_the_stream_of_withdrawals(taken_over: SqlShelf) -> None:
    assert await taken_over.withdrawals() == [
        (2, Withdrawal(Cause.SUBJECT_STATE, LARGEST_ID)),
        (3, Withdrawal(Cause.SUBJECT_STATE, 9)),
        (5, Withdrawal(Cause.CHOICE, 7, licensee="acme", purposes=closed(GENERATIVE))),
        (7, Withdrawal(Cause.CHOICE, 8, purposes=closed(0))),
        (8, Withdrawal(Cause.CHOICE, 9, licensee="other", purposes=closed(SHARING))),
    ]


async def test_life_goes_on_under_new_ids(taken_over: SqlShelf) -> None:
    before = await taken_over.reasons((7,), (9,))
    await taken_over.register.record(a_draft(Stance.DENY, 7), a_key(1), NOON_US + 100)
    await taken_over.register.import_subjects(facts_rows(11), a_key(2), NOON_US + 100)
    await taken_over.states(of_subject(a_change(ChangeKind.DELETE, None), 9), request=3, now_us=NOON_US + 100)
    ids = {row[0] for row in await taken_over.run("SELECT profile_id FROM profiles")}
    followed = await taken_over.reasons((7,), (9,), (11,))

    await taken_over.reopen()

    assert before == ["ALLOWED", "ALLOWED"]
    assert followed == ["CHOICE_DENIES", "SUBJECT_DELETED", "ALLOWED"]
    # Those of the earlier release that are still in use, and the revisions that the new ones were made at.
    assert ids == {-2, -3, 11, 12, 13}
    assert await taken_over.reasons((7,), (9,), (11,)) == followed


async def test_c3_policies_of_the_earlier_release_stand_and_new_ones_can_be_retracted(
    taken_over: SqlShelf,
) -> None:
    await taken_over.register.publish(a_policy_draft(NOON_US + 900), a_key(1), NOON_US + 100)
    await taken_over.register.retract(2, a_key(2), NOON_US + 100)
    await taken_over.register.activate_due(NOON_US + 1_000)
    await taken_over.reopen()

    second, first = await taken_over.register.policies(None, 10)
    assert (first.retraction, second.activation) == (None, None)
    assert await taken_over.reasons((7,)) == ["ALLOWED"]
    assert taken_over.index.view().policies.in_force() == first


async def test_the_same_description_changes_nothing_and_an_older_change_neither(
    taken_over: SqlShelf,
) -> None:
    same = await taken_over.register.import_subjects(
        facts_rows(7, as_of_us=NOON_US + 1), a_key(1), NOON_US + 100
    )
    older = await taken_over.states(of_subject(a_change(ChangeKind.DELETE, NOON_US)), request=2)

    assert (same.accepted, older.accepted) == (0, 0)
    assert await taken_over.head() == Revision(1, 10)


async def test_c11_records_of_the_earlier_release_are_told(taken_over: SqlShelf) -> None:
    dossier = await taken_over.custody.dossier(LARGEST_ID, NOON_US)
    records = await taken_over.database.read(read_records)

    assert dossier is not None
    assert [(each.revision, each.occurred_us, each.recorded_us) for each in dossier.facts] == [
        (2, NOON_US + 2, NOON_US + 2)
    ]
    assert records.facts[9] == some_facts()
