"""R5: licensing's database comes back from a backup: noticed, refused, accepted, and the log goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from services.chassis.kept_heads import decode
from services.chassis.refusals import Refusal
from sluice.licensing.v1 import log_service_pb2 as log_pb
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice_gate.verifying.checkpoints import Log
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.logged import InclusionProof, verify_in_copy, verify_logged
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder
from tests.support.backups import Backup, FileBackup, ServerBackup
from tests.support.engines import ENGINES, urls_on
from tests.support.keys import some_keys
from tests.support.licensing_fleet import REAL, licensing_replicas
from tests.support.receipts_made import ReceiptMaker
from tests.support.replicas import PATIENCE_SECONDS, Replica, pause

BEFORE, AFTER, AT_ONCE = 30, 300, 30
"""Receipts that the backup has, and that are lost, more than a tile has; and calls side by side."""
ACCEPT = ("--accept-restore", "--by", "ada", "--reason", "the disk broke")
SWEEPS = {"SWEEP_AGE_SECONDS": "0.5", "SWEEP_INTERVAL_SECONDS": "0.2"}


def backup_of(engine: str, url: str, request: pytest.FixtureRequest) -> Backup:
    if engine == "sqlite":
        return FileBackup(Path(url.removeprefix("sqlite:///")))
    return ServerBackup(request.getfixturevalue("postgres"), url)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():
            await pause(asyncio.Event(), 0.05)


async def published(log: Path, size: int) -> bytes:
    """The checkpoint in the folder, as soon as it is over so many receipts."""

    async def is_there() -> bool:
        note = log / "checkpoint"
        return note.exists() and int(note.read_text().split("\n")[1]) >= size

    await until(is_there)
    return (log / "checkpoint").read_bytes()


async def refusal_of(call: Awaitable[object]) -> str:
    try:
        await call
    except Refusal as refusal:
        return refusal.reason
    return ""


async def answers(maker: ReceiptMaker) -> bool:
    return await refusal_of(maker.checkpoint()) == ""


async def is_kept(folder: Path, url: str) -> bool:
    """Whether the file says what the database has come to."""
    kept = decode((folder / "heads" / "licensing.head").read_bytes()).head
    return kept.number >= await asyncio.to_thread(number_of, url)


def number_of(url: str) -> int:
    """Of the latest change."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT number FROM head")).scalar_one())


async def is_behind(maker: ReceiptMaker) -> bool:
    """No decision is made on what was put back, whichever way it is noticed."""
    reason = await refusal_of(maker.decide())
    assert reason in {"DATABASE_BEHIND", "DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN"}
    return reason == "DATABASE_BEHIND"


async def are_resolved(maker: ReceiptMaker, decisions: Sequence[pb.Decision]) -> bool:
    """The holds of all of these, of which the ledger knows nothing any more."""
    return set(await maker.attempts(decisions)) == {pb.ATTEMPT_STATE_LOST}


@dataclass
class Told:
    """What the program said, and how it ended."""

    refused: list[str]
    """While it ran on what was put back."""
    in_use: tuple[int, str]
    started: tuple[int, str]
    accepted: tuple[int, str]
    again: tuple[int, str]


async def tell(licensing: Replica, maker: ReceiptMaker, backup: Backup, known: pb.Decision) -> Told:
    """Puts the backup in the place of the database that is used, and brings it back into use."""
    backup.put_back()
    # With the first write, and then for good.
    await until(lambda: is_behind(maker))
    calls = (maker.decide(), maker.confirm(known.decision_id), maker.suspend())
    refused = [await refusal_of(call) for call in calls]
    in_use = await licensing.run(*ACCEPT)
    await licensing.kill()
    backup.put_back()
    told = Told(
        refused,
        in_use,
        started=await licensing.run(),
        accepted=await licensing.run(*ACCEPT),
        again=await licensing.run(*ACCEPT),
    )
    await licensing.start()
    return told


@pytest.mark.parametrize("engine", ENGINES)
async def test_r5_a_restored_database_is_noticed_refused_accepted_and_the_log_goes_on(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    urls, log = urls_on(engine, request, tmp_path), tmp_path / "log"
    backup = backup_of(engine, urls["licensing"], request)
    async with licensing_replicas(REAL, urls, tmp_path, 1, SWEEPS) as (licensing,):
        maker = ReceiptMaker(licensing.address, tmp_path)
        await maker.prepare()
        for _ in range(BEFORE):
            await maker.decide()
        await published(log, BEFORE)
        backup.take()
        await until(lambda: answers(maker))
        for _ in range(AFTER // AT_ONCE):
            await asyncio.gather(*(maker.decide() for _ in range(AT_ONCE)))
        lost = sorted(maker.decisions[BEFORE:], key=lambda decision: decision.receipt_number)
        kept = await published(log, BEFORE + AFTER)

        told = await tell(licensing, maker, backup, lost[0])
        unknown = await refusal_of(maker.decision(lost[-1].decision_id))
        fresh = await maker.decide()
        await published(log, BEFORE + AFTER + 1)
        await until(lambda: are_resolved(maker, lost))
        proof = await maker.proof(lost[-1].receipt_number)
        await maker.close()

    assert told.refused == ["DATABASE_BEHIND"] * 3
    for (status, said), reason in (
        (told.in_use, "DATABASE_IN_USE"),
        (told.started, "DATABASE_RESTORED"),
        (told.again, "NOT_RESTORED"),
    ):
        assert (status, reason in said) == (1, True), said
    assert told.accepted[0] == 0, told.accepted[1]
    assert f"Receipts {BEFORE + 1} to {BEFORE + AFTER} were published and are lost" in told.accepted[1]
    assert unknown == "DECISION_UNKNOWN"
    assert fresh.receipt_number == BEFORE + AFTER + 1
    check_log(tmp_path, kept, maker.decisions)
    check_proof(tmp_path, proof, lost[-1])


def known_log(folder: Path) -> Log:
    return Log("localhost/receipts", load_keys(some_keys(folder).checkpoint_jwks))


def check_log(folder: Path, kept: bytes, decisions: Sequence[pb.Decision]) -> None:
    """It goes on from the checkpoint that was kept, and has every receipt that was answered in its place."""
    log, keys = folder / "log", load_keys(some_keys(folder).receipt_jwks)
    shown = verify_log_folder(log, known_log(folder))
    verify_kept(log, shown, kept, known_log(folder))
    numbers = [verify_in_copy(decision.receipt, log, shown, keys).number for decision in decisions]
    assert sorted(numbers) == list(range(1, shown.size + 1))


def check_proof(folder: Path, proof: log_pb.GetInclusionProofResponse, lost: pb.Decision) -> None:
    """Of a receipt whose decision is lost, for whoever has the receipt."""
    found = InclusionProof(proof.receipt_number - 1, proof.tree_size, proof.hashes)
    keys = load_keys(some_keys(folder).receipt_jwks)
    logged = verify_logged(lost.receipt, found, proof.checkpoint.note, known_log(folder), keys)
    assert (proof.decision_id, logged.decision_id) == ("", lost.decision_id)


@pytest.mark.parametrize("engine", ENGINES)
async def test_r5_a_backup_that_has_every_receipt_and_lacks_a_suspension_is_refused_until_it_is_accepted(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    urls, log = urls_on(engine, request, tmp_path), tmp_path / "log"
    backup = backup_of(engine, urls["licensing"], request)
    async with licensing_replicas(REAL, urls, tmp_path, 1) as (licensing,):
        maker = ReceiptMaker(licensing.address, tmp_path)
        await maker.prepare()
        await maker.decide()
        await published(log, 1)
        backup.take()
        await until(lambda: answers(maker))
        await maker.suspend()
        # The sessions that the backup has ended are there again, and what is kept follows.
        await until(lambda: is_kept(tmp_path, urls["licensing"]))
        assert await licensing.stop() == 0
        backup.put_back()

        started = await licensing.run()
        accepted = await licensing.run(*ACCEPT)
        (log / "checkpoint").rename(log / "away")
        without_log = await licensing.run()
        written_again = await licensing.run(*ACCEPT, "--log-folder-lost")
        await licensing.start()
        fresh = await maker.decide()
        await published(log, 2)
        await maker.close()

    assert (started[0], "DATABASE_RESTORED" in started[1]) == (1, True), started[1]
    assert accepted[0] == 0, accepted[1]
    assert "Every receipt that was published is there." in accepted[1]
    assert (without_log[0], "LOG_FOLDER_EMPTY" in without_log[1]) == (1, True), without_log[1]
    assert written_again[0] == 0, written_again[1]
    assert fresh.receipt_number == 2
    verify_log_folder(log, known_log(tmp_path))
