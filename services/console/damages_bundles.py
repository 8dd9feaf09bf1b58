"""Writes the bundle of an assessment: document, rows, sums, and the same for people.

docs/evidence-format.md says what is in it. A folder is there as a whole or not at all.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from services.chassis.refusals import precondition
from services.console.damages_folders import free_folder
from services.console.damages_rows import Rows
from services.console.damages_windows import draw_window
from services.console.plots import need_matplotlib
from sluice_gate.damages.bundle import (
    ASSESSMENT,
    EVIDENCE,
    PLOT,
    README,
    SUMS,
    file_digest,
    part_name,
    sums_text,
)
from sluice_gate.damages.counting import Counted, counted
from sluice_gate.damages.rows import (
    ACCESSES,
    COLUMNS,
    ELSEWHERE,
    chunk_digest,
    need_arrow,
    root_digest,
    schema,
)
from sluice_gate.damages.summary import summary
from sluice_gate.damages.tariffs import Ints

Progress = Callable[[str, int, int], None]
"""Is told what is going on, how much of it is done, and of how much."""
COMPRESSION = "zstd"


def write_bundle(document: bytes, chunks: Iterable[Rows], bundle: Path, progress: Progress) -> None:
    """Writes the folder of a bundle, which must not be there.

    Chunks may have any number of rows, in the order of all of them. `document` is what metering keeps, byte
    for byte, and is not judged here; that the rows are those it was made from is.

    Raises Refusal (precondition, BUNDLE_EXISTS; EVIDENCE_DIFFERS; PLOT_MISSING), VerificationError
    (PARQUET_MISSING) and OSError.
    """
    need_matplotlib()
    unfinished = free_folder(bundle)
    writer = _Writer(json.loads(document), unfinished, progress)
    (writer.folder / EVIDENCE).mkdir(parents=True)
    try:
        (writer.folder / ASSESSMENT).write_bytes(document)
        writer.write(chunks)
        writer.folder.rename(bundle)
    finally:
        if writer.folder.exists():
            shutil.rmtree(writer.folder)


class _Writer:
    def __init__(self, document: dict[str, Any], folder: Path, progress: Progress) -> None:
        self._arrow = need_arrow()
        self._document = document
        self.folder = folder
        self._progress = progress
        self._digests: list[bytes] = []
        self._counting: list[tuple[Ints, Ints]] = []
        self._rows = 0

    def write(self, chunks: Iterable[Rows]) -> None:
        """Everything but the document."""
        said = self._document["evidence"]
        parts = -(-said["rows"] // said["chunk_rows"])
        for index, table in enumerate(self._tables(chunks, said["chunk_rows"])):
            self._progress("rows", index, parts)
            self._digests.append(chunk_digest(table))
            self._rows += len(table)
            path = self.folder / part_name(index)
            self._arrow.parquet.write_table(table, path, compression=COMPRESSION)
        root = root_digest(self._digests).hex()
        if (self._rows, root) != (said["rows"], said["root"]):
            raise precondition(
                "EVIDENCE_DIFFERS",
                f"{self._rows} rows with root {root} came, but the assessment is of {said['rows']} rows with"
                f" root {said['root']}",
            )
        self._progress("summary", 0, 2)
        text = summary(self._document, self._digest(ASSESSMENT))
        (self.folder / README).write_bytes(text.encode())
        draw_window(self._document, self._counted(), self.folder / PLOT)
        self._progress("sums of files", 1, 2)
        names = [ASSESSMENT, README, PLOT, *(part_name(index) for index in range(len(self._digests)))]
        (self.folder / SUMS).write_bytes(sums_text({name: self._digest(name) for name in names}))

    def _digest(self, name: str) -> str:
        return file_digest(self.folder / name)

    def _tables(self, chunks: Iterable[Rows], size: int) -> Iterator[Any]:
        """All rows, so many in each table but the last."""
        waiting = schema(self._arrow).empty_table()
        for chunk in chunks:
            self._note(chunk)
            waiting = self._arrow.concat_tables([waiting, self._table(chunk)])
            while len(waiting) >= size:
                yield waiting.slice(0, size).combine_chunks()
                waiting = waiting.slice(size)
        if len(waiting):
            yield waiting.combine_chunks()

    def _table(self, chunk: Rows) -> Any:
        columns = {name: getattr(chunk, name) for name in COLUMNS}
        return self._arrow.table(columns, schema=schema(self._arrow))

    def _note(self, chunk: Rows) -> None:
        """Keeps what counts as the policy has it, for the picture."""
        policy = self._document["policy"]
        counts = np.isin(chunk.access, [ACCESSES[word] for word in policy["accesses"]])
        if not policy["licensed_volume_counts"]:
            counts &= np.asarray(chunk.origin) == ELSEWHERE
        self._counting.append((np.asarray(chunk.at_us)[counts], np.asarray(chunk.posts)[counts]))

    def _counted(self) -> Counted:
        none = np.zeros(0, np.int64)
        at_us, posts = (
            np.concatenate([none, *column]) for column in zip((none, none), *self._counting, strict=True)
        )
        return counted(at_us, posts)
