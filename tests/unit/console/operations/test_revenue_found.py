"""Revenue is read from the newest month on: where there is too much, the old months are left out."""

from collections.abc import AsyncIterator

import pytest
from google.type.money_pb2 import Money

from services.chassis.dialing import Peer
from services.console.operations import revenue
from services.console.operations.revenue import Wish, found_of
from sluice.licensing.v1.billing_service_pb2 import GetRevenueResponse
from sluice.licensing.v1.invoice_pb2 import Revenue
from tests.support.scripted import Script, scripted


@pytest.fixture
async def licensing() -> AsyncIterator[tuple[Script, Peer]]:
    """What licensing answers, and the way to it."""
    with scripted() as script:
        peer = Peer(script.address, None, name="licensing")
        yield script, peer
        await peer.close()


def a_page(month: str, *licensees: str, more: bool = False) -> GetRevenueResponse:
    """A euro of each."""
    rows = [
        Revenue(month=month, licensee_id=each, net=Money(currency_code="EUR", units=1), decimals=2)
        for each in licensees
    ]
    return GetRevenueResponse(revenue=rows, next_page_token="more" if more else "")


async def test_the_newest_month_comes_first_and_each_is_read_whole(licensing: tuple[Script, Peer]) -> None:
    script, peer = licensing
    script.answer(
        "GetRevenue",
        a_page("2025-11", "acme", more=True),
        a_page("2025-11", "beta"),
        a_page("2025-10"),
        a_page("2025-09", "acme"),
    )

    found = await found_of(peer, Wish("2025-09", "2025-11"))

    (euros,) = found.currencies
    assert [(row.month, row.licensee_id) for row in euros.rows] == [
        ("2025-11", "acme"),
        ("2025-11", "beta"),
        ("2025-09", "acme"),
    ]
    assert euros.months == ["2025-09", "2025-10", "2025-11"]
    assert found.left_out == ""


async def test_what_is_too_much_leaves_out_the_old_months_and_no_half_of_one(
    licensing: tuple[Script, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, peer = licensing
    monkeypatch.setattr(revenue, "MOST_PAGES", 2)
    script.answer("GetRevenue", a_page("2025-11", "acme"), a_page("2025-10", "acme", more=True))

    found = await found_of(peer, Wish("2025-01", "2025-11"))

    assert [row.month for row in found.currencies[0].rows] == ["2025-11"]
    assert found.left_out == "2025-10"
