"""W4: what a subject is told about recalls of their posts, and that it is told of nobody else's."""

import uuid

import pytest

from services.chassis.database import Database
from services.licensing.domain.disclosures import SubjectRelease
from services.licensing.domain.recalls.recalls import Attestation, RecallState
from services.licensing.domain.recalls.resolving import Ending, resolved
from services.licensing.rpc.disclosures import release_message
from services.licensing.storage.disclosures import DisclosureStore
from services.licensing.storage.recall_answers import RecallAnswerRows, RecallAnswerStore
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1 import recall_pb2
from tests.support.clock import NOON_US
from tests.support.indexed import Post, Release, record_releases
from tests.support.recalls import Shelf

LARGEST = 2**63 - 1
ANN, BOB = 2**63 + 7, 8

# Ann wrote 11 and 12, and 90, which is embedded in 13 of Bob; 14 is Bob's alone.
POSTS = (Post(11, ANN), Post(12, ANN), Post(13, BOB, ((90, ANN),)), Post(14, BOB))


async def told(database: Database, subject_id: int = ANN) -> list[SubjectRelease]:
    return list((await DisclosureStore(database).page(subject_id, LARGEST, 10)).releases)


async def states(database: Database, subject_id: int = ANN) -> list[list[tuple[str, int]]]:
    """(state, posts) of each recall, for each release, the newest first."""
    return [
        [(each.recall.state.name, each.posts) for each in release.recalls]
        for release in await told(database, subject_id)
    ]


async def test_a_withdrawal_of_the_subject_is_told_with_each_release_that_it_took_back(
    database: Database, shelf: Shelf
) -> None:
    record_releases(database, [Release(POSTS), Release((Post(11, ANN),)), Release((Post(12, ANN),))])
    shelf.recall("acme", posts={1: [11, 12, 13], 2: [11]}, subject_id=ANN)

    assert await states(database) == [[], [("ISSUED", 1)], [("ISSUED", 3)]]


@pytest.mark.parametrize(
    ("post_id", "taken", "expected"),
    [
        (11, [11], [("ISSUED", 1)]),
        (90, [13], [("ISSUED", 1)]),
        (13, [13], [("ISSUED", 1)]),
        (14, [14], []),
    ],
)
async def test_a_withdrawal_of_a_post_is_told_to_those_whose_post_it_held(
    database: Database, shelf: Shelf, post_id: int, taken: list[int], expected: list[tuple[str, int]]
) -> None:
    record_releases(database, [Release(POSTS)])
    shelf.recall("acme", posts={1: taken}, post_id=post_id)

    assert await states(database) == [expected]


async def test_what_a_policy_or_a_halt_took_back_is_told_to_everyone_concerned(
    database: Database, shelf: Shelf
) -> None:
    record_releases(database, [Release(POSTS), Release((Post(15, BOB),)), Release((Post(12, ANN),))])
    shelf.recall("acme", posts={1: [12, 14], 2: [15], 3: [12]})

    assert await states(database) == [[("ISSUED", 1)], [("ISSUED", 1)]]
    assert await states(database, BOB) == [[("ISSUED", 1)], [("ISSUED", 1)]]


async def test_what_another_subject_withdrew_is_that_ones_business(database: Database, shelf: Shelf) -> None:
    record_releases(database, [Release(POSTS)])
    shelf.recall("acme", posts={1: [13, 14]}, subject_id=BOB)

    assert await states(database) == [[]]
    assert await states(database, BOB) == [[("ISSUED", 2)]]


async def test_a_recall_that_is_still_collected_is_not_there_yet(database: Database, shelf: Shelf) -> None:
    record_releases(database, [Release(POSTS)])
    recall_id = str(uuid.uuid4())
    shelf.collect(recall_id)
    shelf.entry(recall_id, {1: [11]}, subject_id=ANN)
    shelf.entry(None, {1: [12]})
    before = await states(database)

    shelf.issue(recall_id)

    assert before == [[]]
    assert await states(database) == [[("ISSUED", 1)]]


async def test_how_a_recall_ended_is_told_and_not_who_said_so(database: Database, shelf: Shelf) -> None:
    record_releases(database, [Release(POSTS)])
    recall_id = shelf.recall("acme", posts={1: [11]}, subject_id=ANN)
    attested = Attestation("A Name", "privacy officer", "gone", b"")

    def resolve(rows: RecallAnswerRows) -> None:
        recall = rows.recall(recall_id)
        assert recall is not None
        rows.put_answer(resolved(recall, Ending(RecallState.DELETED, attested), "licensee:acme", NOON_US + 5))

    await RecallAnswerStore(database).write(resolve)
    (release,) = await told(database)

    message = release_message(release)
    assert list(message.recalls) == [
        pb.SubjectRecall(
            recall_id=recall_id,
            state=recall_pb2.RECALL_STATE_DELETED,
            issued_at=message.recalls[0].issued_at,
            due_at=message.recalls[0].due_at,
            resolved_at=message.recalls[0].resolved_at,
            posts=1,
        )
    ]
    assert message.recalls[0].resolved_at.ToMicroseconds() == NOON_US + 5
    assert b"privacy officer" not in message.SerializeToString()


async def test_a_decision_that_kept_no_embeds_is_told_of_what_is_known(
    database: Database, shelf: Shelf
) -> None:
    record_releases(database, [Release(POSTS, resolved=False)])
    shelf.recall("acme", posts={1: [11]}, post_id=11)
    shelf.recall("acme", posts={1: [11, 12, 13]}, subject_id=ANN)

    assert await states(database) == [[("ISSUED", 1), ("ISSUED", 3)]]
