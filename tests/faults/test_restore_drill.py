"""The drill of docs/operations.md: a server is lost, and a base backup and the archive bring it back."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.dialing import Peer
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from tests.support.archived import ArchivedServer, ArchivedStore
from tests.support.metering import an_id
from tests.support.metering_messages import a_reserve
from tests.support.postgres import BINARIES, MISSING
from tests.support.restoring import Restorable, reason_of

MARK = "before-the-third"


@pytest.fixture
def server() -> Iterator[ArchivedServer]:
    if BINARIES is None:
        pytest.skip(MISSING)
    server = ArchivedServer()
    server.start()
    yield server
    server.remove()


@pytest_asyncio.fixture
async def metering(server: ArchivedServer, tmp_path: Path) -> AsyncIterator[Restorable]:
    """Three holds: one before the base backup, one after it, and one after the mark; it does not run."""
    metering = Restorable("metering", tmp_path, ArchivedStore(server))
    await metering.start()
    await hold(metering.peer(), 1)
    server.back_up()
    await hold(metering.peer(), 2)
    server.mark(MARK)
    await hold(metering.peer(), 3)
    await metering.stop()
    server.archive_all()
    yield metering
    await metering.kill()


async def hold(peer: Peer, number: int) -> pb.ReserveResponse:
    return await peer.call(MeteringServiceStub(peer.channel).Reserve, a_reserve(number))


def reservation(peer: Peer, number: int) -> Awaitable[pb.GetReservationResponse]:
    asked = pb.GetReservationRequest(reservation_id=an_id(number))
    return peer.call(MeteringServiceStub(peer.channel).GetReservation, asked)


async def known(peer: Peer) -> list[str | None]:
    return [await reason_of(reservation(peer, number)) for number in (1, 2, 3)]


async def test_r5_a_server_restored_with_all_of_its_archive_goes_on_as_if_nothing_had_been(
    server: ArchivedServer, metering: Restorable
) -> None:
    server.lose()
    server.restore()

    await metering.start()
    held = await hold(metering.peer(), 4)

    assert await known(metering.peer()) == [None, None, None]
    assert held.revision.epoch == 1


async def test_r5_a_server_restored_to_an_earlier_time_is_refused_until_the_loss_is_accepted(
    server: ArchivedServer, metering: Restorable
) -> None:
    server.lose()
    server.restore(to=MARK)

    refused = await metering.refusal_to_start()
    status, said = await metering.accept()
    await metering.start()
    held = await hold(metering.peer(), 4)

    assert refused.startswith("DATABASE_RESTORED")
    assert (status, "Epoch 2 of metering has begun" in said) == (0, True)
    assert await known(metering.peer()) == [None, None, "RESERVATION_UNKNOWN"]
    assert held.revision.epoch == 2
