"""Records into batches, in reading order.

Where a batch ends depends on the records alone, never on time or memory at hand: a batch that is read again
after a crash is the same batch, so its request is the same request.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice_gate.posts import Broken, Post, Record
from sluice_gate.reading.lines import Span
from sluice_gate.reading.reader import PostReader

DEFAULT_BATCH_POSTS = 1_000
MAX_BATCH_POSTS = 10_000
MAX_BATCH_LANGUAGES = 256
MAX_BATCH_EMBEDS = 100_000
MAX_BATCH_BYTES = 32 * 1024 * 1024
"""Bytes of records after which a batch is full: what bounds memory where posts are large."""


@dataclass(slots=True)
class Batch:
    """Consecutive posts. The ranges of all batches together are the body of the file without a gap."""

    ordinal: int
    """From 0."""
    span: Span
    """The bytes of the batch, with the blank and broken lines among them."""
    next_line: int
    """Number of the line after the last one of the batch."""
    records: list[Record] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    @property
    def posts(self) -> list[Post]:
        """The posts in order."""
        return [record.post for record in self.records]


class _Room:
    """What still fits into a batch."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._languages: set[str] = set()
        self._embeds = self._bytes = self._entries = 0

    def takes(self, entry: Record | Broken) -> bool:
        """Whether `entry` fits; if so it is counted. The first entry always fits."""
        embeds, size, language = self._embeds, self._bytes, None
        if isinstance(entry, Record):
            embeds, size = embeds + len(entry.post.embeds), size + len(entry.raw)
            language = entry.post.language
        if self._entries and (
            self._entries >= self._size
            or embeds > MAX_BATCH_EMBEDS
            or size > MAX_BATCH_BYTES
            or (language is not None and self._is_one_too_many(language))
        ):
            return False
        if language is not None:
            self._languages.add(language)
        self._entries, self._embeds, self._bytes = self._entries + 1, embeds, size
        return True

    def _is_one_too_many(self, language: str) -> bool:
        return language not in self._languages and len(self._languages) >= MAX_BATCH_LANGUAGES


def batches(reader: PostReader, size: int, span: Span, ordinal: int = 0) -> Iterator[Batch]:
    """Yields the posts of `span` in batches of at most `size` entries, broken ones included.

    A batch ends earlier where one more post would bring a 257th language, a 100,001st embed or over 32 MiB.
    """
    start, line, room = span.start, span.line, _Room(size)
    records: list[Record] = []
    broken: list[Broken] = []
    for entry in reader.read(span):
        if not room.takes(entry):
            yield Batch(ordinal, Span(start, entry.start, line), entry.line, records, broken)
            ordinal, start, line, room = ordinal + 1, entry.start, entry.line, _Room(size)
            records, broken = [], []
            room.takes(entry)
        if isinstance(entry, Record):
            records.append(entry)
        else:
            broken.append(entry)
    if start < span.end:
        # Where nothing follows, no later batch asks for its first line.
        yield Batch(ordinal, Span(start, span.end, line), line, records, broken)
