"""Changes of licenses from before steps were kept say what they tell for certain, and nothing else."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, text

from services.chassis.database import Database
from services.licensing.domain.history import StepTaken
from services.licensing.storage.contracts import license_row
from services.licensing.storage.history import HistoryRows
from services.licensing.storage.versions import VersionRows
from tests.support.clock import NOON_US
from tests.support.licensing import SCHEMA, licensing_database_at, some_terms
from tests.support.postgres import PostgresServer

STEPS = "0009_license_records.py"
TERMS = {"terms": some_terms().document().decode(), "terms_digest": bytes(32)}
BY = {"changed_by": "operator:ann", "reason": ""}

# Minutes after noon, and as each change left the license: its version in force and its state.
CHANGES = [
    (0, 1, 1),  # drafted
    (1, 1, 2),  # activated
    (2, 1, 2),  # amended
    (3, 1, 2),  # a time was set for version 2
    (4, 1, 2),  # and version 2 withdrawn
    (5, 1, 2),  # amended again
    (6, 3, 2),  # activated
    (7, 3, 3),  # suspended
    (8, 3, 3),  # amended while it was suspended
    (9, 3, 2),  # resumed
    (10, 3, 5),  # terminated
]
# Minutes at which each was drafted, came into force, and was withdrawn.
VERSIONS = [(1, 0, 1, None), (2, 2, None, 4), (3, 5, 6, None), (4, 8, 20, None)]


def at(minute: int | None) -> int | None:
    return None if minute is None else NOON_US + minute * 60_000_000


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> str:
    """A database of the release before, with the history of a license in it."""
    if engine == "sqlite":
        place = f"sqlite:///{tmp_path}/licensing.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        place = server.new_database()
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    for path in sorted((SCHEMA / "versions").glob("*.py")):
        if path.name < STEPS:
            shutil.copy(path, earlier / "versions" / path.name)
    database = Database.open(place, schema_dir=earlier, name="licensing")
    database.write_now(fill)
    database.close_now()
    return place


def fill(connection: Connection) -> None:
    standing = {
        "license_id": "license-1",
        "licensee_id": "licensee-1",
        "version": 3,
        "state": 5,
        "created_at_us": at(0),
        "state_changed_at_us": at(10),
        "state_reason": "",
        "next_version": 4,
        "next_from_us": at(20),
        "next_terms": TERMS["terms"],
        "next_digest": TERMS["terms_digest"],
        **TERMS,
    }
    licensee = {"licensee_id": "licensee-1", "display_name": "L", "created_by": "operator:ann"}
    versions = [
        {
            "license_id": "license-1",
            "version": version,
            "created_at_us": at(drafted),
            "effective_from_us": at(effective),
            "withdrawn_at_us": at(withdrawn),
            "created_by": "operator:ann",
            "reason": "",
            **TERMS,
        }
        for version, drafted, effective, withdrawn in VERSIONS
    ]
    changes = [
        {
            "license_id": "license-1",
            "ordinal": ordinal,
            "version": version,
            "state": state,
            "changed_at_us": at(minute),
            **BY,
            **TERMS,
        }
        for ordinal, (minute, version, state) in enumerate(CHANGES, 1)
    ]
    bare = {**standing, "license_id": "license-2", "version": 1, "state": 2, "effective_from_us": at(1)}
    bare |= {"next_version": None, "next_from_us": None, "next_terms": None, "next_digest": None}
    for name, rows in (
        ("licensees", [{**licensee, "created_at_us": at(0)}]),
        ("licenses", [standing | {"effective_from_us": at(6)}, bare]),
        ("license_versions", versions),
        ("license_history", [*changes, {**changes[0], "license_id": "license-2"}]),
    ):
        connection.execute(insert(Table(name, MetaData(), autoload_with=connection)), rows)


def test_what_earlier_changes_did_is_told_where_it_is_certain(url: str) -> None:
    database = licensing_database_at(url)

    lines = database.read_now(lambda connection: HistoryRows(connection).history("license-1", 100, 100))

    changes = [line.change for line in reversed(lines)]
    assert [(each.step, each.version, each.effective_from_us) for each in changes] == [
        (StepTaken.DRAFTED, 1, None),
        (StepTaken.ACTIVATED, 1, at(1)),
        (StepTaken.AMENDED, 2, None),
        (None, None, None),
        (StepTaken.WITHDRAWN, 2, None),
        (StepTaken.AMENDED, 3, None),
        (StepTaken.ACTIVATED, 3, at(6)),
        (StepTaken.SUSPENDED, 3, None),
        (StepTaken.AMENDED, 4, None),
        (StepTaken.RESUMED, 3, None),
        (StepTaken.TERMINATED, 3, None),
    ]
    database.close_now()


def test_a_license_that_was_written_without_a_version_gets_one_and_each_says_whose_it_is(url: str) -> None:
    database = licensing_database_at(url)

    rows = database.read_now(
        lambda connection: connection.execute(
            text("SELECT license_id, version, licensee_id, effective_from_us FROM license_versions")
        ).all()
    )

    assert ("license-2", 1, "licensee-1", at(1)) in map(tuple, rows)
    assert {row.licensee_id for row in rows} == {"licensee-1"}
    database.close_now()


def test_what_waited_when_its_license_was_ended_is_withdrawn(url: str) -> None:
    database = licensing_database_at(url)

    license, newest = database.read_now(
        lambda connection: (
            license_row(connection, "license-1"),
            VersionRows(connection).versions("license-1", 100, 1, drafts=True)[0],
        )
    )

    assert license is not None
    assert license.next is None
    assert (newest.version, newest.effective_from_us, newest.withdrawn_at_us) == (4, None, at(10))
    database.close_now()
