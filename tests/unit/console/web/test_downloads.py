"""So many files are given at once, and only as long as somebody takes them."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message

from services.chassis.refusals import Kind, Refusal
from services.console.web.downloads import Downloads, Given
from tests.support.small_pages import a_session

ADA, BOB = a_session(), a_session(party="bob")
HEADERS: dict[str, str] = {}


async def nothing_comes() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def refused(downloads: Downloads, session: object = ADA) -> str:
    with pytest.raises(Refusal) as refusal, downloads.place(session):  # type: ignore[arg-type]
        pass
    assert refusal.value.kind is Kind.EXHAUSTED
    assert refusal.value.retry_after_us
    return refusal.value.reason


def test_one_caller_is_given_so_many_files_and_others_are_given_theirs() -> None:
    downloads = Downloads(at_once=3, of_one=2)

    with downloads.place(ADA), downloads.place(ADA):
        assert refused(downloads) == "DOWNLOADS_OF_ONE"
        with downloads.place(BOB):
            assert refused(downloads, a_session(party="cy")) == "DOWNLOADS_BUSY"


def test_a_subject_and_an_operator_of_one_name_are_two() -> None:
    downloads = Downloads(of_one=1)

    with downloads.place(ADA), downloads.place(a_session(kind="subject")):
        assert refused(downloads) == "DOWNLOADS_OF_ONE"


def test_a_place_is_free_again_whatever_became_of_the_file() -> None:
    downloads = Downloads(of_one=1)

    for _ in range(3):
        with pytest.raises(OSError, match="lost"), downloads.place(ADA):
            raise OSError("lost")


async def test_a_file_that_nobody_takes_is_broken_off_and_gives_its_place_back() -> None:
    downloads, produced = Downloads(of_one=1, part_seconds=0.05), 0

    def parts() -> Iterator[bytes]:
        nonlocal produced
        while True:
            produced += 1
            yield b"part"

    async def taking(message: Message) -> None:
        if message.get("body"):
            await asyncio.Event().wait()

    with pytest.raises(Refusal, match="DOWNLOAD_NOT_TAKEN"):
        await Given(downloads, ADA, parts(), "text/csv", HEADERS)({"type": "http"}, nothing_comes, taking)

    assert produced == 1
    with downloads.place(ADA):
        pass


async def test_a_file_that_finds_no_place_is_not_begun() -> None:
    downloads, sent = Downloads(of_one=1), []

    async def taking(message: Message) -> None:
        sent.append(message)

    with downloads.place(ADA), pytest.raises(Refusal, match="DOWNLOADS_OF_ONE"):
        await Given(downloads, ADA, [b"part"], "text/csv", HEADERS)({"type": "http"}, nothing_comes, taking)

    assert sent == []
