"""R5: a hold whose decision a restore may have lost counts in full, is reported, and is never cancelled."""

import pytest
import structlog
from sqlalchemy import Connection, text

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.licensing.ledger import Ledger
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from tests.support.cluster import SECOND_US, Cluster, a_post

POSTS = [a_post(101, 1), a_post(102, 2, kind=2), a_post(103, 3, kind=2)]


async def hold_without_a_decision(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, request_id: str, license_id: str = "acme-training"
) -> str:
    """The id of a hold for these posts, as the ledger of a backup sees it."""

    async def never(*_: object) -> None:
        raise Refusal(Kind.INTERNAL, "GONE", "the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "conclude", never)
        with pytest.raises(Refusal, match="GONE"):
            await cluster.decide(POSTS, request_id, license_id=license_id)
    return (await cluster.holds())[-1]


def accept_a_restore(cluster: Cluster, before_us: int = 0) -> None:
    """One was accepted so long ago."""
    values = {"at": cluster.clock.now_us() - before_us}

    def unit(connection: Connection) -> None:
        statement = (
            "INSERT INTO accepted_restores (epoch, accepted_at_us, accepted_by, reason, published)"
            " VALUES (2, :at, 'ada', 'fire', 0)"
        )
        connection.execute(text(statement), values)

    cluster.database.write_now(unit)


async def sweep(cluster: Cluster) -> None:
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()


async def state_of(cluster: Cluster, reservation_id: str) -> int:
    peer = cluster.licensing.peer(PrincipalKind.OPERATOR, "ada", ["admin"])
    request = pb.CheckAttemptsRequest(reservation_ids=[reservation_id])
    answer = await peer.call(ReleaseServiceStub(peer.channel).CheckAttempts, request)
    return answer.states[0]


async def test_it_is_settled_in_full_and_reported(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = await hold_without_a_decision(cluster, monkeypatch, cluster.new_id())
    accept_a_restore(cluster)

    with structlog.testing.capture_logs() as logs:
        await sweep(cluster)
        await sweep(cluster)

    reservation = await cluster.reservation(hold)
    assert reservation.state == metering_pb.RESERVATION_STATE_SETTLED
    assert (reservation.posts_reserved, reservation.posts_settled, reservation.posts_freed) == (3, 3, 0)
    reports = [log for log in logs if log["event"] == "hold_of_a_lost_decision"]
    assert [(log["reservation_id"], log["posts"]) for log in reports] == [(hold, 3)]
    assert await state_of(cluster, hold) == pb.ATTEMPT_STATE_LOST


@pytest.mark.parametrize(
    ("before_us", "state"),
    [
        (SECOND_US, metering_pb.RESERVATION_STATE_SETTLED),
        (SECOND_US + 1, metering_pb.RESERVATION_STATE_CANCELLED),
    ],
)
async def test_a_hold_is_of_before_the_restore_unless_it_is_later_by_more_than_clocks_differ(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, before_us: int, state: int
) -> None:
    hold = await hold_without_a_decision(cluster, monkeypatch, cluster.new_id())
    accept_a_restore(cluster, before_us)

    await sweep(cluster)

    assert (await cluster.reservation(hold)).state == state


async def test_what_metering_did_not_hear_is_said_again_and_is_no_cancel(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = await hold_without_a_decision(cluster, monkeypatch, cluster.new_id())
    accept_a_restore(cluster)
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    cluster.database.write_now(lambda connection: connection.execute(text("DELETE FROM outbox")))

    await sweep(cluster)

    reservation = await cluster.reservation(hold)
    assert (reservation.state, reservation.posts_settled) == (metering_pb.RESERVATION_STATE_SETTLED, 3)


async def test_a_repeat_of_its_request_does_not_cancel_it_to_have_its_room(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cluster.license("small", limit=5)
    request_id = cluster.new_id()
    hold = await hold_without_a_decision(cluster, monkeypatch, request_id, "small")
    accept_a_restore(cluster)

    decision = await cluster.decide(POSTS, request_id, license_id="small")

    assert decision.outcome == pb.OUTCOME_DENIED
    assert (await cluster.reservation(hold)).state == metering_pb.RESERVATION_STATE_HELD
    assert await state_of(cluster, hold) == pb.ATTEMPT_STATE_UNKNOWN
    await sweep(cluster)
    assert (await cluster.reservation(hold)).posts_settled == 3
