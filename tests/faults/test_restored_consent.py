"""R5: consent's database is restored from an hour ago; noticed, refused, accepted, and gone on with."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.clock import SystemClock
from services.chassis.dialing import Peer
from services.chassis.heads import Head
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.type.v1.revision_pb2 import Revision
from tests.support.consent_callers import a_check, a_deny
from tests.support.engines import ENGINES
from tests.support.restoring import FileStore, Restorable, ServerStore, reason_of

AUTHORS = (7, 8, 9)


@pytest_asyncio.fixture(params=ENGINES)
async def consent(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Restorable]:
    """Consent with three denies, of which its backup has the first."""
    sqlite = request.param == "sqlite"
    store = FileStore(tmp_path) if sqlite else ServerStore(request.getfixturevalue("postgres"))
    consent = Restorable("consent", tmp_path, store)
    await consent.start()
    await deny(consent, 7)
    await consent.stop()
    store.back_up()
    await consent.start()
    for author in (8, 9):
        await deny(consent, author)
    yield consent
    await consent.kill()


async def deny(consent: Restorable, author: int) -> pb.RecordChoiceResponse:
    peer = consent.peer(PrincipalKind.OPERATOR)
    request = pb.RecordChoiceRequest(request_id=uuid7(SystemClock().now_us()), choice=a_deny(author))
    return await peer.call(ConsentServiceStub(peer.channel).RecordChoice, request)


def check(peer: Peer) -> Awaitable[pb.CheckConsentResponse]:
    return peer.call(ConsentServiceStub(peer.channel).CheckConsent, a_check(*((who,) for who in AUTHORS)))


async def withdrawn(peer: Peer, after: Head) -> list[tuple[int, int, int]]:
    """What comes after a position, up to the first checkpoint: (epoch, number, subject)."""
    asked = state_pb.WatchWithdrawalsRequest(after=Revision(epoch=after.epoch, number=after.number))
    taken = []
    async with peer.open(StateServiceStub(peer.channel).WatchWithdrawals, asked) as steps:
        async for step in steps:
            if step.HasField("checkpoint"):
                break
            revision = step.withdrawal.revision
            taken.append((revision.epoch, revision.number, step.withdrawal.subject_id))
    return taken


async def test_r5_a_database_from_before_is_refused_at_the_start_until_it_is_accepted(
    consent: Restorable,
) -> None:
    await consent.stop()
    last = consent.kept_head().head
    consent.store.restore()

    refused = await consent.refusal_to_start()
    accepted = await consent.accept()
    await consent.start()
    peer = consent.peer()
    restored = (await check(peer)).revision
    denied = await deny(consent, 9)
    answer = await check(peer)
    listed = await peer.call(StateServiceStub(peer.channel).ListRestores, state_pb.ListRestoresRequest())

    assert refused.startswith("DATABASE_RESTORED")
    assert accepted[0] == 0
    assert "Epoch 2 of consent has begun" in accepted[1]
    (restore,) = listed.restores
    assert (restore.lost.epoch, restore.lost.number) == last
    assert restored == Revision(epoch=2, number=restore.found.number)
    assert denied.revision == answer.revision == Revision(epoch=2, number=restore.found.number + 1)


async def test_w5_r5_withdrawals_are_read_again_from_the_restore_point(consent: Restorable) -> None:
    before = await withdrawn(consent.peer(), Head(0, 0))
    last = consent.kept_head().head
    await consent.stop()
    consent.store.restore()
    assert (await consent.accept())[0] == 0
    await consent.start()
    denied = await deny(consent, 9)

    from_the_end, from_the_beginning = Head(1, before[-1][1]), Head(1, before[0][1])
    again = [await withdrawn(consent.peer(), each) for each in (from_the_end, from_the_beginning)]
    later = await reason_of(withdrawn(consent.peer(), Head(3, 1)))

    assert [subject for _, _, subject in before] == [7, 8, 9]
    assert last.epoch == 1
    # Of 8 nobody knows any more; the deny of 9 has the number that the lost one of 8 had.
    assert again == [[(2, denied.revision.number, 9)]] * 2
    assert denied.revision.number == before[1][1]
    assert later == "CURSOR_OF_ANOTHER_EPOCH"


async def test_r5_a_database_that_is_restored_under_a_running_process_is_noticed_and_served_no_more(
    consent: Restorable,
) -> None:
    peer = consent.peer()
    await consent.until_kept(3)

    consent.store.restore()
    await consent.until_refused(lambda: check(peer))

    assert await consent.refuses(deny(consent, 7))
    assert not await consent.is_healthy()
    await consent.kill()
    assert (await consent.refusal_to_start()).startswith("DATABASE_RESTORED")


async def test_r5_what_was_committed_before_a_crash_is_kept_within_the_interval(consent: Restorable) -> None:
    await consent.until_kept(3)
    await consent.kill()
    consent.store.restore()

    assert (await consent.refusal_to_start()).startswith("DATABASE_RESTORED")


async def test_r5_a_damaged_head_is_noticed_and_accepted_and_then_all_is_read_again(
    consent: Restorable,
) -> None:
    before = await withdrawn(consent.peer(), Head(0, 0))
    await consent.stop()
    consent.kept.write_bytes(consent.kept.read_bytes()[:-5])

    refused = await consent.refusal_to_start()
    status, _ = await consent.accept()
    await consent.start()
    again = await withdrawn(consent.peer(), Head(1, before[-1][1]))

    assert refused.startswith("HEAD_DAMAGED")
    assert status == 0
    assert again == [(2, number, subject) for _, number, subject in before]
