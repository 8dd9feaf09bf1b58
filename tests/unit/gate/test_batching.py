"""Where batches end: by the records alone, so that a batch read again is the same batch."""

from pathlib import Path

from sluice_gate.batching import Batch, batches
from sluice_gate.reading.lines import Span
from sluice_gate.reading.reader import PostReader
from tests.support.release_jobs import JSON_FORM, a_line


def read(folder: Path, lines: list[bytes], size: int = 1_000, start: Span | None = None) -> list[Batch]:
    posts = folder / "posts"
    posts.write_bytes(b"".join(lines))
    reader = PostReader(posts, JSON_FORM)
    return list(batches(reader, size, start or reader.body))


def test_batches_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    lines = [b"\n", a_line(0), b"{oops\n", b"\n", a_line(1), a_line(2), b"\n", b"oops"]

    found = read(tmp_path, lines, size=2)

    size = sum(len(line) for line in lines)
    assert [batch.span.start for batch in found] == [0] + [batch.span.end for batch in found[:-1]]
    assert found[-1].span.end == size
    assert [(len(batch.records), len(batch.broken)) for batch in found] == [(1, 1), (2, 0), (0, 1)]
    assert [broken.line for batch in found for broken in batch.broken] == [3, 8]


def test_reading_from_the_middle_gives_the_same_batches(tmp_path: Path) -> None:
    lines = [a_line(number) for number in range(9)]
    whole = read(tmp_path, lines, size=2)
    second = whole[1]

    again = read(tmp_path, lines, 2, Span(second.span.end, whole[-1].span.end, second.next_line))

    assert [(batch.span, batch.records) for batch in again] == [(b.span, b.records) for b in whole[2:]]


def test_a_batch_ends_before_its_257th_language(tmp_path: Path) -> None:
    lines = [a_line(number, language=f"x-{number % 300}") for number in range(600)]

    found = read(tmp_path, lines)

    assert [len(batch.records) for batch in found] == [256, 256, 88]


def test_a_batch_ends_before_its_100001st_embed(tmp_path: Path) -> None:
    embeds = [[id, 7] for id in range(1, 65)]
    lines = [a_line(number, kind="quote", embeds=embeds) for number in range(1_600)]

    found = read(tmp_path, lines, size=10_000)

    assert [len(batch.records) for batch in found] == [1_562, 38]


def test_a_batch_ends_before_it_fills_the_memory(tmp_path: Path) -> None:
    lines = [a_line(number, text="x" * 5_000_000) for number in range(8)]

    found = read(tmp_path, lines)

    assert [len(batch.records) for batch in found] == [6, 2]


def test_reading_ahead_stops_where_the_batch_is_full(tmp_path: Path) -> None:
    posts = tmp_path / "posts"
    posts.write_bytes(b"".join(a_line(number) for number in range(10_000)))
    reader = PostReader(posts, JSON_FORM)

    next(batches(reader, 10, reader.body))

    assert reader._file.tell() < 20 * len(a_line(0))
