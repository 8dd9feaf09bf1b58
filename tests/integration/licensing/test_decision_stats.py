"""Counts over the wire: who may know what of them, page by page, as of the last receipt."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing.storage.statistics import StatisticsStore
from sluice.licensing.v1 import statistics_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from sluice.licensing.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from tests.support.cluster import SECOND_US, TRAINING, Cluster, a_post

HOUR_US = 3_600 * SECOND_US


@pytest.fixture
def engine() -> str:
    return "sqlite"


async def stats(
    cluster: Cluster, kind: PrincipalKind = PrincipalKind.OPERATOR, **fields: Any
) -> pb.GetDecisionStatsResponse:
    peer = cluster.licensing.peer(kind, "ada", ["trust"])
    request = pb.GetDecisionStatsRequest(**fields)
    return await peer.call(StatisticsServiceStub(peer.channel).GetDecisionStats, request)


@pytest.fixture
async def busy(cluster: Cluster) -> AsyncIterator[Cluster]:
    """Three decisions in two hours: all released, some, and none."""
    await cluster.opt_out(2)
    await cluster.decide([a_post(1, 1), a_post(2, 3)])
    await cluster.decide([a_post(1, 1), a_post(2, 2), a_post(0, 1)])
    cluster.clock.advance(HOUR_US)
    await cluster.decide([a_post(1, 2)])
    yield cluster


async def test_an_operator_is_told_exact_reasons_and_an_auditor_coarse_verdicts(busy: Cluster) -> None:
    exact = await stats(busy)
    coarse = await stats(busy, PrincipalKind.AUDITOR)

    (row,) = exact.rows
    assert (row.licensee_id, row.purpose) == ("acme", TRAINING)
    assert (row.decisions_released, row.decisions_partial, row.decisions_denied) == (1, 1, 1)
    assert [(count.verdict, count.reason, count.posts) for count in row.posts] == [
        (Verdict.VERDICT_RELEASED, Reason.REASON_RELEASED, 3),
        (Verdict.VERDICT_NOT_COVERED, Reason.REASON_FAULT_ID, 1),
        (Verdict.VERDICT_NOT_AVAILABLE, Reason.REASON_CHOICE_DENIES, 2),
    ]
    assert [(count.verdict, count.reason, count.posts) for count in coarse.rows[0].posts] == [
        (Verdict.VERDICT_RELEASED, 0, 3),
        (Verdict.VERDICT_NOT_COVERED, 0, 1),
        (Verdict.VERDICT_NOT_AVAILABLE, 0, 2),
    ]
    assert exact.as_of_receipt_number == 3


async def test_stretches_are_whole_and_pages_go_on_where_the_last_one_ended(busy: Cluster) -> None:
    first = await stats(busy, by=pb.STATS_STRETCH_HOUR, page_size=1)
    second = await stats(busy, by=pb.STATS_STRETCH_HOUR, page_size=1, page_token=first.next_page_token)
    since = second.rows[0].since
    later = await stats(busy, by=pb.STATS_STRETCH_HOUR, since=since)
    earlier = await stats(busy, by=pb.STATS_STRETCH_HOUR, until=since)

    assert second.next_page_token == ""
    assert second.rows[0].since.seconds - first.rows[0].since.seconds == 3_600
    assert first.rows[0].since.seconds % 3_600 == 0
    assert list(later.rows) == list(second.rows)
    assert list(earlier.rows) == list(first.rows)


@pytest.mark.parametrize("purpose", [-(2**31), -5, 2**31 - 1])
async def test_a_page_that_ends_with_a_purpose_that_is_none_is_followed_by_the_next(
    busy: Cluster, purpose: int
) -> None:
    await busy.decide([a_post(1, 1)], purpose=purpose)

    rows, token = list[pb.DecisionStats](), ""
    for _ in range(2):
        page = await stats(busy, page_size=1, page_token=token)
        rows += page.rows
        token = page.next_page_token

    assert [row.purpose for row in rows] == sorted([purpose, TRAINING])
    assert token == ""


async def test_one_licensee_alone_can_be_asked_about(busy: Cluster) -> None:
    assert len((await stats(busy, licensee_id="acme")).rows) == 1
    assert not (await stats(busy, licensee_id="other")).rows


async def test_all_together_there_is_one_row_for_each_stretch_and_it_names_nobody(busy: Cluster) -> None:
    await busy.decide([a_post(1, 1)], purpose=99)

    first = await stats(busy, by=pb.STATS_STRETCH_HOUR, together=True, page_size=1)
    second = await stats(
        busy, by=pb.STATS_STRETCH_HOUR, together=True, page_size=1, page_token=first.next_page_token
    )

    assert [(row.licensee_id, row.purpose) for row in (*first.rows, *second.rows)] == [("", 0), ("", 0)]
    assert [row.decisions_denied for row in (*first.rows, *second.rows)] == [0, 2]
    assert second.next_page_token == ""


async def test_a_token_of_rows_of_the_other_sort_is_refused(busy: Cluster) -> None:
    apart = await stats(busy, by=pb.STATS_STRETCH_HOUR, page_size=1)
    together = await stats(busy, by=pb.STATS_STRETCH_HOUR, page_size=1, together=True)

    for is_together, token in ((True, apart.next_page_token), (False, together.next_page_token)):
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await stats(busy, together=is_together, page_token=token)


@pytest.mark.parametrize(
    "token", ["nonsense", "YSBiIGM=", "MSBh", "MCBhAGIgMQ==", "MSBhIDIxNDc0ODM2NDg=", "MSBhIC0yMTQ3NDgzNjQ5"]
)
async def test_a_token_that_no_page_had_is_refused(cluster: Cluster, token: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await stats(cluster, page_token=token)


async def test_a_time_that_is_none_is_as_far_as_it_says(busy: Cluster) -> None:
    fields: dict[str, Any] = {
        "since": {"seconds": -(2**63)},
        "until": {"seconds": 2**63 - 1, "nanos": 2**31 - 1},
    }

    assert len((await stats(busy, **fields)).rows) == 1


async def test_in_the_background_the_sums_are_made_and_made_anew_when_an_admin_asks(busy: Cluster) -> None:
    sums = StatisticsStore(busy.database)
    while await sums.advance():
        continue
    peer = busy.licensing.peer(PrincipalKind.OPERATOR, "ada", ["admin"])
    request = pb.RebuildDecisionStatsRequest(request_id=busy.new_id())
    rebuild = StatisticsServiceStub(peer.channel).RebuildDecisionStats

    told = await peer.call(rebuild, request)
    await busy.decide([a_post(5, 5)])
    again = await peer.call(rebuild, request)

    assert (told.up_to_receipt_number, again.up_to_receipt_number) == (3, 3)
    assert (await stats(busy)).as_of_receipt_number == 4


async def test_only_an_admin_has_them_made_anew_and_no_licensee_is_told_them(cluster: Cluster) -> None:
    trust = cluster.licensing.peer(PrincipalKind.OPERATOR, "ada", ["trust"])
    request = pb.RebuildDecisionStatsRequest(request_id=cluster.new_id())

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await trust.call(StatisticsServiceStub(trust.channel).RebuildDecisionStats, request)
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await stats(cluster, PrincipalKind.LICENSEE)
