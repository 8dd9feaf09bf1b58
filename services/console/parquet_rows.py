"""Rows of a Parquet file, with cells as a CSV file would have them, so that both are read by the same rules.

Ids may be integers or texts, never floats: above 2^53 those are not exact. Times may be timestamps or texts,
digests bytes or hex, and what a cell separates by | may be a list.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.chassis.refusals import Refusal, invalid, precondition
from services.console.columns import Columns

BATCH_ROWS = 10_000
DIGEST_BYTES = 32


class ParquetRows:
    """Iterates over (row number from 1, cells by column), once."""

    def __init__(self, path: Path, columns: Columns) -> None:
        """Raises Refusal PARQUET_MISSING (pyarrow is not installed), PARQUET_UNREADABLE, PARQUET_COLUMNS."""
        self._arrow = load_arrow()
        self._path = path
        self._columns = columns
        self._size = path.stat().st_size
        self._row = 0
        try:
            self._file = self._arrow.parquet.ParquetFile(path)
        except (self._arrow.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        self._count: int = self._file.metadata.num_rows
        columns.check(self._file.schema_arrow.names, path.name, "PARQUET_COLUMNS")

    @property
    def position(self) -> int:
        """Bytes of the file that were read, as if all rows were of one size."""
        return self._size * self._row // max(1, self._count)

    def __iter__(self) -> Iterator[tuple[int, dict[str, str] | str]]:
        """Raises Refusal (invalid, PARQUET_UNREADABLE) where the file turns out to be broken."""
        missing = dict.fromkeys(self._columns.all, "")
        names = self._file.schema_arrow.names
        for batch in self._batches():
            for cells in batch:
                self._row += 1
                yield self._row, missing | dict(zip(names, cells, strict=True))

    def _batches(self) -> Iterator[list[tuple[str, ...]]]:
        try:
            with self._file:
                for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                    yield list(zip(*(self._texts(column) for column in batch.columns), strict=True))
        except (self._arrow.ArrowException, OSError, ValueError, OverflowError) as error:
            raise self._unreadable(error) from error

    def _texts(self, column: Any) -> list[str]:
        """The cells of one column of a batch."""
        arrow, types = self._arrow, self._arrow.types
        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        # Times as texts, and not as Python's, which cannot hold every time that the file can.
        if types.is_timestamp(column.type):
            column = column.cast(arrow.timestamp("us", column.type.tz and "UTC"), safe=False)
        if types.is_temporal(column.type):
            column = column.cast(arrow.string())
        if types.is_string(column.type) or types.is_large_string(column.type):
            # Decoded here: a text that is no UTF-8 is a fault of its row alone.
            texts = column.cast(arrow.large_binary()).to_pylist()
            return ["" if text is None else text.decode(errors="replace") for text in texts]
        return [_text(value) for value in column.to_pylist()]

    def _unreadable(self, error: Exception) -> Refusal:
        first_line = str(error).partition("\n")[0]
        return invalid("PARQUET_UNREADABLE", f"{self._path.name} cannot be read as Parquet: {first_line}")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(_text(each) for each in value)
    if isinstance(value, bytes):
        # A digest as it is; older writers mark no column as text.
        return value.hex() if len(value) == DIGEST_BYTES else value.decode(errors="replace")
    return str(value)


def load_arrow() -> Any:
    """The module, with its Parquet; raises Refusal (precondition, PARQUET_MISSING)."""
    # Inside: few installations need it, and it is large.
    try:
        import pyarrow as arrow  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise precondition(
            "PARQUET_MISSING", "Parquet files take pyarrow: pip install sluice[parquet]"
        ) from error
    return arrow
