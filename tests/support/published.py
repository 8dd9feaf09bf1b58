"""Logs that are published from a database of licensing, and processes that die while they publish."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.keys import public_jwk
from services.chassis.rotation import REVOKED
from services.licensing.domain.log.notes import NoteSigner, parse_checkpoint
from services.licensing.domain.reasons import Reason
from services.licensing.publishing import Publisher
from services.licensing.restores import Shown
from services.licensing.signing import NoteReader
from services.licensing.storage import log_folder
from services.licensing.storage.head import lock_head, take_number
from services.licensing.storage.log import LogStore
from services.licensing.storage.log_folder import LogFolder
from tests.support.clock import NOON_US, ManualClock
from tests.support.counted import DECISIONS, Made, values
from tests.support.logs import ORIGIN, a_key, a_signer


def receipt_of(number: int) -> str:
    """What stands for a receipt: the log takes any text."""
    return f"header.claims-of-{number}.signature"


def add_receipts(database: Database, count: int, receipt: Callable[[int], str] = receipt_of) -> None:
    """As many decisions of the firehose for acme, with the next numbers."""
    made = Made(NOON_US, "acme", 2, (Reason.RELEASED,))

    def unit(connection: Connection) -> None:
        lock_head(connection)
        for _ in range(count):
            number, id = take_number(connection), uuid7(NOON_US)
            row = {"decision_id": id, "request_id": id, "receipt": receipt(number)}
            more = {"posts_released": 1, "recorded_at_us": NOON_US}
            connection.execute(insert(DECISIONS), values(made, number) | row | more)

    database.write_now(unit)


@dataclass
class Signatures:
    """A signer that remembers every head that it was asked to sign, stored or not."""

    heads: list[tuple[int, bytes]] = field(default_factory=list)

    def signer(self) -> NoteSigner:
        key = a_signer()

        def sign(text: bytes) -> bytes:
            checkpoint = parse_checkpoint(text.decode())
            self.heads.append((checkpoint.size, checkpoint.root))
            return key.sign(text)

        return NoteSigner(ORIGIN, key.public_key, sign)

    def check(self) -> None:
        """No size after a larger one, and one root for each."""
        sizes = [size for size, _ in self.heads]
        assert sizes == sorted(sizes)
        assert len(set(self.heads)) == len(set(sizes))


def a_publisher(
    database: Database, folder: Path, signatures: Signatures | None = None, clock: ManualClock | None = None
) -> Publisher:
    return publisher_of(LogStore(database), folder, signatures or Signatures(), clock or ManualClock())


def publisher_of(
    store: Any,
    folder: Path,
    signatures: Signatures,
    clock: Clock,
    on_loss: Callable[[], None] = lambda: None,
) -> Publisher:
    """One that writes into a folder, over whatever is a store."""
    files = LogFolder(folder)
    shown = shown_in(store, folder)
    return Publisher(store, files, shown, signatures.signer(), clock, on_loss=on_loss)


def shown_in(store: Any, folder: Path, *numbers: int, origin: str = ORIGIN) -> Shown:
    """What a folder shows to who knows these keys of the log, the first one unless said."""
    return Shown(store, LogFolder(folder), reader_of(folder, *numbers, origin=origin))


def reader_of(folder: Path, *numbers: int, origin: str = ORIGIN, revoked: Sequence[int] = ()) -> NoteReader:
    """Who knows these keys of the log, the first one unless said; they are written beside its folder."""
    jwks = folder.parent / f"jwks-of-{'-'.join(map(str, [*(numbers or (1,)), 0, *revoked]))}.json"
    jwks.parent.mkdir(parents=True, exist_ok=True)
    keys = [
        public_jwk(a_key(number).public_key()) | ({"exp": 1, REVOKED: True} if number in revoked else {})
        for number in numbers or (1,)
    ]
    jwks.write_text(json.dumps({"keys": keys}))
    return NoteReader(jwks, origin)


class Death(BaseException):
    """The process is gone."""


class Mortal:
    """Counts the steps of a publication, and dies before the one with a number."""

    def __init__(self, dies_before: int) -> None:
        self.steps = 0
        self._dies_before = dies_before

    def step(self) -> None:
        self.steps += 1
        if self.steps == self._dies_before:
            raise Death

    def publisher(
        self, database: Database, folder: Path, signatures: Signatures, patch: pytest.MonkeyPatch
    ) -> Publisher:
        """One that dies, at its calls of the database or between any two files."""
        for name in ("write_file", "sync_folder"):
            patch.setattr(log_folder, name, self._mortally(getattr(log_folder, name)))
        return publisher_of(_MortalStore(LogStore(database), self), folder, signatures, ManualClock())

    def _mortally(self, call: Callable[..., None]) -> Callable[..., None]:
        def mortal(*arguments: Any) -> None:
            self.step()
            call(*arguments)

        return mortal


class _MortalStore:
    """A store before and after each of whose calls the process can die."""

    def __init__(self, store: LogStore, mortal: Mortal) -> None:
        self._store = store
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            self._mortal.step()
            result = await getattr(self._store, name)(*arguments)
            self._mortal.step()
            return result

        return call


async def publish_all(publisher: Publisher) -> None:
    """Until nothing waits."""
    more = True
    while more:
        more = await publisher.publish()
