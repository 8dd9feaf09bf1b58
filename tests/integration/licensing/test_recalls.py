"""Withdrawals reach what was released before them: from consent's stream into recalls (W1, W2, W5)."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import pytest

from services.licensing import rechecking
from services.licensing.domain.answers import Revision
from services.licensing.following import FenceMover, Follower
from services.licensing.issuing import Issuer
from services.licensing.rechecking import Rechecker
from services.licensing.scanning import Scanner
from services.licensing.storage.head import positions
from sluice.consent.v1 import halt_pb2, policy_pb2, state_change_pb2
from sluice.consent.v1 import state_service_pb2 as states_pb
from sluice.licensing.v1.release_service_pb2 import Outcome
from tests.support import recall_worlds as world
from tests.support.cluster import NOTICE, PERMIT_US, SHARING, TRAINING, Cluster, a_post
from tests.support.waiting import until

MINUTE_US = 60_000_000


@contextlib.asynccontextmanager
async def following(cluster: Cluster) -> AsyncIterator[None]:
    """The stream is read while this goes on."""
    reading = asyncio.create_task(cluster.task(Follower).run())
    yield
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading


async def catch_up(cluster: Cluster) -> None:
    """All that consent has on record by now is scanned, and asked about."""
    # Nobody knows author 99: what is denied tells how far consent has come.
    revision = (await cluster.decide([a_post(99, 99)])).consent_revision
    head = Revision(revision.epoch, revision.number)
    backlog = cluster.task(FenceMover).backlog
    async with following(cluster):
        await until(lambda: backlog.followed >= head, "the stream is read")
    await cluster.task(FenceMover).advance()
    while await cluster.task(Scanner).scan():
        continue
    while await cluster.task(Rechecker).recheck():
        continue


def recalled(cluster: Cluster) -> list[tuple[int, int]]:
    """(receipt number, post), in order."""
    return sorted((number, post) for _, _, number, post in world.taken(cluster.database))


async def test_what_was_released_before_an_opt_out_is_recalled_also_where_it_was_embedded(
    cluster: Cluster,
) -> None:
    first = await cluster.decide([a_post(1, 1), a_post(2, 2)])
    second = await cluster.decide([a_post(3, 3, (90, 1)), a_post(4, 4)])
    assert {first.outcome, second.outcome} == {Outcome.OUTCOME_RELEASED}
    await cluster.opt_out(1)

    await catch_up(cluster)

    assert recalled(cluster) == [(1, 1), (2, 3)]
    (entry,) = world.entries(cluster.database)
    assert (entry.subject_id, entry.gaps_found) == (1, 2), "both permits were open still"


async def test_what_was_confirmed_as_not_delivered_is_not_recalled(cluster: Cluster) -> None:
    decision = await cluster.decide([a_post(1, 1), a_post(2, 1)])
    await cluster.confirm(decision.decision_id, b"\x02")
    await cluster.opt_out(1)

    await catch_up(cluster)

    assert recalled(cluster) == [(1, 2)]


async def test_a_recall_is_issued_a_minute_later_and_a_later_release_of_others_is_not_in_it(
    cluster: Cluster,
) -> None:
    await cluster.decide([a_post(1, 1)])
    await cluster.opt_out(1)
    await catch_up(cluster)
    await cluster.decide([a_post(5, 2)])
    cluster.clock.advance(MINUTE_US)

    await cluster.task(Issuer).look()

    (recall,) = world.recalls(cluster.database)
    assert (recall.number, recall.withdrawals, recall.posts, recall.licensee_id) == (1, 1, 1, "acme")


async def test_w2_no_id_that_a_licensee_is_told_has_the_time_of_a_withdrawal_in_it(cluster: Cluster) -> None:
    await cluster.decide([a_post(1, 1)])
    await cluster.opt_out(1)
    await catch_up(cluster)
    # A recall whose first taking is one that consent was asked about again.
    cluster.clock.advance(MINUTE_US)
    await cluster.task(Issuer).look()
    await cluster.decide([a_post(2, 2)])
    await cluster.publish_policy(policy_pb2.REGIME_PROHIBITED, in_us=PERMIT_US)
    cluster.clock.advance(2 * PERMIT_US)
    await cluster.decide([a_post(7, 7)])
    await catch_up(cluster)

    recalls, entries = world.recalls(cluster.database), world.entries(cluster.database)

    ids = [recall.recall_id for recall in recalls] + [entry.withdrawal_id for entry in entries]
    assert len(recalls) == 2
    assert {uuid.UUID(id).version for id in ids} == {4}


async def test_a_decision_on_an_answer_from_before_the_fence_releases_nothing_withdrawn(
    cluster: Cluster,
) -> None:
    await cluster.decide([a_post(1, 1)])
    await cluster.opt_out(1)
    await catch_up(cluster)

    after = await cluster.decide([a_post(1, 1), a_post(2, 2)])

    assert after.outcome == Outcome.OUTCOME_PARTIAL
    at = cluster.database.read_now(positions)
    assert at.fence == at.scanned
    assert recalled(cluster) == [(1, 1)]


async def test_a_policy_that_forbids_recalls_what_consent_denies_when_asked_again(cluster: Cluster) -> None:
    await cluster.decide([a_post(1, 1), a_post(2, 2)])
    await catch_up(cluster)
    assert recalled(cluster) == [], "the first policy forbade nothing that was released"
    await cluster.publish_policy(policy_pb2.REGIME_PROHIBITED, in_us=PERMIT_US)
    cluster.clock.advance(2 * PERMIT_US)
    # It takes effect when somebody asks.
    await cluster.decide([a_post(7, 7)])

    await catch_up(cluster)

    assert recalled(cluster) == [(1, 1), (1, 2)]


@pytest.mark.parametrize(("recall", "expected"), [(True, [(1, 1), (1, 2)]), (False, [])])
async def test_a_halt_recalls_only_if_it_was_ordered_with_recall(
    cluster: Cluster, recall: bool, expected: list[tuple[int, int]]
) -> None:
    await cluster.decide([a_post(1, 1), a_post(2, 2)])
    await catch_up(cluster)
    order = states_pb.OrderHaltRequest(
        request_id=cluster.new_id(),
        scope=halt_pb2.HaltScope(licensee_id="acme"),
        cause="a leak",
        recall=recall,
    )
    await cluster.states("OrderHalt", order)

    await catch_up(cluster)

    assert recalled(cluster) == expected


async def the_german_regime(cluster: Cluster, regime: int, in_us: int) -> None:
    """A policy that is OPT_OUT in the US, in effect once its time has come and somebody has asked."""
    rules = [
        policy_pb2.PolicyRule(jurisdiction=jurisdiction, purpose=purpose, regime=each)  # type: ignore[arg-type]
        for jurisdiction, each in (("US", policy_pb2.REGIME_OPT_OUT), ("DE", regime))
        for purpose in (SHARING, TRAINING)
    ]
    policy = policy_pb2.Policy(text_digest=b"t" * 32, rules=rules, notice_digests=[NOTICE])
    policy.effective_at.FromMicroseconds(cluster.clock.now_us() + in_us)
    await cluster.publish(policy)
    cluster.clock.advance(2 * in_us)
    await cluster.decide([a_post(7, 7)])


@pytest.mark.parametrize(
    ("regime", "taken_by_policy"),
    [(policy_pb2.REGIME_OPT_IN, [(1, 3), (1, 5)]), (policy_pb2.REGIME_OPT_OUT, [])],
)
async def test_w1_a_policy_takes_back_what_it_forbids_and_nothing_that_others_have_withdrawn(
    cluster: Cluster, regime: int, taken_by_policy: list[tuple[int, int]]
) -> None:
    await cluster.know(3, jurisdiction="DE")
    await cluster.decide([a_post(1, 1), a_post(2, 2), a_post(3, 3), a_post(5, 1, (30, 3))])
    await cluster.opt_out(2)
    await catch_up(cluster)
    before = world.taken(cluster.database)
    await the_german_regime(cluster, regime, PERMIT_US)

    await catch_up(cluster)

    assert [(number, post) for _, _, number, post in before] == [(1, 2)]
    after = world.taken(cluster.database)
    assert sorted((number, post) for _, _, number, post in set(after) - set(before)) == taken_by_policy


async def test_w1_a_halt_recalls_all_that_it_covered_though_it_is_lifted_meanwhile(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rechecking, "RELEASES_AT_ONCE", 1)
    monkeypatch.setattr(rechecking, "PAGES_A_TURN", 1)
    for post_id in (1, 2, 3):
        await cluster.decide([a_post(post_id, 1)])
    await catch_up(cluster)
    order = states_pb.OrderHaltRequest(
        request_id=cluster.new_id(),
        scope=halt_pb2.HaltScope(licensee_id="acme"),
        cause="a leak",
        recall=True,
    )
    halt = (await cluster.states("OrderHalt", order)).halt
    async with following(cluster):
        await until(lambda: len(cluster.task(FenceMover).backlog) > 0, "the halt is read")
    await cluster.task(FenceMover).advance()
    await cluster.task(Scanner).scan()
    await cluster.task(Rechecker).recheck()
    some = recalled(cluster)
    lift = states_pb.LiftHaltRequest(request_id=cluster.new_id(), halt_id=halt.halt_id)
    await cluster.states("LiftHalt", lift)

    await catch_up(cluster)

    assert len(some) == 1, "it was lifted while it was being asked about"
    assert recalled(cluster) == [(1, 1), (2, 2), (3, 3)]


async def test_w1_what_was_denied_allowed_again_and_then_released_is_not_recalled(cluster: Cluster) -> None:
    await cluster.decide([a_post(1, 1)])
    await cluster.opt_out(1)
    await cluster.opt_in(1)
    await cluster.decide([a_post(2, 1)])

    await catch_up(cluster)

    assert recalled(cluster) == [(1, 1)], "and a later allow withdraws no recall"


async def test_a_post_that_is_deleted_is_recalled_alone(cluster: Cluster) -> None:
    await cluster.decide([a_post(1, 1), a_post(2, 1), a_post(3, 2, (1, 1))])
    await cluster.change_state(
        state_change_pb2.StateChange(post_id=1, kind=state_change_pb2.STATE_CHANGE_KIND_DELETE)
    )

    await catch_up(cluster)

    assert recalled(cluster) == [(1, 1), (1, 3)]
