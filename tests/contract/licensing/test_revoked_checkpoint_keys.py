"""R6: what a revoked key of the log has signed counts for nobody, and the log goes on; on each engine."""

from pathlib import Path

from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.kept_heads import HeadFile
from services.chassis.restores import Acceptance as Spoken
from services.licensing.accepting import Acceptance
from services.licensing.domain.log.notes import Checkpoint, signed_note
from services.licensing.publishing import Publisher
from services.licensing.restores import Shown
from services.licensing.storage.log import LogStore
from services.licensing.storage.log_folder import LogFolder
from services.licensing.storage.restores import RestoreStore
from sluice_gate.verifying.checkpoints import Log
from sluice_gate.verifying.keys import Key
from sluice_gate.verifying.tiles import verify_log_folder
from tests.support.clock import ManualClock
from tests.support.logs import ORIGIN, a_signer, keys_of
from tests.support.published import (
    a_publisher,
    add_receipts,
    publish_all,
    reader_of,
)
from tests.support.restoring import reason_of


def the_log() -> Log:
    """As those know it who have heard that the first key is revoked."""
    stolen, key = keys_of(1), keys_of(2)
    return Log(ORIGIN, {**{kid: Key(each.public, None, 1, True) for kid, each in stolen.items()}, **key})


def the_next_publisher(database: Database, folder: Path) -> Publisher:
    """After the key was replaced, and the first one revoked."""
    store, files = LogStore(database), LogFolder(folder)
    shown = Shown(store, files, reader_of(folder, 1, 2, revoked=[1]))
    return Publisher(store, files, shown, a_signer(2), ManualClock(), on_loss=lambda: None)


async def test_r6_the_newest_checkpoint_is_signed_again_when_its_key_is_revoked(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    stored = await LogStore(database).newest()
    before = (folder / "checkpoint").read_bytes()

    await publish_all(the_next_publisher(database, folder))
    after = (folder / "checkpoint").read_bytes()
    await publish_all(the_next_publisher(database, folder))

    shown = verify_log_folder(folder, the_log())
    renewed = await LogStore(database).newest()
    assert stored is not None
    assert renewed is not None
    assert (shown.size, shown.root) == (stored.head.size, stored.head.root)
    assert (renewed.head, renewed.note) == (stored.head, after)
    assert after != before
    assert (folder / "checkpoint").read_bytes() == after


async def test_r6_a_folder_that_still_has_the_old_note_gets_the_new_one(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    old = (folder / "checkpoint").read_bytes()
    await publish_all(the_next_publisher(database, folder))

    # As a process leaves it that died between the two, or that was late.
    (folder / "checkpoint").write_bytes(old)
    await publish_all(the_next_publisher(database, folder))

    assert verify_log_folder(folder, the_log()).size == 5


async def test_r6_a_stored_root_that_is_not_the_one_that_was_signed_is_not_signed_again(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    literal = "x'" + "00" * 32 + "'" if database.dialect == "sqlite" else "'\\x" + "00" * 32 + "'"
    await database.write(lambda c: c.execute(text(f"UPDATE log_checkpoints SET root = {literal}")))

    assert await reason_of(the_next_publisher(database, folder).publish()) == "LOG_DAMAGED"


async def test_r6_nothing_is_taken_over_from_a_checkpoint_that_only_a_revoked_key_has_signed(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    await database.write(lambda c: c.execute(text("DELETE FROM log_checkpoints")))
    await database.write(lambda c: c.execute(text("DELETE FROM decisions")))
    reader = reader_of(folder, 1, 2, revoked=[1])
    store = RestoreStore(database, HeadFile(tmp_path / "heads", "licensing"))
    desk = Acceptance(store, LogStore(database), LogFolder(folder), reader, ManualClock())

    refused = await reason_of(desk.accept(Spoken("the disk broke", "ada")))

    assert refused == "LOG_FOLDER_FOREIGN"
    assert await LogStore(database).newest() is None


def test_r6_a_key_that_is_not_revoked_vouches_beside_one_that_is(tmp_path: Path) -> None:
    reader = reader_of(tmp_path / "log", 1, 2, revoked=[1])
    checkpoint = Checkpoint(ORIGIN, 1, bytes(32)).text()

    assert not reader.is_vouched_for(signed_note(checkpoint, [a_signer(1)]))
    assert reader.is_vouched_for(signed_note(checkpoint, [a_signer(1), a_signer(2)]))
    assert not reader.is_vouched_for(signed_note(checkpoint, [a_signer(3)]))
