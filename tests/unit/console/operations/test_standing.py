"""The parts of the first page, and counts: read to an end, however much there is."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.dialing import Peer
from services.console import moments
from services.console.operations import counting, standing
from services.console.stats import By
from sluice.licensing.v1 import contract_service_pb2, recall_service_pb2, statistics_service_pb2
from sluice.licensing.v1.license_pb2 import License, LicenseState
from sluice.licensing.v1.recall_pb2 import Recall, RecallState
from tests.support.scripted import Script, scripted

NOW_US = moments.read("2026-01-31T12:34:56Z").ToMicroseconds()
DAY_US, HOUR_US = 86_400_000_000, 3_600_000_000


@pytest.fixture
async def licensing() -> AsyncIterator[tuple[Script, Peer]]:
    """What licensing answers, and the way to it."""
    with scripted() as script:
        peer = Peer(script.address, None, name="licensing")
        yield script, peer
        await peer.close()


def some_rows(hour: int, count: int) -> statistics_service_pb2.GetDecisionStatsResponse:
    row = statistics_service_pb2.DecisionStats(
        since=moments.from_us(NOW_US // HOUR_US * HOUR_US + hour * HOUR_US), decisions_released=count
    )
    return statistics_service_pb2.GetDecisionStatsResponse(
        rows=[row], next_page_token="more", as_of_receipt_number=9
    )


async def test_counts_are_read_page_by_page(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    last = some_rows(1, 3)
    last.next_page_token = ""
    script.answer("GetDecisionStats", some_rows(0, 2), last)

    counted = await counting.count(peer, By.HOUR, NOW_US, NOW_US + HOUR_US)

    assert [row.decisions_released for row in counted.rows] == [2, 3]
    assert (counted.as_of, counted.cut_at_us) == (9, None)
    assert [each.page_token for each in script.asked["GetDecisionStats"]] == ["", "more"]


async def test_counts_that_do_not_end_are_cut_before_the_stretch_that_was_not_read_whole(
    licensing: tuple[Script, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, peer = licensing
    monkeypatch.setattr(counting, "MOST_PAGES", 3)
    script.answer("GetDecisionStats", some_rows(0, 2), some_rows(1, 3), some_rows(1, 4))

    counted = await counting.count(peer, By.HOUR, NOW_US, NOW_US + HOUR_US)

    assert [row.decisions_released for row in counted.rows] == [2]
    assert counted.cut_at_us == NOW_US // HOUR_US * HOUR_US + HOUR_US


async def test_the_last_hour_begins_with_a_whole_minute(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    script.answer("GetDecisionStats", statistics_service_pb2.GetDecisionStatsResponse())

    found = await standing.recent(peer, By.MINUTE, 60, NOW_US)

    assert moments.written(moments.from_us(found.sums.since_us)) == "2026-01-31T11:34:00.000000Z"


async def test_recalls_are_overdue_due_soon_or_later(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    issued, overdue = RecallState.RECALL_STATE_ISSUED, RecallState.RECALL_STATE_OVERDUE
    recalls = [
        Recall(state=overdue, due_at=moments.from_us(NOW_US - DAY_US)),
        Recall(state=issued, due_at=moments.from_us(NOW_US + 3 * DAY_US)),
        Recall(state=issued, due_at=moments.from_us(NOW_US + 3 * DAY_US + 1)),
    ]
    script.answer("ListRecalls", recall_service_pb2.ListRecallsResponse(recalls=recalls))

    found = await standing.recalls(peer, NOW_US)

    assert (found.overdue, found.due_soon, found.open, found.is_whole) == (1, 1, 3, True)


async def test_recalls_without_end_are_said_to_be_more(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    page = recall_service_pb2.ListRecallsResponse(recalls=[Recall()], next_page_token="more")
    script.answer("ListRecalls", page)

    found = await standing.recalls(peer, NOW_US)

    assert (found.open, found.is_whole) == (standing.MOST_PAGES, False)


async def test_licenses_are_counted_by_state(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    active, suspended = LicenseState.LICENSE_STATE_ACTIVE, LicenseState.LICENSE_STATE_SUSPENDED
    first = contract_service_pb2.ListLicensesResponse(
        licenses=[License(state=active)], next_page_token="more"
    )
    last = contract_service_pb2.ListLicensesResponse(
        licenses=[License(state=suspended), License(state=active)]
    )
    script.answer("ListLicenses", first, last)

    found = await standing.licenses(peer)

    assert (found.by_state[active], found.by_state[suspended], found.is_whole) == (2, 1, True)
