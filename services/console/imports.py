"""Imports of whole files: a request for each chunk, one after the other, so that the order is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Kind, Refusal
from services.console.moments import clock_face, written
from services.console.output import counted, give_json, note, progress, say, show, table
from services.console.rows import BadRow, Chunk
from sluice.type.v1.revision_pb2 import Revision

IMPORT_DEADLINE_US = 60_000_000
"""For one chunk; consent holds imports back to the pace of its index."""
TRIES = 30
LISTED_BAD_ROWS = 20

M = TypeVar("M", bound=Message)
Rows = list[tuple[int, M]]


class Imported(Protocol):
    """What the responses to both imports have in common."""

    accepted: int
    unchanged: int

    @property
    def rejected(self) -> Iterable[Any]: ...
    @property
    def revision(self) -> Revision: ...
    @property
    def in_force_after(self) -> Timestamp: ...


@dataclass
class Totals:
    """What became of a file."""

    accepted: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)
    revision: int = 0
    """Of consent, after the last chunk; 0 when nothing was sent."""
    in_force_after: Timestamp | None = None

    def add(self, answer: Imported) -> None:
        """Counts the answer to one chunk."""
        self.accepted += answer.accepted
        self.unchanged += answer.unchanged
        self.bad += [BadRow(row.line, row.reason, row.message) for row in answer.rejected]
        self.revision = answer.revision.number
        self.in_force_after = answer.in_force_after


async def import_chunks(
    chunks: Iterable[Chunk[M]],
    send: Callable[[Rows[M]], Awaitable[Imported]],
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> Totals:
    """Sends every chunk; raises the Refusal that stopped it (what was answered before stays imported)."""
    totals = Totals()
    for chunk in chunks:
        totals.bad += chunk.bad
        if chunk.rows:
            totals.add(await _send_patiently(send, chunk.rows))
        on_progress(chunk.bytes_read)
    totals.bad.sort(key=lambda row: row.line)
    return totals


async def import_file(
    path: Path, chunks: Iterable[Chunk[M]], send: Callable[[Rows[M]], Awaitable[Imported]]
) -> Totals:
    """`import_chunks` with a progress bar over the bytes of the file."""
    with progress() as bar:
        task = bar.add_task(path.name, total=_size(path))
        return await import_chunks(chunks, send, lambda done: bar.update(task, completed=done))


def report(totals: Totals, noun: str, *, as_json: bool) -> None:
    """Says what became of the file."""
    if as_json:
        give_json(_plain(totals))
        return
    bad = counted(len(totals.bad), "row")
    say(f"{counted(totals.accepted, noun)} taken, {totals.unchanged:,} unchanged, {bad} refused.")
    if totals.in_force_after is not None and totals.accepted:
        say(f"Revision {totals.revision}, in force everywhere after {clock_face(totals.in_force_after)}.")
    if totals.bad:
        rows = [(row.line, row.reason, row.message) for row in totals.bad[:LISTED_BAD_ROWS]]
        show(table((">line", "reason", ""), rows))
        if len(totals.bad) > LISTED_BAD_ROWS:
            note(f"... and {len(totals.bad) - LISTED_BAD_ROWS:,} more rows; --json lists them all.")


async def _send_patiently(send: Callable[[Rows[M]], Awaitable[Imported]], rows: Rows[M]) -> Imported:
    """Comes back when it is told to: a service that is busy says after how long."""
    for _ in range(TRIES - 1):
        try:
            return await send(rows)
        except Refusal as refusal:
            if refusal.kind is not Kind.EXHAUSTED or refusal.retry_after_us is None:
                raise
            await asyncio.sleep(refusal.retry_after_us / 1_000_000)
    return await send(rows)


def _size(path: Path) -> int:
    return path.stat().st_size


def _plain(totals: Totals) -> dict[str, Any]:
    return {
        "accepted": totals.accepted,
        "unchanged": totals.unchanged,
        "rejected": [vars(row) for row in totals.bad],
        "revision": totals.revision,
        "in_force_after": written(totals.in_force_after) if totals.in_force_after is not None else None,
    }
