"""The audit notices whatever is not as it should be, in the ledger and between it and metering (R2, M2)."""

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from sluice.licensing.v1.audit_service_pb2 import AuditLedgerResponse
from tests.support.clock import NOON_US, ManualClock
from tests.support.cluster import SECOND_US, Cluster, a_cluster
from tests.support.kept_books import CONFIRMED, DEAD_RESERVATION, EXPIRED, ITS_RESERVATION, keep_books
from tests.support.published import publish_all

LATER_US = NOON_US + 3_600 * SECOND_US

DEAD_HELD = f"held = counts, posts_freed = 0 WHERE {DEAD_RESERVATION}"
ONE = f"(SELECT decision_id FROM decisions WHERE {CONFIRMED})"
SECOND = "(SELECT decision_id FROM decisions WHERE number = 2)"

DOCTORED = {
    "Decisions are numbered without a gap": [
        "UPDATE decisions SET number = 99 WHERE number = 7",
        "UPDATE head SET next_number = 3",
    ],
    "Each decision has a receipt that a key of ours has signed and that says the same": [
        "UPDATE decisions SET receipt = 'no receipt' WHERE number = 2",
        "UPDATE decisions SET receipt = (SELECT receipt FROM decisions WHERE number = 1) WHERE number = 2",
        "UPDATE decisions SET receipt = replace(receipt, 'a', 'b') WHERE number = 3",
        "UPDATE decisions SET license_version = 2 WHERE number = 4",
        "UPDATE decisions SET consent_revision = consent_revision + 1 WHERE number = 1",
        "UPDATE decisions SET trace_id = 'another' WHERE number = 1",
    ],
    "Each receipt is the leaf of its number in the log": [
        "UPDATE log_tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0",
        "DELETE FROM log_tiles WHERE level = 0",
    ],
    "Each decision has a manifest of the posts that it released": [
        f"DELETE FROM manifests WHERE decision_id = {ONE}",
        f"UPDATE manifests SET post_ids = zeroblob(length(post_ids)) WHERE decision_id = {ONE}",
        f"UPDATE manifests SET contributors = zeroblob(length(contributors)) WHERE decision_id = {SECOND}",
        f"UPDATE manifests SET root = zeroblob(32) WHERE decision_id = {ONE}",
    ],
    "What was released was held by the attempt that concluded it": [
        f"UPDATE attempts SET attempt_id = 'another' WHERE decision_id = {ONE}",
        f"UPDATE decisions SET reservation_id = NULL, counted_at_us = NULL WHERE decision_id = {ONE}",
    ],
    "Each release, and nothing else, has a settlement in time": [
        f"DELETE FROM settlements WHERE decision_id = {ONE}",
        f"UPDATE settlements SET posts = 2 WHERE {CONFIRMED}",
        f"UPDATE settlements SET settled_at_us = 1 WHERE {EXPIRED}",
        f"UPDATE settlements SET by_expiry = NOT by_expiry WHERE {CONFIRMED}",
        f"INSERT INTO open_permits SELECT decision_id, not_after_us FROM decisions WHERE {CONFIRMED}",
        f"""DELETE FROM settlements WHERE {EXPIRED};
            INSERT INTO open_permits SELECT decision_id, not_after_us FROM decisions WHERE number = 6""",
        f"UPDATE confirmations SET delivered = x'0f' WHERE decision_id = {ONE}",
        f"UPDATE confirmations SET posts = 2 WHERE decision_id = {ONE}",
    ],
    "Metering holds or has settled what follows from the decision": [
        f"DELETE FROM metering.reservations WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET settled = '[[1,0,2]]' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET settled = '[[1,0,1]]' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET state = 3 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET party_id = 'other' WHERE {ITS_RESERVATION}",
    ],
    "Each decision is the conclusion of one attempt": [
        f"DELETE FROM attempts WHERE decision_id = {ONE}",
        f"INSERT INTO attempts (attempt_id, decision_id, ended_at_us) VALUES ('another', {ONE}, 1)",
    ],
    "Metering has settled nothing of an attempt that was given up, and holds nothing for it": [
        f"UPDATE metering.reservations SET state = 1, {DEAD_HELD}",
        f"UPDATE metering.reservations SET state = 2, posts_settled = 1, {DEAD_HELD}",
    ],
    "What metering reserved is held, settled or freed, each post once": [
        f"UPDATE metering.reservations SET state = 1, kept = '[]', posts_kept = 0 WHERE {DEAD_RESERVATION}",
    ],
    "Metering holds and has settled nothing for a decision that the ledger does not know": [
        f"""DELETE FROM attempts WHERE decision_id = {ONE}; DELETE FROM manifests WHERE decision_id = {ONE};
            DELETE FROM confirmations WHERE decision_id = {ONE};
            DELETE FROM settlements WHERE decision_id = {ONE};
            DELETE FROM decisions WHERE decision_id = {ONE}""",
        f"""UPDATE metering.reservations SET state = 1, {DEAD_HELD};
            DELETE FROM attempts WHERE decision_id IS NULL""",
    ],
    "Metering has taken every message in time, and refused none": [
        "INSERT INTO outbox (reservation_id, cancels, delivered, written_at_us) VALUES ('r', 1, '[]', 1)",
        """INSERT INTO outbox (reservation_id, cancels, delivered, written_at_us, parked)
           VALUES ('r', 1, '[]', 99999999999999999, 'UNKNOWN')""",
    ],
}
"""For each check what breaks it, in all its parts; some of it breaks other checks too."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")

    async def finish(cluster: Cluster) -> None:
        await publish_all(cluster.publisher)

    asyncio.run(keep_books(folder, finish))
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """A copy of one's own, with the keys."""
    return Path(shutil.copytree(kept, tmp_path / "books"))


def doctor(folder: Path, script: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "licensing.db", isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS metering", [str(folder / "metering.db")])
        connection.executescript(f"PRAGMA main.synchronous=OFF; PRAGMA metering.synchronous=OFF; {script}")


async def audit(folder: Path) -> list[AuditLedgerResponse]:
    async with a_cluster(folder, ManualClock(LATER_US)) as cluster:
        return await cluster.audit()


async def test_books_that_were_kept_well_agree(folder: Path) -> None:
    done = await audit(folder)

    assert [step.check for step in done] == list(DOCTORED)
    assert [step.difference_count for step in done] == [0] * len(done)
    compared = {step.check: step.compared for step in done}
    assert compared["Each decision is the conclusion of one attempt"] == 7
    assert compared["Metering holds or has settled what follows from the decision"] == 5


@pytest.mark.parametrize(
    ("check", "script"), [(check, script) for check in DOCTORED for script in DOCTORED[check]]
)
async def test_what_breaks_a_check_is_named_by_it(folder: Path, check: str, script: str) -> None:
    doctor(folder, script)

    (found,) = [step for step in await audit(folder) if step.check == check]

    assert found.difference_count > 0
    assert found.differences
