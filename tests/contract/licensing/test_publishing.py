"""The log is published whoever dies where, never back, never twice otherwise (R2, R5); on each engine."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.log.growth import Growth, Head, Signed, grown_by
from services.licensing.domain.log.notes import Checkpoint, signed_note
from services.licensing.proving import Prover
from services.licensing.publishing import RECEIPTS_AT_ONCE, Publisher
from services.licensing.storage.log import LogStore
from sluice_gate.verifying.tiles import verify_log_folder
from tests.support.clock import NOON_US, ManualClock
from tests.support.logs import ORIGIN, Definition, a_signer, the_log
from tests.support.published import (
    Death,
    Mortal,
    Signatures,
    a_publisher,
    add_receipts,
    publish_all,
    publisher_of,
    receipt_of,
    shown_in,
)


def root_of_first(size: int) -> bytes:
    return Definition([receipt_of(number).encode() for number in range(1, size + 1)]).mth(0, size)


def damage(database: Database, statement: str) -> None:
    def unit(connection: Connection) -> None:
        connection.execute(text(statement))

    database.write_now(unit)


async def test_what_is_published_is_verified_by_a_copy_of_the_folder_alone(
    database: Database, tmp_path: Path
) -> None:
    add_receipts(database, 300)
    await publish_all(a_publisher(database, tmp_path / "log"))
    add_receipts(database, 250)
    await publish_all(a_publisher(database, tmp_path / "log"))

    checkpoint = verify_log_folder(tmp_path / "log", the_log())

    assert (checkpoint.size, checkpoint.root) == (550, root_of_first(550))
    tiles = sorted(str(path.relative_to(tmp_path / "log")) for path in (tmp_path / "log").rglob("*[0-9]"))
    # The partial tile that the second one became is gone; that of the level above has grown.
    files = ["tile/0/000", "tile/0/001", "tile/0/002.p/38", "tile/1/000.p/1", "tile/1/000.p/2"]
    assert [path for path in tiles if (tmp_path / "log" / path).is_file()] == files


async def test_without_a_new_receipt_nothing_is_signed(database: Database, tmp_path: Path) -> None:
    signatures = Signatures()
    publisher = a_publisher(database, tmp_path / "log", signatures)
    await publish_all(publisher)
    add_receipts(database, 3)

    await publish_all(publisher)
    await publish_all(publisher)

    assert signatures.heads == [(3, root_of_first(3))]


async def test_many_that_wait_are_published_in_parts(database: Database, tmp_path: Path) -> None:
    signatures = Signatures()
    add_receipts(database, RECEIPTS_AT_ONCE + 7)

    await publish_all(a_publisher(database, tmp_path / "log", signatures))

    assert [size for size, _ in signatures.heads] == [RECEIPTS_AT_ONCE, RECEIPTS_AT_ONCE + 7]
    assert verify_log_folder(tmp_path / "log", the_log()).size == RECEIPTS_AT_ONCE + 7


async def test_of_those_who_publish_at_once_none_goes_back_and_none_signs_another_root(
    database: Database, tmp_path: Path
) -> None:
    signatures = Signatures()
    publishers = [a_publisher(database, tmp_path / "log", signatures) for _ in range(4)]

    for count in (1, 255, 40):
        add_receipts(database, count)
        await asyncio.gather(*(publisher.publish() for publisher in publishers))

    signatures.check()
    assert verify_log_folder(tmp_path / "log", the_log()).size == 296


async def test_a_growth_of_a_head_that_is_no_longer_the_newest_is_not_even_signed(
    database: Database, tmp_path: Path
) -> None:
    store, signatures = LogStore(database), Signatures()
    add_receipts(database, 2)
    waiting = await store.waiting(1)
    late = grown_by(Head(0, root_of_first(0)), waiting.receipts, waiting.edge)
    await publish_all(a_publisher(database, tmp_path / "log", signatures))

    stored = await store.append(late, lambda head: pytest.fail(f"signed {head}"))

    assert not stored
    assert [size for size, _ in signatures.heads] == [2]


async def test_killed_at_any_step_it_goes_on_and_what_it_left_can_be_verified(
    database: Database, tmp_path: Path
) -> None:
    signatures, folder = Signatures(), tmp_path / "log"
    add_receipts(database, 200)
    await publish_all(a_publisher(database, folder, signatures))
    published, died, step = 200, True, 0

    while died:
        step += 1
        add_receipts(database, 30)
        with pytest.MonkeyPatch.context() as patch:
            try:
                await Mortal(step).publisher(database, folder, signatures, patch).publish()
                died = False
            except Death:
                died = True
        left = verify_log_folder(folder, the_log())
        assert left.size >= published
        # Every other death is followed by another one, at the same step, before anyone goes on.
        if step % 2:
            await publish_all(a_publisher(database, folder, signatures))
            assert verify_log_folder(folder, the_log()).size == 200 + 30 * step
        published = left.size

    assert step > 12
    signatures.check()


async def test_a_tile_with_a_flipped_bit_stops_the_log_before_anything_is_signed(
    database: Database, tmp_path: Path
) -> None:
    signatures = Signatures()
    publisher = a_publisher(database, tmp_path / "log", signatures)
    add_receipts(database, 5)
    await publish_all(publisher)
    flipped = "00" * 32 * 5
    literal = f"x'{flipped}'" if database.dialect == "sqlite" else f"'\\x{flipped}'"
    damage(database, f"UPDATE log_tiles SET hashes = {literal}")
    add_receipts(database, 1)

    with pytest.raises(Refusal) as refused:
        await publisher.publish()

    assert (refused.value.kind, refused.value.reason) == (Kind.INTERNAL, "LOG_DAMAGED")
    assert [size for size, _ in signatures.heads] == [5]


async def test_a_receipt_that_is_missing_stops_the_log(database: Database, tmp_path: Path) -> None:
    add_receipts(database, 5)
    damage(database, "DELETE FROM decisions WHERE number = 3")

    with pytest.raises(Refusal, match="LOG_DAMAGED: receipt 3 is missing"):
        await a_publisher(database, tmp_path / "log").publish()

    assert await LogStore(database).newest() is None


async def test_a_folder_that_was_lost_is_written_again(database: Database, tmp_path: Path) -> None:
    add_receipts(database, 700)
    await publish_all(a_publisher(database, tmp_path / "lost"))

    await publish_all(a_publisher(database, tmp_path / "log"))

    assert verify_log_folder(tmp_path / "log", the_log()).size == 700


async def test_a_tile_that_is_not_whole_is_not_given_to_others(database: Database, tmp_path: Path) -> None:
    add_receipts(database, 300)
    await publish_all(a_publisher(database, tmp_path / "lost"))
    damage(database, "DELETE FROM log_tiles WHERE level = 0 AND tile = 0")

    with pytest.raises(Refusal, match="LOG_DAMAGED: tile/0/000 is 0 bytes long"):
        await a_publisher(database, tmp_path / "log").publish()

    assert not (tmp_path / "log" / "checkpoint").exists()


class Overtaken(LogStore):
    """A store in which somebody else always publishes first."""

    def __init__(self, database: Database, other: Publisher) -> None:
        super().__init__(database)
        self._other = other

    async def append(self, growth: Growth, sign: Callable[[Head], Signed]) -> bool:
        await self._other.publish()
        return await super().append(growth, sign)


async def test_who_comes_late_signs_nothing_and_looks_again_at_once(
    database: Database, tmp_path: Path
) -> None:
    signatures = Signatures()
    store = Overtaken(database, a_publisher(database, tmp_path / "log"))
    late = publisher_of(store, tmp_path / "log", signatures, ManualClock())
    add_receipts(database, 5)

    more = [await late.publish(), await late.publish()]

    assert more == [True, False]
    assert signatures.heads == []


async def forgotten(database: Database, size: int) -> None:
    """As if the database were the backup that was made when the log had this size."""
    damage(database, f"DELETE FROM log_checkpoints WHERE size > {size}")
    damage(database, f"DELETE FROM decisions WHERE number > {size}")


async def test_an_older_database_is_refused_at_the_start_and_publishes_nothing(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    await shown_in(LogStore(database), folder).check_at_start()
    await forgotten(database, 0)

    with pytest.raises(Refusal) as refused:
        await shown_in(LogStore(database), folder).check_at_start()
    with pytest.raises(Refusal, match="DATABASE_RESTORED"):
        await a_publisher(database, folder).publish()

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "DATABASE_RESTORED")
    assert verify_log_folder(folder, the_log()).size == 5


async def test_a_database_that_signed_another_root_for_the_size_is_refused(
    database: Database, tmp_path: Path
) -> None:
    add_receipts(database, 5)
    await publish_all(a_publisher(database, tmp_path / "log"))
    literal = "x'" + "00" * 32 + "'" if database.dialect == "sqlite" else "'\\x" + "00" * 32 + "'"
    damage(database, f"UPDATE log_checkpoints SET root = {literal}")

    with pytest.raises(Refusal, match="DATABASE_RESTORED"):
        await shown_in(LogStore(database), tmp_path / "log").check_at_start()


async def test_a_folder_of_another_log_or_one_that_cannot_be_read_is_refused(
    database: Database, tmp_path: Path
) -> None:
    add_receipts(database, 1)
    await publish_all(a_publisher(database, tmp_path / "log"))
    store, folder = LogStore(database), tmp_path / "log"
    reasons = []

    for origin, break_it in (("other.example/receipts", False), (ORIGIN, True)):
        if break_it:
            (folder / "checkpoint").write_bytes(b"torn")
        with pytest.raises(Refusal) as refused:
            await shown_in(store, folder, origin=origin).check_at_start()
        reasons.append(refused.value.reason)

    assert reasons == ["LOG_FOLDER_FOREIGN", "LOG_FOLDER_UNREADABLE"]


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda note: note.replace(b"\n5\n", b"\n4\n"), "LOG_FOLDER_ALTERED"),
        # More than a database can count to.
        (lambda note: note.replace(b"\n5\n", b"\n99999999999999999999\n"), "LOG_FOLDER_ALTERED"),
        (lambda _: signed_note(Checkpoint(ORIGIN, 5, bytes(32)).text(), [a_signer(2)]), "LOG_FOLDER_FOREIGN"),
        # One that another has signed, too, is still the one that we signed.
        (lambda note: note + signed_note("other\n", [a_signer(2)]).split(b"\n\n")[1], None),
        (lambda note: note + signed_note("other\n", [a_signer(1)]).split(b"\n\n")[1], "LOG_FOLDER_ALTERED"),
    ],
)
async def test_a_checkpoint_that_no_key_of_the_log_has_signed_is_told_from_an_older_database(
    database: Database, tmp_path: Path, alter: Callable[[bytes], bytes], reason: str | None
) -> None:
    add_receipts(database, 5)
    await publish_all(a_publisher(database, tmp_path / "log"))
    note = tmp_path / "log" / "checkpoint"
    note.write_bytes(alter(note.read_bytes()))

    try:
        await shown_in(LogStore(database), tmp_path / "log").check_at_start()
        found = None
    except Refusal as refusal:
        found = refusal.reason

    assert found == reason


async def test_r6_a_checkpoint_is_believed_under_every_key_that_the_log_ever_had(
    database: Database, tmp_path: Path
) -> None:
    add_receipts(database, 5)
    await publish_all(a_publisher(database, tmp_path / "log"))

    await shown_in(LogStore(database), tmp_path / "log", 2, 1).check_at_start()

    with pytest.raises(Refusal, match="LOG_FOLDER_FOREIGN"):
        await shown_in(LogStore(database), tmp_path / "log", 2).check_at_start()


async def test_a_checkpoint_that_the_folder_does_not_have_is_shown_to_nobody(
    database: Database, tmp_path: Path
) -> None:
    folder, store = tmp_path / "log", LogStore(database)
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    add_receipts(database, 1)
    await publish_all(a_publisher(database, tmp_path / "elsewhere"))
    prover = Prover(store, shown_in(store, folder))

    newest = await prover.newest()
    with pytest.raises(Refusal, match="RECEIPT_NOT_LOGGED"):
        await prover.inclusion(6, 0, "operator", "ada")
    with pytest.raises(Refusal, match="INCLUSION_OUT_OF_RANGE"):
        await prover.inclusion(5, 6, "operator", "ada")
    with pytest.raises(Refusal, match="CONSISTENCY_OUT_OF_RANGE"):
        await prover.consistency(1, 6)

    assert newest.head == Head(5, root_of_first(5))
    assert (await prover.inclusion(5, 0, "operator", "ada")).size == 5


async def test_r5_a_database_that_turns_out_to_be_older_is_told_of_and_other_faults_are_not(
    database: Database, tmp_path: Path
) -> None:
    folder, losses = tmp_path / "log", list[str]()
    add_receipts(database, 5)
    await publish_all(a_publisher(database, folder))
    publisher = publisher_of(
        LogStore(database), folder, Signatures(), ManualClock(), lambda: losses.append("lost")
    )
    note = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(b"torn")
    await publisher.look()
    told_of_the_folder = list(losses)
    (folder / "checkpoint").write_bytes(note)
    await forgotten(database, 0)

    await publisher.look()

    assert (told_of_the_folder, losses) == ([], ["lost"])


async def test_the_figure_tells_how_long_the_oldest_receipt_has_been_waiting(
    database: Database, tmp_path: Path
) -> None:
    clock = ManualClock(NOON_US)
    (tmp_path / "log").write_text("a file where the folder should be")
    publisher = a_publisher(database, tmp_path / "log", clock=clock)
    add_receipts(database, 1)
    clock.advance(3_000_000)
    with pytest.raises(Refusal, match="LOG_FOLDER_UNREADABLE"):
        await publisher.publish()
    waiting = publisher.uncovered_seconds()
    (tmp_path / "log").unlink()

    await publisher.publish()

    assert (waiting, publisher.uncovered_seconds()) == (3.0, 0.0)


async def test_a_checkpoint_is_found_by_its_size(database: Database, tmp_path: Path) -> None:
    add_receipts(database, 2)
    await publish_all(a_publisher(database, tmp_path / "log"))
    note = (tmp_path / "log" / "checkpoint").read_bytes()

    found = await LogStore(database).signed_at(2)

    assert found == Signed(Head(2, root_of_first(2)), note, ManualClock().now_us())
    assert await LogStore(database).signed_at(1) is None
