"""`sluice revenue`: a table, CSV, and a picture with an axis for each currency."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from services.console.money import of_nanos
from services.console.revenue_plots import draw_revenue
from sluice.licensing.v1.billing_service_pb2 import GetRevenueResponse
from sluice.licensing.v1.invoice_pb2 import Revenue
from tests.support.command_line import Cli
from tests.support.scripted import Script

SVG = "{http://www.w3.org/2000/svg}"
NANOS = 10**9


def a_revenue(
    month: str, licensee_id: str, invoiced: int, credited: int = 0, currency: str = "USD"
) -> Revenue:
    return Revenue(
        month=month,
        licensee_id=licensee_id,
        invoiced=of_nanos(invoiced * NANOS, currency),
        credited=of_nanos(credited * NANOS, currency),
        net=of_nanos((invoiced - credited) * NANOS, currency),
        decimals=0 if currency == "JPY" else 2,
    )


FOUND = [
    a_revenue("2026-01", "acme", 1_500, 250),
    a_revenue("2026-01", "birch", 9_000, currency="JPY"),
    a_revenue("2026-03", "acme", 100),
]


def words(picture: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.parse(picture).iter(f"{SVG}text")]


def test_a_row_is_a_month_a_licensee_and_a_currency_and_currencies_are_not_added(
    script: Script, cli: Cli
) -> None:
    first = GetRevenueResponse(revenue=FOUND[:2], next_page_token="x")
    script.answer("GetRevenue", first, GetRevenueResponse(revenue=FOUND[2:]))

    said = cli("revenue", "--from", "2026-01", "--to", "2026-12", "--licensee", "acme")

    asked, following = script.asked["GetRevenue"]
    assert (asked.from_month, asked.to_month, asked.licensee_id) == ("2026-01", "2026-12", "acme")
    assert following.page_token == "x"
    assert said.splitlines()[1].split() == ["2026-01", "acme", "USD", "1,500.00", "250.00", "1,250.00"]
    assert said.splitlines()[2].split() == ["2026-01", "birch", "JPY", "9,000", "0", "9,000"]
    assert said.endswith("Total: JPY 9,000.\nTotal: USD 1,350.00.\n")


def test_csv_and_json_are_for_programs(script: Script, cli: Cli) -> None:
    script.answer("GetRevenue", GetRevenueResponse(revenue=FOUND))

    assert cli("revenue", "--csv").splitlines() == [
        "month,licensee_id,currency,invoiced,credited,net",
        "2026-01,acme,USD,1500.00,250.00,1250.00",
        "2026-01,birch,JPY,9000,0,9000",
        "2026-03,acme,USD,100.00,0.00,100.00",
    ]
    assert [each["month"] for each in cli.json("revenue")] == ["2026-01", "2026-01", "2026-03"]


def test_nothing_is_said_to_be_nothing(script: Script, cli: Cli, tmp_path: Path) -> None:
    script.answer("GetRevenue", GetRevenueResponse())

    said = cli("revenue", "--plot", tmp_path / "out.svg")

    assert said == f"Nothing was billed.\nWrote {tmp_path / 'out.svg'}.\n"
    assert "Nothing was billed." in words(tmp_path / "out.svg")


def test_each_currency_has_a_panel_of_its_own_and_every_month_a_place(tmp_path: Path) -> None:
    draw_revenue(FOUND, tmp_path / "out.svg")

    said = words(tmp_path / "out.svg")
    for text in (
        "Revenue in USD by licensee and month",
        "Revenue in JPY by licensee and month",
        "acme",
        "birch",
    ):
        assert said.count(text) == 1
    assert [text for text in said if text.startswith("2026-")] == ["2026-01", "2026-01", "2026-02", "2026-03"]


def test_many_licensees_are_drawn_as_the_largest_and_all_others(tmp_path: Path) -> None:
    draw_revenue(
        [a_revenue("2026-01", f"licensee-{number}", number) for number in range(30)], tmp_path / "out.svg"
    )

    named = [text for text in words(tmp_path / "out.svg") if text.startswith("licensee-")]
    assert named == [f"licensee-{number}" for number in range(29, 20, -1)]
    assert "all others" in words(tmp_path / "out.svg")


def test_the_same_is_drawn_the_same(tmp_path: Path) -> None:
    draw_revenue(FOUND, tmp_path / "one.svg")
    draw_revenue(FOUND, tmp_path / "other.svg")

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_where_no_picture_can_be_written_nobody_is_asked(
    script: Script, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--plot" in cli.wrong("revenue", "--plot", tmp_path / "out.pdf")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.refusal("revenue", "--plot", tmp_path / "out.svg")["reason"] == "PLOT_MISSING"
    assert script.asked["GetRevenue"] == []
