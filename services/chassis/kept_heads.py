"""A small file outside of a service's database that says how far the database had come (R5).

It is whole and durable when it is there, and never goes back but for an operator who accepts a restore.
Processes that share it write it one after the other; the kernel lets go of the lock when one of them dies.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.chassis import file_locks
from services.chassis.actions import NO_ACTIONS, NO_DIGEST, ActionHead
from services.chassis.heads import Head
from services.chassis.refusals import precondition
from services.chassis.whole_files import sync_folder, write_file

MODE = 0o600
LOCK_SECONDS = 5.0
"""Others hold it for one small file; one that was stopped while it held it keeps nobody from ending."""


@dataclass(frozen=True)
class KeptHead:
    """What the file says."""

    service: str
    """Such as "consent"."""
    database: str
    """The mark that the database was made with."""
    head: Head
    """It had committed so much."""
    restores: tuple[Head, ...] = ()
    """For each epoch after the first, in order: it, and the number up to which it shares its history with
    the epochs before. A backup from before a restore does not know of the restore; this file does."""
    actions: ActionHead = NO_ACTIONS
    """The log of operators' actions had come so far; `head` need not move with it."""

    def lacks(self, head: Head, actions: ActionHead) -> bool:
        """Whether a database has come further than this says."""
        is_further = head.epoch == self.head.epoch and actions.number > self.actions.number
        return head > self.head or is_further


class HeadFile:
    """The kept head of one service; every call blocks and may raise OSError."""

    def __init__(self, folder: Path, service: str) -> None:
        """`folder` is made when it is first written to."""
        self.service = service
        self._folder = folder
        self._path = folder / f"{service}.head"

    def read(self) -> KeptHead | None:
        """What it says, None where there is none; raises Refusal as `decode`."""
        try:
            return decode(self._path.read_bytes())
        except FileNotFoundError:
            return None

    def raise_to(self, kept: KeptHead) -> KeptHead:
        """Writes what is further than what is there, and tells what is there then; durable when it returns.

        Raises Refusal (precondition): HEAD_DAMAGED, HEAD_OF_ANOTHER_SERVICE, HEAD_OF_ANOTHER_DATABASE.
        """
        with self._alone():
            there = self.read()
            if there is not None:
                check_same(kept.service, kept.database, there)
                if not there.lacks(kept.head, kept.actions):
                    return there
                # Two processes have each read before the other wrote.
                head = max(kept.head, there.head)
                of_one_epoch = (there.actions, kept.actions)
                is_new = kept.head.epoch > there.head.epoch
                actions = kept.actions if is_new else max(of_one_epoch, key=lambda each: each.number)
                # Each may know of one that the other does not: the file of one that a backup is from before,
                # the database of one whose acceptance died before it was written here.
                restores = all_restores(there.restores, kept.restores)
                kept = replace(kept, head=head, actions=actions, restores=restores)
            self._write(kept)
            return kept

    def replace(self, kept: KeptHead) -> None:
        """Writes it whatever is there; for an operator who accepts a restore."""
        with self._alone():
            self._write(kept)

    def _write(self, kept: KeptHead) -> None:
        write_file(self._path, encode(kept), MODE, self._folder / f".{self.service}.head.draft")
        sync_folder(self._folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f".{self.service}.head.lock").open("a", encoding="ascii") as lock:
            file_locks.take(lock, "the folder of the kept head", within_seconds=LOCK_SECONDS)
            yield


def all_restores(*known: Iterable[Head]) -> tuple[Head, ...]:
    """Those that any of them knows, in order: of a lost one, more would be taken as shared than is."""
    return tuple(sorted(set().union(*known)))


def check_same(service: str, database: str, kept: KeptHead) -> None:
    """Raises Refusal (precondition): HEAD_OF_ANOTHER_SERVICE, HEAD_OF_ANOTHER_DATABASE."""
    if kept.service != service:
        message = f"the kept head is that of {kept.service}, not of {service}: head_dir names a wrong folder"
        raise precondition("HEAD_OF_ANOTHER_SERVICE", message)
    if kept.database != database:
        message = (
            "the kept head is that of another database: if that one is lost and this one is to take its"
            " place, an operator accepts it with `sluice restore accept`"
        )
        raise precondition("HEAD_OF_ANOTHER_DATABASE", message)


def encode(kept: KeptHead) -> bytes:
    """One line of JSON."""
    fields = {
        "service": kept.service,
        "database": kept.database,
        "epoch": kept.head.epoch,
        "number": kept.head.number,
        "restores": [list(each) for each in kept.restores],
        "actions": [kept.actions.number, kept.actions.digest.hex()],
    }
    return json.dumps(fields).encode() + b"\n"


def decode(content: bytes) -> KeptHead:
    """What `encode` wrote; raises Refusal (precondition, HEAD_DAMAGED) for anything else."""
    try:
        fields = json.loads(content)
        # A release that kept no log of actions wrote none of it.
        number, digest = fields.get("actions", (0, NO_DIGEST.hex()))
        return KeptHead(
            _text(fields["service"]),
            _text(fields["database"]),
            Head(_whole(fields["epoch"]), _whole(fields["number"])),
            tuple(Head(_whole(epoch), _whole(number)) for epoch, number in fields["restores"]),
            ActionHead(_whole(number), bytes.fromhex(_text(digest))),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise precondition("HEAD_DAMAGED", "the kept head is there and cannot be understood") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a whole number is expected")
    return value
