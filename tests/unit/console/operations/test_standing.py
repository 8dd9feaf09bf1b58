"""The parts of the first page, and counts: read to an end, however much there is."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.dialing import Peer
from services.console import moments
from services.console.operations import counting, standing
from services.console.operations.licenses import MOST_EMPTY, listed
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
    assert counted.as_of == 9
    assert [each.page_token for each in script.asked["GetDecisionStats"]] == ["", "more"]


async def test_counts_are_asked_for_all_licensees_together_or_for_one(
    licensing: tuple[Script, Peer],
) -> None:
    script, peer = licensing
    script.answer("GetDecisionStats", statistics_service_pb2.GetDecisionStatsResponse())

    await counting.count(peer, By.HOUR, NOW_US, NOW_US + HOUR_US)
    await counting.count(peer, By.HOUR, NOW_US, NOW_US + HOUR_US, "acme")

    asked = script.asked["GetDecisionStats"]
    assert [(each.licensee_id, each.together) for each in asked] == [("", True), ("acme", True)]


async def test_the_last_hour_begins_with_a_whole_minute(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    script.answer("GetDecisionStats", statistics_service_pb2.GetDecisionStatsResponse())

    found = await standing.recent(peer, By.MINUTE, 60, NOW_US)

    assert moments.written(moments.from_us(found.sums.since_us)) == "2026-01-31T11:34:00.000000Z"


async def test_recalls_are_due_soon_or_not(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    issued, overdue = RecallState.RECALL_STATE_ISSUED, RecallState.RECALL_STATE_OVERDUE
    recalls = [
        Recall(state=overdue, due_at=moments.from_us(NOW_US - DAY_US)),
        Recall(state=issued, due_at=moments.from_us(NOW_US + 3 * DAY_US)),
        Recall(state=issued, due_at=moments.from_us(NOW_US + 3 * DAY_US + 1)),
    ]
    script.answer("ListRecalls", recall_service_pb2.ListRecallsResponse(recalls=recalls))

    found = await standing.recalls(peer, NOW_US)

    assert (found.due_soon, found.open, found.is_whole) == (1, 3, True)


async def test_w3_overdue_recalls_are_asked_for_alone(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    recalls = [Recall(state=RecallState.RECALL_STATE_OVERDUE)]
    script.answer("ListRecalls", recall_service_pb2.ListRecallsResponse(recalls=recalls))

    found = await standing.overdue(peer)

    assert (found.count, found.is_whole) == (1, True)
    assert list(script.asked["ListRecalls"][0].states) == [RecallState.RECALL_STATE_OVERDUE]


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

    assert (found.by_state[active], found.by_state[suspended], found.at_least) == (2, 1, frozenset())


async def test_l4_a_suspended_license_is_counted_however_many_others_there_are(
    licensing: tuple[Script, Peer],
) -> None:
    script, peer = licensing
    active, suspended = LicenseState.LICENSE_STATE_ACTIVE, LicenseState.LICENSE_STATE_SUSPENDED
    others = contract_service_pb2.ListLicensesResponse(
        licenses=[License(state=active)], next_page_token="more"
    )
    alone = contract_service_pb2.ListLicensesResponse(licenses=[License(state=suspended)])
    script.answer("ListLicenses", *[others] * standing.MOST_PAGES, alone)

    found = await standing.licenses(peer)

    assert list(script.asked["ListLicenses"][-1].states) == [suspended]
    assert (found.by_state[active], found.by_state[suspended]) == (standing.MOST_PAGES, 1)
    assert active in found.at_least
    assert suspended not in found.at_least


async def test_a_list_of_licenses_goes_on_until_it_has_one_and_ends_somewhere(
    licensing: tuple[Script, Peer],
) -> None:
    script, peer = licensing
    none = contract_service_pb2.ListLicensesResponse(next_page_token="more")
    one = contract_service_pb2.ListLicensesResponse(licenses=[License()], next_page_token="more")
    script.answer("ListLicenses", none, one, none)

    found = await listed(peer, contract_service_pb2.ListLicensesRequest())
    nothing = await listed(peer, contract_service_pb2.ListLicensesRequest())

    assert (len(found.licenses), len(nothing.licenses), nothing.next_page_token) == (1, 0, "more")
    assert len(script.asked["ListLicenses"]) == 2 + MOST_EMPTY
