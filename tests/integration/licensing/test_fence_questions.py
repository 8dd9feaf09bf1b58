"""What consent is asked when the fence has overtaken its answer (W5), and what a false answer comes to."""

import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from services.chassis.refusals import Kind, Refusal, unavailable
from services.licensing.domain.answers import Revision
from services.licensing.storage.head import lock_head, move_fence
from sluice.consent.v1.consent_service_pb2 import CheckConsentResponse
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from tests.support.cluster import SECOND_US, Cluster, a_post, licensing_of
from tests.support.scripted import Script, scripted

POSTS = [a_post(101, 1), a_post(102, 2, (901, 7), (902, 8)), a_post(103, 3), a_post(104, 4, (903, 9))]
GOES, DENIED = 1, 8
FENCE = Revision(1, 7)


@pytest.fixture
def engine() -> str:
    """Who asks whom does not depend on it."""
    return "sqlite"


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


@pytest.fixture
async def told(cluster: Cluster, script: Script, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster whose consent and metering answer as the script says, and whose fence has moved since."""
    targets = {"consent_target": script.address, "metering_target": script.address}
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            licensing_of(cluster, tmp_path, f"sqlite:///{tmp_path}/told.db", **targets)
        )
        await cluster.license()

        def unit(connection: Connection) -> None:
            lock_head(connection)
            move_fence(connection, FENCE)

        await cluster.database.write(unit)
        held = metering_pb.ReserveResponse(state=metering_pb.RESERVATION_STATE_HELD)
        held.revision.epoch = 1
        held.counted_at.FromMicroseconds(cluster.clock.now_us())
        script.answer("Reserve", held)
        script.answer("ReduceHold", metering_pb.ReduceHoldResponse())
        script.answer("Cancel", metering_pb.CancelResponse())
        yield cluster


def answered(
    cluster: Cluster, *reasons: int, number: int, good_for_us: int = 30 * SECOND_US, policy_version: int = 3
) -> CheckConsentResponse:
    answer = CheckConsentResponse(reasons=bytes(reasons), policy_version=policy_version)
    answer.revision.epoch, answer.revision.number = 1, number
    answer.checked_at.FromMicroseconds(cluster.clock.now_us())
    answer.good_until.FromMicroseconds(cluster.clock.now_us() + good_for_us)
    return answer


def ids(column: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(column) // 8}Q", column))


async def test_w5_consent_alone_is_asked_and_only_about_what_would_still_go(
    told: Cluster, script: Script
) -> None:
    script.answer(
        "CheckConsent",
        answered(told, GOES, GOES, DENIED, GOES, number=5),
        answered(told, GOES, GOES, DENIED, number=9),
    )

    decision = await told.decide(POSTS)
    await told.outbox.deliver()

    first, second = script.asked["CheckConsent"]
    assert (ids(first.post_ids), ids(second.post_ids)) == ([101, 102, 103, 104], [101, 102, 104])
    assert (ids(second.author_ids), ids(second.embed_author_ids)) == ([1, 2, 4], [7, 8, 9])
    assert (second.licensee_id, second.purpose) == (first.licensee_id, first.purpose)
    assert list(decision.verdicts) == [1, 1, 3, 3]
    assert len(script.asked["Reserve"]) == 1
    (reduction,) = script.asked["ReduceHold"]
    assert (reduction.reservation_id, sum(each.posts for each in reduction.keep)) == (
        decision.reservation_id,
        2,
    )


async def test_w5_the_second_answer_says_as_of_when_by_which_policy_and_until_when(
    told: Cluster, script: Script
) -> None:
    script.answer(
        "CheckConsent",
        answered(told, *[GOES] * 4, number=5),
        answered(told, *[GOES] * 4, number=9, good_for_us=4 * SECOND_US, policy_version=4),
    )

    decision = await told.decide(POSTS)

    assert (decision.consent_revision.number, decision.policy_version) == (9, 4)
    assert decision.valid_for.ToMicroseconds() == 4 * SECOND_US


@pytest.mark.parametrize("reasons", [(), (GOES,), (GOES,) * 5])
async def test_a_second_answer_with_another_number_of_verdicts_releases_nothing(
    told: Cluster, script: Script, reasons: tuple[int, ...]
) -> None:
    script.answer(
        "CheckConsent",
        answered(told, GOES, DENIED, GOES, GOES, number=5),
        answered(told, *reasons, number=9),
    )

    await refused_with(told, "PEER_ANSWER_INVALID")


async def test_r5_a_second_answer_from_before_the_fence_releases_nothing(
    told: Cluster, script: Script
) -> None:
    script.answer("CheckConsent", *[answered(told, *[GOES] * 4, number=number) for number in (5, 6)])

    await refused_with(told, "PEER_BEHIND")


async def test_a_consent_that_is_gone_when_it_is_asked_again_releases_nothing(
    told: Cluster, script: Script
) -> None:
    gone = unavailable("DATABASE_UNAVAILABLE", "it cannot be read")
    script.answer("CheckConsent", answered(told, *[GOES] * 4, number=5), gone)

    await refused_with(told, "PEER_UNAVAILABLE")


async def test_c9_a_second_answer_that_is_no_longer_good_gives_the_attempt_up(
    told: Cluster, script: Script
) -> None:
    script.answer(
        "CheckConsent",
        answered(told, *[GOES] * 4, number=5),
        answered(told, *[GOES] * 4, number=9, good_for_us=0),
        answered(told, *[GOES] * 4, number=9),
    )

    decision = await told.decide(POSTS)
    await told.outbox.deliver()

    first, second = script.asked["Reserve"]
    assert decision.outcome == pb.OUTCOME_RELEASED
    assert decision.reservation_id == second.reservation_id
    assert [each.reservation_id for each in script.asked["Cancel"]] == [first.reservation_id]


async def refused_with(told: Cluster, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        await told.decide(POSTS)

    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, reason)
    assert await told.database.read(decisions) == 0


def decisions(connection: Connection) -> Any:
    return connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar_one()
