"""Imports of whole files: page by page in their order, with every row accounted for."""

import asyncio
import contextlib
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import typer
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.console.moments import clock_face, written
from services.console.output import counted, give_json, note, progress, say, show, table
from services.console.pages import Courier, Line, Page, Sleep
from services.console.rows import BadRow, Chunk
from sluice.type.v1.revision_pb2 import Revision

LISTED_BAD_ROWS = 20

M = TypeVar("M", bound=Message)
Answer_contra = TypeVar("Answer_contra", contravariant=True)
Rows = list[tuple[int, M]]


class Imported(Protocol):
    """What the responses to all imports have in common."""

    accepted: int
    unchanged: int

    @property
    def rejected(self) -> Iterable[Any]: ...
    @property
    def revision(self) -> Revision: ...
    @property
    def in_force_after(self) -> Timestamp: ...


@dataclass(frozen=True)
class Destination(Generic[M]):
    """Where rows go."""

    to_request: Callable[[Rows[M]], Any]
    """A page of them as a request, under a fresh id."""
    open_line: Callable[[], AbstractAsyncContextManager[Line[Any, Any]]]
    """For such requests; each is answered by what the tally adds up, by an Imported for Totals."""


class Tally(Protocol[Answer_contra]):
    """What becomes of a file, as it is found out."""

    def reject(self, bad: Iterable[BadRow]) -> None:
        """Rows that are not sent."""
        ...

    def add(self, answer: Answer_contra, rows: int) -> None:
        """The answer to one page of so many rows."""
        ...


@dataclass
class Totals:
    """What became of a file."""

    accepted: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)
    revision: int = 0
    """Of consent, after the last page; 0 when nothing was sent."""
    in_force_after: Timestamp | None = None

    def reject(self, bad: Iterable[BadRow]) -> None:
        """Lists rows that are not sent."""
        self.bad += bad

    def add(self, answer: Imported, _rows: int = 0) -> None:
        """Counts the answer to one page."""
        self.accepted += answer.accepted
        self.unchanged += answer.unchanged
        self.bad += [BadRow(row.line, row.reason, row.message) for row in answer.rejected]
        self.revision = answer.revision.number
        self.in_force_after = answer.in_force_after


async def import_chunks(
    chunks: Iterable[Chunk[M]],
    destination: Destination[M],
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
    sleep: Sleep = asyncio.sleep,
) -> Totals:
    """Sends every chunk; raises the Refusal that stopped it (what was answered before stays imported)."""
    totals = Totals()
    await deliver_chunks(chunks, destination, totals, on_progress, sleep)
    totals.bad.sort(key=lambda row: row.line)
    return totals


async def deliver_chunks(
    chunks: Iterable[Chunk[M]],
    destination: Destination[M],
    tally: Tally[Any],
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """`import_chunks` with a tally of another kind."""

    def pages() -> Iterator[Page[Any]]:
        for chunk in chunks:
            tally.reject(chunk.bad)
            if chunk.rows:
                yield Page(destination.to_request(chunk.rows), chunk.bytes_read)

    def on_answer(page: Page[Any], answer: Any) -> None:
        tally.add(answer, len(page.request.rows))
        on_progress(page.bytes_read)

    await Courier(destination.open_line, on_answer, sleep).deliver(pages())


async def import_file(path: Path, chunks: Iterable[Chunk[M]], destination: Destination[M]) -> Totals:
    """`import_chunks` with a progress bar over the bytes of the file."""
    with progress_through(path) as on_progress:
        return await import_chunks(chunks, destination, on_progress)


@contextlib.contextmanager
def progress_through(path: Path) -> Iterator[Callable[[int], None]]:
    """A progress bar over the bytes of a file: it is told how many of them are done."""
    with progress() as bar:
        task = bar.add_task(path.name, total=_size(path))
        yield lambda done: bar.update(task, completed=done)


def conclude(
    totals: Totals,
    noun: str,
    bad_rows: Path | None,
    *,
    as_json: bool,
    notes: Iterable[str] = (),
    fields: Mapping[str, Any] | None = None,
) -> None:
    """Says what became of the file, and exits: with 1 when a row was refused.

    `notes` come after it; `fields` are what they say, for programs.
    """
    if bad_rows is not None:
        write_bad_rows(bad_rows, totals.bad)
    if as_json:
        give_json(_plain(totals) | dict(fields or {}))
    else:
        report(totals, noun, bad_rows)
        for sentence in notes:
            note(sentence)
    raise typer.Exit(1 if totals.bad else 0)


def write_bad_rows(path: Path, bad: Iterable[BadRow]) -> None:
    """Every row that was not taken, as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "message"))
        writer.writerows((row.line, row.reason, row.message) for row in bad)


def report(totals: Totals, noun: str, bad_rows: Path | None) -> None:
    """Says to people what became of the file."""
    bad = counted(len(totals.bad), "row")
    say(f"{counted(totals.accepted, noun)} taken, {totals.unchanged:,} unchanged, {bad} refused.")
    if totals.in_force_after is not None and totals.accepted:
        say(f"Revision {totals.revision}, in force everywhere after {clock_face(totals.in_force_after)}.")
    if totals.bad:
        rows = [(row.line, row.reason, row.message) for row in totals.bad[:LISTED_BAD_ROWS]]
        show(table((">line", "reason", "message"), rows))
    if len(totals.bad) > LISTED_BAD_ROWS:
        where = f"{bad_rows} lists them all" if bad_rows else "--bad-rows FILE lists them all"
        note(f"... and {len(totals.bad) - LISTED_BAD_ROWS:,} more rows; {where}.")


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
