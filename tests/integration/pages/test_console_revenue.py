"""The page about revenue: a chart and a table for each currency, and two are never added (B1)."""

import pytest

from services.console.operations import revenue
from tests.support.pages_licensing import a_price, invoiced, open_to_all
from tests.support.pages_world import PagesWorld


@pytest.fixture
async def billed(world: PagesWorld) -> PagesWorld:
    """Three posts at 50 cents in euros, and three at a dollar."""
    await open_to_all(world.cluster)
    await world.cluster.license("in-euros", price=a_price("EUR", "0.5"))
    await world.cluster.license("in-dollars", price=a_price("USD", "1234.5"))
    await invoiced(world.cluster, "in-euros", "in-dollars")
    return world


async def test_b1_currencies_stand_apart(billed: PagesWorld) -> None:
    async with billed.operator() as (visitor, _):
        page = await visitor.get("/revenue")

    assert "Revenue in EUR All together: €1.50" in page.text
    assert "Revenue in USD All together: US$3,703.50" in page.text
    assert "Oct 2025 acme €1.50 €0.00 €1.50" in page.text


async def test_amounts_are_in_the_readers_form(billed: PagesWorld) -> None:
    async with billed.operator(language="de-DE") as (visitor, _):
        page = await visitor.get("/revenue")

    assert "3.703,50\N{NO-BREAK SPACE}$" in page.html
    assert "Okt. 2025" in page.html


async def test_each_currency_has_a_chart_by_day_and_by_night(billed: PagesWorld) -> None:
    async with billed.operator() as (visitor, _):
        page = await visitor.get("/revenue")
        charts = [await visitor.get(f"/revenue/chart/{each}.svg?theme=dark") for each in ("EUR", "USD")]
        none = await visitor.get("/revenue/chart/GBP.svg")

    assert 'srcset="/revenue/chart/EUR.svg?from=2024-12&amp;to=2025-11&amp;theme=dark"' in page.html
    assert [chart.headers["content-type"] for chart in charts] == ["image/svg+xml"] * 2
    assert all("style=" not in chart.html for chart in charts)
    assert none.status == 404


async def test_a_table_has_so_many_rows_and_another_page(
    billed: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revenue, "ROWS", 1)

    async with billed.operator() as (visitor, _):
        first = await visitor.get("/revenue")
        beyond = await visitor.get("/revenue?row=1")
        odd = await visitor.get("/revenue?row=-1")

    assert first.html.count("<tbody>") == odd.html.count("<tbody>") == 2
    assert "Next page" not in first.text
    assert "<tbody>" not in beyond.html
    assert "All together: €1.50" in beyond.text
    assert "Back to the first page" in beyond.text


async def test_where_old_months_are_left_out_nobody_reads_that_nothing_was_billed(
    billed: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revenue, "MOST_PAGES", 1)

    async with billed.operator() as (visitor, _):
        page = await visitor.get("/revenue")

    assert "Nothing was billed." not in page.text
    assert "There is too much to show at once: Oct 2025 and what lies before it" in page.text


async def test_revenue_is_of_the_months_and_the_licensee_that_were_asked_for(billed: PagesWorld) -> None:
    async with billed.operator() as (visitor, _):
        page = await visitor.get("/revenue")
        later = await visitor.press(page, "Show", {"from": "2025-11"})
        of_nobody = await visitor.press(page, "Show", {"licensee": "nobody"})
        of_acme = await visitor.press(page, "Show", {"licensee": "acme", "to": "2025-10"})

    assert "Nothing was billed." in later.text
    assert "Nothing was billed." in of_nobody.text
    assert "€1.50" in of_acme.text


@pytest.mark.parametrize("query", ["from=x", "from=2025-13", "from=2025-11&to=2025-10", "licensee=A%20B"])
async def test_a_wish_that_says_nothing_is_pointed_out(world: PagesWorld, query: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/revenue?{query}")

    assert page.status == 400
    assert 'class="fault" role="alert"' in page.html


async def test_while_licensing_is_down_the_page_says_so(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        await world.cluster.licensing.drain()
        page = await visitor.get("/revenue")

    assert "This part cannot be reached at the moment." in page.text
