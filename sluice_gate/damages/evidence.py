"""The rows of a bundle, read part by part as a stranger wrote them, with everything that is wrong with them.

Of each kind of fault of a part the first row is told and how many there are: a file of millions of faults
must not drown the others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sluice_gate.damages.bundle import Folder, part_name
from sluice_gate.damages.differences import Difference, shown
from sluice_gate.damages.row_faults import order_faults, row_faults, sum_faults, tail_of
from sluice_gate.damages.rows import COLUMNS, chunk_digest, need_arrow, root_digest
from sluice_gate.damages.stretches import Stretches
from sluice_gate.damages.sweeping import Progress
from sluice_gate.damages.tariffs import Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """What is needed of the rows to compute everything else, in order of time."""

    at_us: Ints
    posts: Ints
    party: Ints
    """Rank among the parties of members, int32."""
    origin: Ints
    access: Ints
    """Both uint8."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found."""

    rows: Rows | None
    """None where a part could not be read, or numbers are such that nothing can be computed from them."""
    differences: list[Difference]


class EvidenceReader:
    """Reads all parts of one bundle, once."""

    def __init__(self, document: dict[str, Any], folder: Folder) -> None:
        """`document`: one whose ground is sound. Raises VerificationError (PARQUET_MISSING)."""
        self._arrow = need_arrow()
        self._folder = folder
        self._said = document["evidence"]
        self._last_number = document["as_of"]["number"]
        self._stretches = Stretches(document["members"])
        self._found: list[Difference] = []
        self._digests: list[bytes] = []
        self._columns: list[Rows] = []

    def read(self, progress: Progress) -> Evidence:
        """Everything, in order of the parts."""
        rows, size = self._said["rows"], self._said["chunk_rows"]
        parts, tail, is_whole = -(-rows // size), None, True
        # A document may claim any number of parts; that files are missing is told elsewhere.
        for index in range(min(parts, len(self._folder.files) + 1)):
            progress("rows", index, parts)
            name = part_name(index)
            path = self._folder.files.get(name)
            table = self._table(name, path, min(size, rows - index * size)) if path else None
            if table is None:
                is_whole, tail = False, None
                continue
            self._digests.append(chunk_digest(table))
            tail = self._take(name, table, tail)
        if not is_whole:
            self._found.append(Difference("evidence.root", self._said["root"], "not all rows can be read"))
            return Evidence(None, self._found)
        return self._end()

    def _end(self) -> Evidence:
        root = root_digest(self._digests).hex()
        if root != self._said["root"]:
            self._found.append(Difference("evidence.root", self._said["root"], root))
        rows = _joined(self._columns)
        faults = list(
            sum_faults(rows.at_us, rows.party, 4 * rows.origin.astype(np.int64) + rows.access, rows.posts)
        )
        self._found += faults
        return Evidence(None if faults else rows, self._found)

    def _table(self, name: str, path: Path, expected: int) -> Any | None:
        """A part with just the columns it should have and no nulls, or None and a fault."""
        try:
            with self._arrow.parquet.ParquetFile(path) as file:
                columns = [(field.name, str(field.type)) for field in file.schema_arrow]
                if columns != list(COLUMNS.items()):
                    return self._tell(name, shown(columns), shown(list(COLUMNS.items())))
                if file.metadata.num_rows != expected:
                    return self._tell(name, f"{file.metadata.num_rows} rows", f"{expected} rows")
                table = file.read()
            table.validate(full=True)
        except (self._arrow.ArrowException, OSError, ValueError, OverflowError) as error:
            first_line = str(error).partition("\n")[0]
            return self._tell(name, shown(first_line), "a Parquet file that can be read")
        if nulls := [column for column in COLUMNS if table.column(column).null_count]:
            return self._tell(name, f"nulls in {', '.join(nulls)}", "no nulls")
        return table

    def _tell(self, name: str, said: str, computed: str) -> Any | None:
        """Keeps why a part cannot be used; there is no table then."""
        self._found.append(Difference(name, said, computed))
        return None

    def _take(self, name: str, table: Any, tail: Any) -> Any:
        """Checks the rows of a part and keeps what is needed; gives those that the next part may repeat."""
        party = self._ranks(table)
        column = {key: table.column(key).to_numpy() for key, kind in COLUMNS.items() if kind != "string"}
        held = self._stretches.hold(party, column["at_us"])
        self._found += row_faults(name, table, column, (party >= 0, held), self._last_number)
        joined = table if tail is None else self._arrow.concat_tables([tail, table])
        self._found += order_faults(name, joined, self._ranks(joined), len(joined) - len(table))
        # What is of no member is a fault, and no evidence of anything.
        kept = (column["at_us"], column["posts"], party, column["origin"], column["access"])
        self._columns.append(Rows(*(values[held] for values in kept)))
        return tail_of(joined)

    def _ranks(self, table: Any) -> Ints:
        parties = self._arrow.array(self._stretches.parties, self._arrow.string())
        ranks = self._arrow.compute.index_in(table.column("party"), value_set=parties)
        found: Ints = ranks.fill_null(-1).to_numpy()
        return found


def _joined(columns: list[Rows]) -> Rows:
    def joined(name: str, kind: Any) -> Ints:
        return np.concatenate([np.zeros(0, kind), *(getattr(each, name) for each in columns)])

    at_us = joined("at_us", np.int64)
    rows = Rows(
        at_us,
        joined("posts", np.int64),
        joined("party", np.int32),
        joined("origin", np.uint8),
        joined("access", np.uint8),
    )
    if np.all(at_us[1:] >= at_us[:-1]):
        return rows
    # Out of order is a fault, and told; what the rows come to does not depend on it.
    order = np.argsort(at_us, kind="stable")
    return Rows(*(getattr(rows, name)[order] for name in Rows.__slots__))
