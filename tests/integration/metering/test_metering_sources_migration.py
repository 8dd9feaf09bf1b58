"""A database of the release before sources had owners is taken over as it is (M7)."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.chassis.bulk import Insertion
from services.chassis.database import Database
from services.metering.domain.reservations import Access, Reservation, State, settle
from services.metering.domain.seen import AccessKey, Outcome, Reporter, Row, Seen
from services.metering.storage.rows import COLUMNS as OF_RESERVATIONS
from services.metering.storage.rows import to_row
from services.metering.storage.sighting_rows import COLUMNS
from services.metering.storage.sightings import SqlSightings
from tests.support.clock import NOON_US, ManualClock
from tests.support.engines import ENGINES
from tests.support.metering import SCHEMA, a_count, a_key, a_wanted, an_allowance, an_id, metering_database_at
from tests.support.postgres import PostgresServer

EARLIER = ("0001_reservations.py", "0002_accounts.py", "0003_usage.py")
LATER = ("kept", "posts_kept")
"""The columns of a reservation that came after, the last ones."""
_RESERVATIONS = Insertion(
    "reservations", {name: type for name, type in OF_RESERVATIONS.items() if name not in LATER}
)
# Three posts were settled: two of a, one of b, none of c are absorbed; d shows no receipt.
KEPT = [("a", 1, 2, 2), ("b", 2, 2, 1), ("c", 3, 2, 0), ("d", 1, 1, 0)]


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Of the earlier schema, with accesses that a receipt absorbed, opened by this release."""
    earlier = tmp_path / "earlier"
    (earlier / "versions").mkdir(parents=True)
    for name in EARLIER:
        shutil.copy(SCHEMA / "versions" / name, earlier / "versions")
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'metering.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    before = Database.open(url, schema_dir=earlier, name="metering")
    wanted = a_wanted(1, 5, an_allowance(100))
    held = Reservation(1, wanted, State.HELD, NOON_US, reserved=wanted.counts)
    receipt = to_row(settle(held, (a_count(3),)))[: -len(LATER)]
    rows = [
        (
            100 + n,
            "edge",
            f"id:{id}",
            "licensee-1",
            NOON_US + at,
            int(Access.ACCESS),
            1,
            0,
            posts,
            shown,
            absorbed,
        )
        for n, (id, at, posts, absorbed) in enumerate(KEPT)
        for shown in [an_id(1) if id != "d" else ""]
    ]
    before.write_now(lambda connection: _RESERVATIONS.run(connection, [receipt]))
    before.write_now(lambda connection: Insertion("sightings", COLUMNS).run(connection, rows))
    before.write_now(lambda connection: connection.execute(text("UPDATE head SET number = 200")))
    await before.close()
    opened = metering_database_at(url)
    yield opened
    await opened.close()


async def test_m7_what_receipts_had_absorbed_goes_on(database: Database) -> None:
    store = SqlSightings(database, ManualClock().now_us)
    wanted = a_wanted(1, 5, an_allowance(100))
    early = Seen(AccessKey("edge", "id:early"), wanted.party_id, NOON_US, wanted.access, 1, 0, 2, an_id(1))

    report = await store.report([Row(1, early)], Reporter("pipeline:edge-logs", is_admin=False), a_key("1"))

    query = text("SELECT id, absorbed FROM sightings ORDER BY accessed_us, id")
    absorbed = await database.read(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in absorbed] == [
        ("id:early", 2),
        ("id:a", 1),
        ("id:d", 0),
        ("id:b", 0),
        ("id:c", 0),
    ]
    assert (report.outcomes, report.absorbed, report.displaced) == ((Outcome.ACCEPTED,), 2, 2)


async def test_m7_sources_on_record_become_those_of_their_next_reporters(database: Database) -> None:
    store = SqlSightings(database, ManualClock().now_us)
    wanted = a_wanted(1, 5, an_allowance(100))
    again = Seen(AccessKey("edge", "id:d"), "licensee-1", NOON_US + 1, wanted.access, 1, 0, 1, "")

    first = await store.report([Row(1, again)], Reporter("pipeline:edge-logs", is_admin=False), a_key("1"))
    other = await store.report([Row(1, again)], Reporter("pipeline:mallory", is_admin=False), a_key("2"))

    assert (first.outcomes, other.outcomes) == ((Outcome.DUPLICATE,), (Outcome.REJECTED,))
