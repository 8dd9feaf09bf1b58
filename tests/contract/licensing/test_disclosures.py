"""What a subject is told, from rows of any release of the program, on each engine (W4)."""

import asyncio

import pytest
from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.deliveries import Confirmation
from services.licensing.storage import disclosures
from services.licensing.storage.disclosures import DisclosureStore
from services.licensing.storage.ledger import LedgerRows
from tests.support.clock import NOON_US
from tests.support.indexed import Post, Release, record_releases

LARGEST = 2**63 - 1


def confirm(database: Database, decision_id: str, bitmap: int, posts: int) -> None:
    def unit(connection: Connection) -> None:
        rows = LedgerRows(connection)
        rows.lock_head()
        rows.confirm(decision_id, Confirmation(bytes([bitmap]), posts, NOON_US))

    database.write_now(unit)


async def test_a_decision_of_before_says_of_a_post_only_what_it_says_of_all(database: Database) -> None:
    posts = (Post(13, 1), Post(12, 2, ((90, 1),)), Post(11, 3))
    old = [Release(posts, resolved=False)] * 4
    all_came, none_came, some_came, _ = record_releases(database, old)
    confirm(database, all_came, 0b111, 3)
    confirm(database, none_came, 0, 0)
    confirm(database, some_came, 0b101, 2)

    page = await DisclosureStore(database).page(1, LARGEST, 10)

    # The newest first; of their ids it is known which, and not in which order.
    assert [tuple(release.arrived) for release in page.releases] == [
        (0, 0, 2),
        (0, 0, 2),
        (0, 2, 0),
        (2, 0, 0),
    ]
    assert {tuple(release.posts.tolist()) for release in page.releases} == {(12, 13)}


async def test_a_licensee_that_has_no_name_on_record_is_called_by_its_id(database: Database) -> None:
    record_releases(database, [Release((Post(1, 7),), licensee_id="gone")])

    (release,) = (await DisclosureStore(database).page(7, LARGEST, 10)).releases

    assert release.licensee_name == "gone"


async def test_a_page_ends_with_the_release_that_makes_it_large(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosures, "POSTS_A_PAGE", 3)
    record_releases(database, [Release(tuple(Post(id, 7) for id in range(1, 3)))] * 3)
    store = DisclosureStore(database)

    first = await store.page(7, LARGEST, 10)
    second = await store.page(7, first.releases[-1].number, 10)

    assert [release.number for release in first.releases] == [3, 2]
    assert ([release.number for release in second.releases], first.more, second.more) == ([1], True, False)


async def test_a_summary_of_too_many_is_refused_and_they_can_be_listed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosures, "MOST_SUMMED", 2)
    record_releases(database, [Release((Post(1, 7),))] * 3)
    store = DisclosureStore(database)

    with pytest.raises(Refusal) as refused:
        await store.summary(7)

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "SUBJECT_RELEASES_TOO_MANY")
    assert len((await store.page(7, LARGEST, 10)).releases) == 3


async def test_a_summary_is_by_licensee_and_purpose_from_the_first_to_the_last(database: Database) -> None:
    def release(licensee_id: str, purpose: int, at_us: int) -> Release:
        posts = (Post(1, 7), Post(2, 8, ((3, 7),)))
        return Release(posts, licensee_id=licensee_id, purpose=purpose, decided_at_us=at_us)

    record_releases(
        database, [release("b", 2, 5), release("a", 5, 4), release("a", 2, 9), release("b", 2, 3)]
    )

    sums = await DisclosureStore(database).summary(7)

    assert [
        (s.licensee_id, s.purpose, s.releases, s.arrived.posts, s.first_decided_at_us, s.last_decided_at_us)
        for s in sums
    ] == [("a", 2, 1, 2, 9, 9), ("a", 5, 1, 2, 4, 4), ("b", 2, 2, 4, 3, 5)]


async def test_only_so_many_wait_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosures, "MOST_WAITING", 2)
    store = DisclosureStore(database)

    told = await asyncio.gather(*(store.summary(7) for _ in range(3)), return_exceptions=True)
    after = await store.summary(7)

    assert (told[:2], after) == ([[], []], [])
    assert isinstance(told[2], Refusal)
    assert (told[2].kind, told[2].reason) == (Kind.EXHAUSTED, "DISCLOSURES_BUSY")


async def test_who_was_denied_is_not_told_of_a_release(database: Database) -> None:
    record_releases(database, [Release((Post(1, 7, released=False),))])

    assert (await DisclosureStore(database).page(7, LARGEST, 10)).releases == []
