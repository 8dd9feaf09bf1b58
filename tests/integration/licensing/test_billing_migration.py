"""Decisions and confirmations of the release before billing are billed like all others (B2)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, insert, text

from services.chassis.database import Database
from services.licensing.billing import COUNTED_AT_ONCE
from services.licensing.storage.billing import BillingRows, server_now_us
from tests.support.clock import NOON_US
from tests.support.licensing import SCHEMA, licensing_database_at
from tests.support.postgres import PostgresServer

DAY_US = 86_400_000_000
RELEASED, DENIED = 1, 46
BILLING = "0007_billing.py"
MANY = 12_000
"""Decisions: more than are counted at once."""


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> Iterator[str]:
    """A database of the release before, with decisions in it."""
    if engine == "sqlite":
        place = f"sqlite:///{tmp_path}/licensing.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        place = server.new_database()
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    for path in sorted((SCHEMA / "versions").glob("*.py")):
        if path.name < BILLING:
            shutil.copy(path, earlier / "versions" / path.name)
    database = Database.open(place, schema_dir=earlier, name="licensing")
    fill(database)
    database.close_now()
    yield place


def fill(database: Database) -> None:
    """Each releases two posts of three, but every third one none; every second is confirmed with one."""
    decisions = [decision(number) for number in range(1, MANY + 1)]
    confirmed = [each for each in decisions if each["number"] % 2 == 0 and each["counted_at_us"]]  # type: ignore[operator]
    confirmations = [
        {
            "decision_id": each["decision_id"],
            "delivered": b"\x01",
            "posts": 1,
            "confirmed_at_us": NOON_US + DAY_US,
        }
        for each in confirmed
    ]
    for name, rows in (("decisions", decisions), ("confirmations", confirmations)):
        database.write_now(
            lambda connection, name=name, rows=rows: connection.execute(  # type: ignore[misc]
                insert(Table(name, MetaData(), autoload_with=connection)), rows
            )
        )


def decision(number: int) -> dict[str, object]:
    denied = number % 3 == 0
    return {
        "decision_id": f"{number:036d}",
        "number": number,
        "principal": "firehose",
        "principal_kind": "pipeline",
        "request_id": f"{number:036d}",
        "fingerprint": bytes(32),
        "licensee_id": "licensee-1",
        "license_id": "license-1",
        "license_version": 1,
        "terms_digest": bytes(32),
        "purpose": 2,
        "outcome": 2,
        "reasons": bytes([DENIED] * 3 if denied else [RELEASED, DENIED, RELEASED]),
        "kinds": bytes(3),
        "media_flags": bytes(3),
        "salt": bytes(32),
        "counted_at_us": None if denied else NOON_US + number,
        "decided_at_us": NOON_US + number + 1,
        "room_retry_is_exact": False,
        "room_never_fits": False,
        "trace_id": "",
        "receipt": "",
    }


def test_what_was_released_before_is_counted_from_the_reasons(url: str) -> None:
    database = licensing_database_at(url)
    pages = 1
    while not database.write_now(
        lambda connection: BillingRows(connection, server_now_us).count_uncounted(COUNTED_AT_ONCE)
    ):
        pages += 1

    def billed(cut_off_us: int, until_us: int | None = None) -> int:
        return database.read_now(
            lambda connection: BillingRows(connection, server_now_us).billed_posts(
                "license-1", None, until_us, cut_off_us
            )
        )

    assert pages > MANY // COUNTED_AT_ONCE
    releasing = MANY - MANY // 3
    assert billed(NOON_US + DAY_US) == 2 * releasing
    assert billed(NOON_US + DAY_US + 1) == 2 * releasing - releasing // 2
    # The first two release, and the third does not; the second is on record three microseconds after noon.
    assert billed(NOON_US + DAY_US, until_us=NOON_US + 4) == 4
    assert billed(NOON_US + 3) == 2
    head = database.read_now(lambda c: c.execute(text("SELECT next_invoice, cut_off_us FROM head")).one())
    assert tuple(head) == (1, 0)
    database.close_now()
