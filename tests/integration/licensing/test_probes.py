"""What is denied to a licensee who asks by post id is limited, exactly, apart from their allowances."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal, unavailable
from services.licensing.directory_peer import DirectoryPeer
from services.licensing.domain.answers import ConsentAnswer
from services.licensing.domain.asking import PostIds
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch
from services.licensing.peers import ConsentPeer
from services.licensing.probe_peer import ProbePeer, probe_party
from sluice.directory.v1 import directory_service_pb2 as directory_pb
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.post_pb2 import PostColumns
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from tests.support.clock import ManualClock
from tests.support.cluster import DAY_US, SHARING, TRAINING, Cluster, a_cluster
from tests.support.directory import ScriptedDirectory, a_scripted_directory
from tests.support.engines import urls_on

LIMIT = 20


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def scripted(tmp_path: Path, clock: ManualClock) -> AsyncIterator[tuple[ScriptedDirectory, str]]:
    def nothing_known(ids: object) -> directory_pb.GetPostsResponse:
        response = directory_pb.GetPostsResponse(posts=PostColumns(embed_offsets=bytes(4)))
        response.as_of.FromMicroseconds(clock.now_us())
        return response

    async with a_scripted_directory(tmp_path, clock, nothing_known) as scripted:
        yield scripted


@pytest.fixture
async def cluster(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    engine: str,
    scripted: tuple[ScriptedDirectory, str],
    clock: ManualClock,
) -> AsyncIterator[Cluster]:
    urls = urls_on(engine, request, tmp_path)
    async with a_cluster(
        tmp_path, clock, urls=urls, directory_target=scripted[1], probes_per_day=LIMIT
    ) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 11))
        await cluster.license(limit=10)
        yield cluster


async def deliver(cluster: Cluster) -> None:
    while await cluster.outbox.deliver():
        continue


def probes_counted(rows: Connection) -> int:
    return int(rows.exec_driver_sql("SELECT coalesce(sum(posts), 0) FROM probes").scalar_one())


async def outcome(cluster: Cluster, posts: range) -> str:
    """ "denied", or the reason of the refusal."""
    try:
        decision = await cluster.request(posts)
    except Refusal as refusal:
        return refusal.reason
    assert decision.outcome == pb.OUTCOME_DENIED
    return "denied"


async def test_a_request_that_could_pass_the_limit_is_refused_before_anything_is_looked_up(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str]
) -> None:
    await cluster.request(range(1, 16))
    await deliver(cluster)

    with pytest.raises(Refusal) as refused:
        await cluster.request(range(1, 7))

    assert (refused.value.kind, refused.value.reason) == (Kind.EXHAUSTED, "PROBES_EXHAUSTED")
    assert refused.value.retry_after_us == DAY_US
    assert len(scripted[0].asked) == 1


async def test_while_others_are_answered_the_time_to_try_again_is_moments_away(cluster: Cluster) -> None:
    # Metering has not heard yet that most of it is free.
    await cluster.request([7] * 10 + [*range(100, 115)])

    with pytest.raises(Refusal) as refused:
        await cluster.request(range(1, 7))

    assert refused.value.reason == "PROBES_EXHAUSTED"
    assert refused.value.retry_after_us == 60_000_000


async def test_a_request_whose_hold_was_lost_on_the_way_back_is_not_refused_for_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise unavailable("PEER_UNAVAILABLE", "the answer was lost")

    request_id = cluster.new_id()
    with monkeypatch.context() as patched:
        patched.setattr("services.licensing.probe_peer.outcome_of", lost)
        with pytest.raises(Refusal):
            await cluster.request(range(1, 20), request_id)
    held = await cluster.holds()

    decision = await cluster.request(range(1, 20), request_id)
    await deliver(cluster)

    assert (len(held), decision.outcome) == (1, pb.OUTCOME_DENIED)
    assert await cluster.holds() == []


@pytest.mark.parametrize("why", ["suspended", "another purpose", "no purpose that there is"])
async def test_what_the_license_denies_whatever_it_is_is_neither_looked_up_nor_counted(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], why: str
) -> None:
    purpose = {"suspended": TRAINING, "another purpose": SHARING}.get(why, 99)
    if why == "suspended":
        await cluster.suspend()

    decision = await cluster.request([*range(1, 16), 0, 0, 7], purpose=purpose)
    await deliver(cluster)

    assert set(decision.verdicts[:17]) == {Verdict.VERDICT_NOT_COVERED}
    assert decision.verdicts[17] == Verdict.VERDICT_DUPLICATE
    assert (scripted[0].asked, await cluster.holds()) == ([], [])
    assert cluster.database.read_now(probes_counted) == 0


async def test_a_license_that_comes_into_force_meanwhile_denies_nobody_for_want_of_a_look(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(License, "permits", lambda *_: False)
        early = await outcome(cluster, range(1, 6))

    assert (early, await outcome(cluster, range(1, 6))) == ("DECISION_CONTENDED", "denied")


async def test_what_is_left_of_the_limit_can_be_used_to_the_last_post(cluster: Cluster) -> None:
    await cluster.request(range(1, 16))
    await deliver(cluster)

    assert [await outcome(cluster, range(1, 6)), await outcome(cluster, range(1, 2))] == [
        "denied",
        "PROBES_EXHAUSTED",
    ]


async def test_after_24_hours_to_the_microsecond_there_is_room_again(cluster: Cluster) -> None:
    await cluster.request(range(1, 21))
    await deliver(cluster)

    cluster.clock.advance(DAY_US - 1)
    before = await outcome(cluster, range(1, 2))
    cluster.clock.advance(1)
    after = await outcome(cluster, range(1, 2))

    assert (before, after) == ("PROBES_EXHAUSTED", "denied")


async def test_however_many_ask_at_once_no_more_is_denied_than_the_limit(cluster: Cluster) -> None:
    answers = await asyncio.gather(*(outcome(cluster, range(1, 9)) for _ in range(6)))

    assert sorted(answers) == ["PROBES_EXHAUSTED"] * 4 + ["denied"] * 2


async def test_a_repeat_is_answered_though_there_is_no_room_left_and_is_not_counted_again(
    cluster: Cluster,
) -> None:
    request_id = cluster.new_id()
    first = await cluster.request(range(1, 21), request_id)
    await deliver(cluster)

    again = await cluster.request(range(1, 21), request_id)

    assert (again.replayed, again.decision_id) == (True, first.decision_id)


async def test_two_calls_at_once_with_one_request_id_count_once(cluster: Cluster) -> None:
    request_id = cluster.new_id()

    answers = await asyncio.gather(*(cluster.request(range(1, 9), request_id) for _ in range(2)))
    await deliver(cluster)

    assert len({answer.decision_id for answer in answers}) == 1
    assert await cluster.holds() == []
    assert [await outcome(cluster, range(1, 13)), await outcome(cluster, range(1, 2))] == [
        "denied",
        "PROBES_EXHAUSTED",
    ]


async def test_a_duplicate_is_no_further_probe(cluster: Cluster) -> None:
    decision = await cluster.request([7] * 50)

    assert decision.outcome == pb.OUTCOME_DENIED


async def test_an_id_of_0_that_comes_again_counts_again_and_leaves_nothing_held(cluster: Cluster) -> None:
    await cluster.request([0] * 15)
    await deliver(cluster)

    assert await cluster.holds() == []
    assert [await outcome(cluster, range(1, 7)), await outcome(cluster, range(1, 6))] == [
        "PROBES_EXHAUSTED",
        "denied",
    ]


async def test_more_posts_than_the_limit_can_never_be_asked_for_at_once(cluster: Cluster) -> None:
    with pytest.raises(Refusal) as refused:
        await cluster.request(range(1, LIMIT + 2))

    assert (refused.value.reason, refused.value.retry_after_us) == ("PROBES_EXHAUSTED", None)


async def test_another_licensee_has_a_limit_of_their_own(cluster: Cluster) -> None:
    await cluster.request(range(1, 21))
    rival = cluster.licensing.peer(PrincipalKind.LICENSEE, "rival")

    with pytest.raises(Refusal) as refused:
        request = pb.RequestReleaseRequest(
            request_id=cluster.new_id(), license_id="acme-training", purpose=TRAINING, post_ids=[1]
        )
        await rival.call(ReleaseServiceStub(rival.channel).RequestRelease, request)

    # It comes as far as the license, which is not theirs.
    assert refused.value.reason == "LICENSE_UNKNOWN"
    assert len({probe_party("acme"), probe_party("rival"), probe_party("a" * 63), probe_party("a" * 62)}) == 4


async def test_when_metering_does_not_answer_nothing_is_looked_up(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> None:
        raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

    monkeypatch.setattr(ProbePeer, "hold", silent)

    assert await outcome(cluster, range(1, 2)) == "PEER_UNAVAILABLE"
    assert scripted[0].asked == []


async def test_a_hold_whose_process_died_is_freed_by_the_sweeper(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as patched:
        patched.setattr("services.licensing.directory_peer.DirectoryPeer.posts", dies)
        assert await outcome(cluster, range(1, 21)) == "INTERNAL"
    held = await cluster.holds()
    cluster.clock.advance(61_000_000)

    await cluster.sweeper.sweep()
    await deliver(cluster)

    assert (len(held), await cluster.holds()) == (1, [])
    assert await outcome(cluster, range(1, 21)) == "denied"


async def test_a_hold_that_was_swept_while_the_directory_was_slow_refuses_its_request_at_once(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    posts, check = DirectoryPeer.posts, ConsentPeer.check

    async def slow(peer: DirectoryPeer, ids: PostIds) -> Batch | None:
        found = await posts(peer, ids)
        cluster.clock.advance(61_000_000)
        await cluster.sweeper.sweep()
        return found

    async def noted(peer: ConsentPeer, batch: Batch, *rest: Any) -> ConsentAnswer:
        asked.append(len(batch))
        return await check(peer, batch, *rest)

    monkeypatch.setattr(DirectoryPeer, "posts", slow)
    monkeypatch.setattr(ConsentPeer, "check", noted)

    assert await outcome(cluster, range(1, 6)) == "DECISION_CONTENDED"
    await deliver(cluster)
    assert (asked, await cluster.holds()) == ([5], [])


async def test_what_a_request_is_refused_for_is_told_though_metering_is_gone_by_then(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise unavailable("PEER_UNAVAILABLE", "metering did not answer")

    def lies(ids: object) -> directory_pb.GetPostsResponse:
        return directory_pb.GetPostsResponse()

    scripted[0].answer = lies
    monkeypatch.setattr(ProbePeer, "cancel", gone)

    assert await outcome(cluster, range(1, 6)) == "PEER_ANSWER_INVALID"
    await deliver(cluster)
    assert await cluster.holds() == []


async def test_what_metering_has_not_heard_is_said_again_by_the_sweeper(cluster: Cluster) -> None:
    await cluster.request(range(1, 6))
    (hold,) = await cluster.holds()
    # The message is lost, as after a restore of metering's own database.
    cluster.database.write_now(lambda connection: connection.exec_driver_sql("DELETE FROM outbox"))
    cluster.clock.advance(61_000_000)

    await cluster.sweeper.sweep()
    await deliver(cluster)

    reservation = await cluster.reservation(hold)
    assert reservation.state == metering_pb.RESERVATION_STATE_SETTLED
    assert reservation.posts_settled == 5


async def test_a_directory_that_does_not_answer_leaves_nothing_held(
    cluster: Cluster, scripted: tuple[ScriptedDirectory, str]
) -> None:
    def fails(ids: object) -> directory_pb.GetPostsResponse:
        raise unavailable("DATABASE_UNAVAILABLE", "the directory's database is gone")

    scripted[0].answer = fails

    assert await outcome(cluster, range(1, 21)) == "PEER_UNAVAILABLE"
    await deliver(cluster)
    assert await cluster.holds() == []
