"""R5: a restored database takes over the log that it has lost, or is not accepted at all; on each engine."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.heads import Head
from services.chassis.kept_heads import HeadFile
from services.chassis.refusals import Refusal
from services.chassis.restores import Acceptance as Spoken
from services.chassis.restores import Restore
from services.licensing.accepting import LEAVES_AT_ONCE, Acceptance, Accepted, words
from services.licensing.domain.log.notes import Checkpoint, signed_note
from services.licensing.domain.restores import AcceptedRestore, Lost
from services.licensing.proving import Prover
from services.licensing.storage.auditing import AuditStore
from services.licensing.storage.head import lock_head
from services.licensing.storage.known import Known, known_of
from services.licensing.storage.log import LogStore
from services.licensing.storage.log_folder import LogFolder
from services.licensing.storage.restore_queries import RestoreList
from services.licensing.storage.restores import RestoreStore
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder
from sluice_gate.verifying.trees import check_inclusion, leaf_hash
from tests.support.clock import NOON_US, ManualClock
from tests.support.logs import ORIGIN, a_signer, the_log
from tests.support.published import (
    Signatures,
    a_publisher,
    add_receipts,
    publish_all,
    reader_of,
    receipt_of,
    shown_in,
)

Accept = Callable[[], Awaitable[AcceptedRestore]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


WHY = Spoken("the disk of the database broke", "ada")


@pytest.fixture
def accept(database: Database, folder: Path) -> Accept:
    store = RestoreStore(database, HeadFile(folder.parent / "heads", "licensing"))
    desk = Acceptance(store, LogStore(database), LogFolder(folder), reader_of(folder), ManualClock())

    async def accept() -> AcceptedRestore:
        accepted = await desk.accept(WHY)
        start_again(database)
        return accepted.of_log

    return accept


def execute(database: Database, *statements: str) -> None:
    def unit(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    database.write_now(unit)


def go_back(database: Database, signed: int, decided: int) -> None:
    """As if the database were a backup from when so many receipts were signed, and so many decided."""
    execute(
        database,
        f"DELETE FROM decisions WHERE number > {decided}",
        f"DELETE FROM log_checkpoints WHERE size > {signed}",
        f"UPDATE head SET next_number = {decided + 1}",
    )
    # Of the tiles a backup has those of its size; longer ones are begun by them, and others can be missing.
    execute(database, f"DELETE FROM log_tiles WHERE level = 0 AND tile * 256 > {signed}")
    start_again(database)


def start_again(database: Database) -> None:
    """The process that opened it is another one now, which has seen nothing yet."""
    known = known_of(database)
    assert known is not None
    Known.__init__(known)


async def in_parts(database: Database, folder: Path, *sizes: int) -> None:
    """Publishes a log that had these sizes."""
    before = 0
    for size in sizes:
        add_receipts(database, size - before)
        await publish_all(a_publisher(database, folder))
        before = size


@pytest.mark.parametrize(
    ("backup", "lost"),
    [((0, 0), Lost(1, 700)), ((300, 300), Lost(301, 700)), ((300, 310), Lost(311, 700)), ((300, 705), None)],
)
async def test_the_log_goes_on_from_what_was_published_and_no_number_is_used_twice(
    database: Database, folder: Path, accept: Accept, backup: tuple[int, int], lost: Lost | None
) -> None:
    signed, decided = backup
    await in_parts(database, folder, 300, 700)
    kept = (folder / "checkpoint").read_bytes()
    if decided > 700:
        add_receipts(database, decided - 700)
    go_back(database, signed, decided)
    with pytest.raises(Refusal, match="DATABASE_RESTORED"):
        await shown_in(LogStore(database), folder).check_at_start()

    restore = await accept()

    assert restore == AcceptedRestore(2, NOON_US, "ada", "the disk of the database broke", lost, 700)
    await shown_in(LogStore(database), folder).check_at_start()
    head = database.write_now(lock_head)
    assert (head.epoch, head.next_number) == (2, max(701, decided + 1))
    signatures = Signatures()
    add_receipts(database, 400)
    await publish_all(a_publisher(database, folder, signatures))
    shown = verify_log_folder(folder, the_log())
    assert shown.size == max(700, decided) + 400
    assert verify_kept(folder, shown, kept, the_log()).size == 700
    assert min(size for size, _ in signatures.heads) > 700


async def test_what_was_lost_can_still_be_shown_to_be_in_the_log_and_nothing_else_of_it(
    database: Database, folder: Path, accept: Accept
) -> None:
    await in_parts(database, folder, 300, 700)
    go_back(database, 300, 300)
    await accept()
    prover = Prover(LogStore(database), shown_in(LogStore(database), folder))

    proof = await prover.inclusion(512, 0, "operator", "ada")

    checkpoint = verify_log_folder(folder, the_log())
    leaf = leaf_hash(receipt_of(512).encode())
    check_inclusion(leaf, 511, checkpoint.size, checkpoint.root, proof.hashes)
    assert (proof.logged.decision_id, proof.logged.number) == ("", 512)
    for kind, party in (("pipeline", "firehose"), ("licensee", "acme"), ("licensee", "")):
        if party:
            with pytest.raises(Refusal, match="DECISION_UNKNOWN"):
                await prover.inclusion(512, 0, kind, party)


async def test_a_folder_that_was_believed_is_missed_whatever_the_backup_knew_of_it(
    database: Database, folder: Path, accept: Accept
) -> None:
    await in_parts(database, folder, 2)
    go_back(database, 1, 1)
    # A copy of the moment between: the folder has its first checkpoint, and the database does not say so yet.
    execute(database, "UPDATE head SET is_log_shown = false")

    await accept()
    (folder / "checkpoint").unlink()

    with pytest.raises(Refusal, match="LOG_FOLDER_EMPTY"):
        await shown_in(LogStore(database), folder).check_at_start()


async def test_the_audit_of_the_ledger_knows_which_numbers_are_lost(
    database: Database, folder: Path, accept: Accept
) -> None:
    audited = AuditStore(database)
    assert (await audited.lost(), await audited.restored_at_us()) == ((), None)
    await in_parts(database, folder, 300, 700)
    go_back(database, 300, 310)
    await accept()

    assert await audited.lost() == (range(311, 701),)
    assert await audited.restored_at_us() == NOON_US
    assert await audited.next_number() == 701


async def test_more_leaves_than_are_taken_over_at_once_give_the_same_log(
    database: Database, folder: Path, accept: Accept
) -> None:
    size = 2 * LEAVES_AT_ONCE + 100
    await in_parts(database, folder, 5, size)
    go_back(database, 5, 5)

    restore = await accept()

    assert restore.lost == Lost(6, size)
    await publish_all(a_publisher(database, folder.parent / "written-again"))
    assert verify_log_folder(folder.parent / "written-again", the_log()).size == size


async def test_a_database_that_lost_nothing_is_not_accepted(
    database: Database, folder: Path, accept: Accept
) -> None:
    with pytest.raises(Refusal, match="NOT_RESTORED"):
        await accept()
    await in_parts(database, folder, 300)

    with pytest.raises(Refusal, match="NOT_RESTORED: the database stands at"):
        await accept()
    go_back(database, 0, 0)
    await accept()
    with pytest.raises(Refusal, match="NOT_RESTORED"):
        await accept()

    assert database.write_now(lock_head).epoch == 2


async def decided_otherwise(database: Database, folder: Path) -> None:
    go_back(database, 300, 300)
    add_receipts(database, 10, lambda number: f"another.receipt-{number}.signature")


async def signed_otherwise(database: Database, folder: Path) -> None:
    await decided_otherwise(database, folder)
    await publish_all(a_publisher(database, folder.parent / "elsewhere"))


async def signed_more_otherwise(database: Database, folder: Path) -> None:
    go_back(database, 300, 300)
    add_receipts(database, 500, lambda number: f"another.receipt-{number}.signature")
    await publish_all(a_publisher(database, folder.parent / "elsewhere"))


async def of_another_log(database: Database, folder: Path) -> None:
    go_back(database, 0, 0)
    add_receipts(database, 3, lambda number: f"another.receipt-{number}.signature")
    await publish_all(a_publisher(database, folder.parent / "elsewhere"))


@pytest.mark.parametrize(
    "diverge", [decided_otherwise, signed_otherwise, signed_more_otherwise, of_another_log]
)
async def test_a_database_that_went_another_way_is_not_accepted_and_stays_as_it_is(
    database: Database,
    folder: Path,
    accept: Accept,
    diverge: Callable[[Database, Path], Awaitable[None]],
) -> None:
    await in_parts(database, folder, 300, 700)
    await diverge(database, folder)
    before = await LogStore(database).newest()

    with pytest.raises(Refusal, match="RESTORE_DIVERGES"):
        await accept()

    assert database.write_now(lock_head).epoch == 1
    assert await LogStore(database).newest() == before


def cut_a_tile(folder: Path) -> None:
    tile = folder / "tile/0/001"
    tile.write_bytes(tile.read_bytes()[:-1])


def take_a_tile_away(folder: Path) -> None:
    (folder / "tile/0/001").unlink()


def flip_a_bit(folder: Path) -> None:
    tile = folder / "tile/0/001"
    content = bytearray(tile.read_bytes())
    content[-1] ^= 1
    tile.write_bytes(content)


def alter_the_note(folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(note.replace(b"\n700\n", b"\n600\n"))


def sign_as_somebody_else(folder: Path) -> None:
    note = signed_note(Checkpoint(ORIGIN, 700, bytes(32)).text(), [a_signer(2)])
    (folder / "checkpoint").write_bytes(note)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut_a_tile, "LOG_FOLDER_UNREADABLE"),
        (take_a_tile_away, "LOG_FOLDER_UNREADABLE"),
        (flip_a_bit, "RESTORE_DIVERGES"),
        (alter_the_note, "LOG_FOLDER_ALTERED"),
        (sign_as_somebody_else, "LOG_FOLDER_FOREIGN"),
    ],
)
async def test_nothing_is_taken_over_from_a_folder_that_is_not_whole_or_not_ours(
    database: Database, folder: Path, accept: Accept, spoil: Callable[[Path], None], reason: str
) -> None:
    await in_parts(database, folder, 300, 700)
    go_back(database, 300, 300)
    spoil(folder)

    with pytest.raises(Refusal) as refused:
        await accept()

    assert refused.value.reason == reason
    assert database.write_now(lock_head).epoch == 1
    assert await LogStore(database).signed_at(700) is None


async def test_a_restore_after_a_restore_has_an_epoch_of_its_own(
    database: Database, folder: Path, accept: Accept
) -> None:
    await in_parts(database, folder, 300)
    go_back(database, 0, 0)
    await accept()
    add_receipts(database, 50)
    await publish_all(a_publisher(database, folder))
    go_back(database, 300, 320)

    restore = await accept()

    assert (restore.epoch, restore.lost) == (3, Lost(321, 350))


async def test_restores_are_listed_newest_first_with_what_each_has_lost(
    database: Database, folder: Path, accept: Accept
) -> None:
    await in_parts(database, folder, 300)
    go_back(database, 0, 0)
    first = await accept()
    add_receipts(database, 50)
    await publish_all(a_publisher(database, folder))
    go_back(database, 300, 320)
    second = await accept()
    restores = RestoreList(database)

    newest = await restores.page(None, 1)
    older = await restores.page(newest[0][0].epoch, 5)

    assert [(restore.epoch, of_log) for restore, of_log in (*newest, *older)] == [(3, second), (2, first)]
    assert newest[0][0].reason == "the disk of the database broke"


def test_the_command_says_what_is_lost() -> None:
    restore = Restore(2, 80, Head(1, 80), Head(1, 120), NOON_US, "ada", "fire")

    def of(lost: Lost | None, *, folder_was_lost: bool = False) -> str:
        of_log = AcceptedRestore(2, NOON_US, "ada", "fire", lost, 700)
        said = words(Accepted(restore, of_log, folder_was_lost))
        assert "Licenses, suspensions, API keys" in said
        return said.split("\n")[0]

    begun = "Epoch 2 of licensing has begun."
    assert of(None) == f"{begun} Every receipt that was published is there."
    assert of(None, folder_was_lost=True) == (
        f"{begun} The folder of the log is written again, from what the database has."
    )
    assert of(Lost(7, 7)) == f"{begun} Receipt 7 was published and is lost; the log still has its leaf."
    assert of(Lost(1_234, 5_678)) == (
        f"{begun} Receipts 1,234 to 5,678 were published and are lost; the log still has their leaves."
    )
