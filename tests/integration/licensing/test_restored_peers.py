"""R5: a peer that answers as of before what it had shown is not believed, before a restart and after it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.answers import Revision
from services.licensing.metrics import PEER_BEHIND
from services.licensing.storage.head import lock_head, move_fence, seen
from sluice.consent.v1.consent_service_pb2 import CheckConsentResponse
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2 import CheckRoomResponse, ReserveResponse
from tests.support.cluster import Cluster, a_cluster, a_post, licensing_of
from tests.support.explaining import explain
from tests.support.fences import before_each_conclusion, withdrawn

POSTS = [a_post(101, 1), a_post(102, 2)]
ANSWERS = {"consent": (CheckConsentResponse,), "metering": (ReserveResponse, CheckRoomResponse)}
Ask = Callable[[Cluster], Any]
ASKS: dict[str, Ask] = {
    "a decision": lambda cluster: cluster.decide(POSTS),
    "an explanation": lambda cluster: explain(cluster, POSTS),
}


@pytest.fixture
def engine() -> str:
    """What was seen is kept alike on both (`tests/contract/licensing/test_fence.py`)."""
    return "sqlite"


def answer_as_of(monkeypatch: pytest.MonkeyPatch, peer: str, **revision: int) -> None:
    """Has a peer say of its answers that they are as of then."""
    call = Peer.call

    async def lie(which: Any, method: Any, request: Any, **keywords: Any) -> Any:
        response = await call(which, method, request, **keywords)
        if isinstance(response, ANSWERS[peer]):
            for name, value in revision.items():
                setattr(response.revision, name, value)
        return response

    monkeypatch.setattr(Peer, "call", lie)


async def refused(answer: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await answer
    return refusal.value


def is_behind(peer: str) -> float:
    """What the metric says."""
    samples = [sample for metric in PEER_BEHIND.collect() for sample in metric.samples]
    return next(float(sample.value) for sample in samples if sample.labels == {"peer": peer})


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("peer", ANSWERS)
async def test_r5_a_peer_that_answers_from_before_what_was_seen_is_refused_until_a_new_epoch_begins(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, peer: str, ask: Ask
) -> None:
    await cluster.decide(POSTS)
    before = is_behind(peer)
    with monkeypatch.context() as patch:
        answer_as_of(patch, peer, number=0)
        refusal = await refused(ask(cluster))
        meanwhile = is_behind(peer)
        answer_as_of(patch, peer, number=1_000)
        caught_up = await refused(ask(cluster))
        answer_as_of(patch, peer, epoch=2, number=1)
        await ask(cluster)

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_BEHIND")
    assert peer in refusal.message
    assert caught_up.reason == "PEER_BEHIND"
    assert (before, meanwhile, is_behind(peer)) == (0.0, 1.0, 0.0)


async def test_r5_a_metering_that_was_found_behind_is_told_nothing_that_it_would_write(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote would bring its number up to what it had shown."""
    await cluster.decide(POSTS)
    answer_as_of(monkeypatch, "metering", number=0)
    await refused(cluster.decide(POSTS))
    left = await cluster.holds()

    for _ in range(3):
        await refused(cluster.decide(POSTS))

    assert await cluster.holds() == left


@pytest.mark.parametrize("peer", ANSWERS)
async def test_r5_an_answer_that_does_not_say_as_of_when_is_not_believed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    answer_as_of(monkeypatch, peer, number=0, epoch=0)

    assert (await refused(cluster.decide(POSTS))).reason == "PEER_ANSWER_INVALID"


async def test_r5_a_restore_that_was_accepted_begins_a_new_epoch_and_is_believed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cluster.decide(POSTS)
    answer_as_of(monkeypatch, "consent", epoch=2, number=1)

    decision = await cluster.decide(POSTS)

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert (decision.consent_revision.epoch, decision.consent_revision.number) == (2, 1)
    assert cluster.database.write_now(seen).consent == Revision(2, 1)


async def test_r5_consent_that_answers_from_before_the_fence_when_it_is_asked_again_is_refused(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else licensing would ask for ever."""

    async def fence_beyond_all_that_consent_has() -> None:
        def unit(connection: Any) -> None:
            lock_head(connection)
            move_fence(connection, Revision(1, 1_000))

        await cluster.database.write(unit)

    left = before_each_conclusion(monkeypatch, fence_beyond_all_that_consent_has)

    refusal = await refused(cluster.decide(POSTS))

    assert (refusal.kind, refusal.reason, left) == (Kind.UNAVAILABLE, "PEER_BEHIND", [])


@pytest.fixture
async def others(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Consent and metering as they were before anything was decided: an old backup of each, restored."""
    urls = {name: f"sqlite:///{tmp_path}/old-{name}.db" for name in ("consent", "metering", "licensing")}
    async with a_cluster(tmp_path, urls=urls) as cluster:
        await cluster.publish_policy()
        await cluster.know(1, 2)
        yield cluster


@contextlib.asynccontextmanager
async def started_again(cluster: Cluster, folder: Path, **targets: str) -> AsyncIterator[None]:
    """Licensing over a database of its own, which outlives it."""
    async with licensing_of(cluster, folder, f"sqlite:///{folder}/outlives.db", **targets):
        yield


@pytest.mark.parametrize("peer", ANSWERS)
async def test_r5_an_old_backup_of_a_peer_is_noticed_by_a_licensing_that_starts_after_it_was_restored(
    cluster: Cluster, others: Cluster, tmp_path: Path, peer: str
) -> None:
    async with started_again(cluster, tmp_path):
        await cluster.license(limit=10)
        for _ in range(2):
            await cluster.opt_out(9)
            await cluster.decide(POSTS)
    old = {f"{peer}_target": getattr(others, f"{peer}_address")}

    async with started_again(cluster, tmp_path, **old):
        refusal = await refused(cluster.decide(POSTS))
    async with started_again(cluster, tmp_path):
        decision = await cluster.decide(POSTS)

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_BEHIND")
    assert decision.outcome == pb.OUTCOME_RELEASED


async def test_r5_consent_restored_to_before_the_fence_is_noticed_though_nothing_was_decided_since(
    cluster: Cluster, others: Cluster, tmp_path: Path
) -> None:
    async with started_again(cluster, tmp_path):
        await cluster.license(limit=10)
        await withdrawn(cluster, 9)()
        assert cluster.database.write_now(seen).consent == Revision(0, 0)

    # What consent denies needs no answer from after the fence, and is believed no more than what it allows.
    async with started_again(cluster, tmp_path, consent_target=others.consent_address):
        refusal = await refused(cluster.decide([a_post(104, 30)]))

    assert refusal.reason == "PEER_BEHIND"
