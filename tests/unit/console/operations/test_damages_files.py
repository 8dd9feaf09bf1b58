"""Bundles that the console sends: whole or not at all."""

import asyncio
import zipfile
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.console.damages_rows import Rows
from services.console.operations.damages_files import drawn, packed
from tests.support.damages_bundles import HOUR_US, a_document, as_bytes, chunk_of, seen

ROWS = [seen(0, 60, number=1), seen(HOUR_US, 65, "bot2", 2)]


def test_a_bundle_is_one_folder_in_an_archive_of_the_length_that_is_told() -> None:
    file, length = packed("assessment", as_bytes(a_document(ROWS)), iter([chunk_of(ROWS)]))

    with file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert {name.partition("/")[0] for name in archive.namelist()} == {"assessment"}
        assert "assessment/assessment.json" in archive.namelist()
        assert length == file.seek(0, 2)


def test_rows_that_are_not_those_that_were_digested_give_no_archive() -> None:
    other = [ROWS[0], seen(HOUR_US, 66, "bot2", 2)]

    with pytest.raises(Refusal) as refused:
        packed("assessment", as_bytes(a_document(ROWS)), iter([chunk_of(other)]))

    assert refused.value.reason == "EVIDENCE_DIFFERS"


def test_rows_that_stop_coming_give_no_archive() -> None:
    def rows() -> Iterator[Rows]:
        yield chunk_of(ROWS[:1])
        raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

    with pytest.raises(Refusal) as refused:
        packed("assessment", as_bytes(a_document(ROWS)), rows())

    assert refused.value.reason == "PEER_UNAVAILABLE"


async def test_a_thread_draws_what_comes_on_the_loop_to_its_end() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    assert await _in_a_thread(source()) == [0, 1, 2]


async def test_a_thread_that_draws_is_told_what_went_wrong_on_the_loop() -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

    with pytest.raises(Refusal):
        await _in_a_thread(source())


async def _in_a_thread(source: AsyncIterator[int]) -> list[int]:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, partial(list, drawn(loop, source)))
