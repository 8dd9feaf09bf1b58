"""R5: metering's database is restored from an hour ago; noticed, refused, accepted, and gone on with."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1 import usage_service_pb2 as usage_pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.revision_pb2 import Revision
from tests.support.engines import ENGINES
from tests.support.metering import an_id
from tests.support.metering_messages import a_reserve
from tests.support.restoring import FileStore, Restorable, ServerStore, reason_of


@pytest_asyncio.fixture(params=ENGINES)
async def metering(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Restorable]:
    """Metering whose last hour has three holds of which its backup has one."""
    sqlite = request.param == "sqlite"
    store = FileStore(tmp_path) if sqlite else ServerStore(request.getfixturevalue("postgres"))
    metering = Restorable("metering", tmp_path, store)
    await metering.start()
    await hold(metering.peer(), 1)
    await metering.stop()
    store.back_up()
    await metering.start()
    for number in (2, 3):
        await hold(metering.peer(), number)
    yield metering
    await metering.kill()


async def hold(peer: Peer, number: int) -> pb.ReserveResponse:
    return await peer.call(MeteringServiceStub(peer.channel).Reserve, a_reserve(number))


def reservation(peer: Peer, number: int) -> Awaitable[pb.GetReservationResponse]:
    asked = pb.GetReservationRequest(reservation_id=an_id(number))
    return peer.call(MeteringServiceStub(peer.channel).GetReservation, asked)


async def test_r5_a_database_from_before_is_refused_at_the_start_until_it_is_accepted(
    metering: Restorable,
) -> None:
    await metering.stop()
    last = metering.kept_head().head
    metering.store.restore()

    refused = [await metering.refusal_to_start() for _ in range(2)]
    accepted = await metering.accept()
    again = await metering.accept()
    await metering.start()
    peer = metering.peer()
    known = [await reason_of(reservation(peer, number)) for number in (1, 2, 3)]
    held = await hold(peer, 4)
    listed = await metering.peer(PrincipalKind.OPERATOR).call(
        UsageServiceStub(peer.channel).ListRestores, usage_pb.ListRestoresRequest()
    )

    assert [line.partition(":")[0] for line in refused] == ["DATABASE_RESTORED"] * 2
    assert accepted[0] == 0 and "Epoch 2 of metering has begun" in accepted[1]
    assert again[0] == 1 and again[1].startswith("NOT_RESTORED")
    assert known == [None, "RESERVATION_UNKNOWN", "RESERVATION_UNKNOWN"]
    (restore,) = listed.restores
    assert (restore.epoch, restore.accepted_by, restore.reason) == (2, "olga", "the disk died")
    assert (restore.lost.epoch, restore.lost.number) == last
    assert held.revision == Revision(epoch=2, number=restore.found.number + 1)


async def test_r5_a_database_that_is_restored_under_a_running_process_is_noticed_and_served_no_more(
    metering: Restorable,
) -> None:
    peer = metering.peer()
    await metering.until_kept(3)

    metering.store.restore()
    await metering.until_refused(lambda: reservation(peer, 1))

    assert await metering.refuses(hold(peer, 5))
    assert await metering.refuses(reservation(peer, 1))
    assert not await metering.is_healthy()
    await metering.kill()
    assert (await metering.refusal_to_start()).startswith("DATABASE_RESTORED")


async def test_r5_a_lost_head_is_noticed_and_accepted(metering: Restorable) -> None:
    await metering.stop()
    metering.kept.unlink()

    refused = await metering.refusal_to_start()
    status, _ = await metering.accept()
    await metering.start()

    assert refused.startswith("HEAD_MISSING")
    assert status == 0
    assert (await hold(metering.peer(), 4)).revision.epoch == 2


async def test_r5_nothing_is_accepted_while_a_process_serves(metering: Restorable) -> None:
    status, said = await metering.accept()

    assert (status, said.partition(":")[0]) == (1, "DATABASE_IN_USE")
    assert await metering.is_healthy()
