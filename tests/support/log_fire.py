"""Pipelines at full speed over replicas of licensing that are killed while they publish the log.

What is compared is what was seen from outside: every receipt that was answered, and every checkpoint that the
folder showed or that was answered. Nothing of it is read out of the database.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.refusals import Refusal
from sluice_gate.verifying.checkpoints import Log, verify_checkpoint
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.logged import verify_in_copy
from sluice_gate.verifying.tiles import verify_kept, verify_log_folder
from tests.support.keys import some_keys
from tests.support.receipts_made import ReceiptMaker
from tests.support.replicas import Replica, pause

PIPELINES = 6
LOOK_SECONDS = 0.01
RECEIPTS_OF_A_LIFE = 20
LONGEST_REST_SECONDS = 0.6
"""After those; more than a look of the publisher: many deaths are in the middle of one."""
NO_ANSWER = {"PEER_UNAVAILABLE", "DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN", "DECISION_CONTENDED"}
PATIENCE_SECONDS = 60.0


@dataclass
class LogFire:
    """One run; `burn` ends after so many deaths, when as many checkpoints were seen."""

    replicas: Sequence[Replica]
    folder: Path
    """Has the keys, and the log in a folder of its own."""
    seed: int
    kills: int = 0
    unanswered: int = 0
    shown: set[bytes] = field(default_factory=set)
    """Every checkpoint that anybody was shown."""
    receipts: set[str] = field(default_factory=set)
    """Every receipt that was answered."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._over = asyncio.Event()

    def __str__(self) -> str:
        """In one line."""
        return (
            f"seed {self.seed}: {self.kills} kills, {len(self.receipts):,} receipts, {len(self.shown):,} "
            f"checkpoints seen, {self.unanswered:,} calls not answered"
        )

    async def burn(self, kills: int) -> None:
        """Returns when the log has every receipt that was answered."""
        maker = ReceiptMaker(self.replicas[0].address, self.folder)
        await maker.prepare()
        await maker.close()
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch())
            async with asyncio.TaskGroup() as pipelines:
                for number in range(PIPELINES):
                    pipelines.create_task(self._pipeline(self.replicas[number % len(self.replicas)]))
                await self._torment(kills)
                self._over.set()
            await self._until_all_are_published()
            watching.cancel()

    async def _pipeline(self, replica: Replica) -> None:
        """Each request again until it is answered, so that none is left of which nobody knows."""
        maker = ReceiptMaker(replica.address, self.folder)
        while not self._over.is_set():
            request_id = maker.new_id()
            while (receipt := await self._receipt(maker, request_id)) is None:
                await pause(asyncio.Event(), 0.05)
            self.receipts.add(receipt)
            await self._look_at_newest(maker)
        await maker.close()

    async def _receipt(self, maker: ReceiptMaker, request_id: str) -> str | None:
        try:
            return (await maker.decide(request_id)).receipt
        except Refusal as refusal:
            assert refusal.reason in NO_ANSWER, refusal
            self.unanswered += 1
            return None

    async def _look_at_newest(self, maker: ReceiptMaker) -> None:
        try:
            self.shown.add(await maker.checkpoint())
        except Refusal as refusal:
            assert refusal.reason in NO_ANSWER | {"CHECKPOINT_UNKNOWN"}, refusal

    async def _watch(self) -> None:
        """Keeps every checkpoint that the folder shows."""
        note = self.folder / "log" / "checkpoint"
        while True:
            if note.exists():
                self.shown.add(note.read_bytes())
            await asyncio.sleep(LOOK_SECONDS)

    async def _torment(self, kills: int) -> None:
        """Kills one after the other, and starts it again, on and on until as many checkpoints were seen."""
        while min(self.kills, len(self.shown)) < kills:
            await self._some_more()
            await pause(self._over, self._chance.uniform(0, LONGEST_REST_SECONDS))
            replica = self._chance.choice(self.replicas)
            await replica.kill()
            self.kills += 1
            await replica.start()

    async def _some_more(self) -> None:
        """Receipts, since the last death."""
        before = len(self.receipts)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.receipts) < before + RECEIPTS_OF_A_LIFE:
                await pause(asyncio.Event(), 0.02)

    async def _until_all_are_published(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._published() < len(self.receipts):
                await pause(asyncio.Event(), 0.1)

    def _published(self) -> int:
        note = self.folder / "log" / "checkpoint"
        return int(note.read_text(encoding="utf-8").split("\n")[1]) if note.exists() else 0

    def check(self) -> None:
        """The folder verifies, has every receipt once, and goes back to every checkpoint that was shown."""
        keys, folder = some_keys(self.folder), self.folder / "log"
        log = Log("localhost/receipts", load_keys(keys.checkpoint_jwks))
        newest = verify_log_folder(folder, log)
        receipt_keys = load_keys(keys.receipt_jwks)
        numbers = {verify_in_copy(each, folder, newest, receipt_keys).number for each in self.receipts}
        assert len(numbers) == len(self.receipts)
        seen = [verify_checkpoint(note, log) for note in self.shown]
        roots = {(checkpoint.size, checkpoint.root) for checkpoint in seen}
        assert len(roots) == len({size for size, _ in roots}), "two roots for one size"
        for note in self.shown:
            verify_kept(folder, newest, note, log)
