"""How full windows are, as pages show it; revenue by month; and what is open to whom."""

import pytest
from google.type.money_pb2 import Money

from services.console.money import of_nanos
from services.console.operations import roles
from services.console.operations.allowances import Gauge, allowed, gauge
from services.console.operations.charts import MOST_SERIES
from services.console.operations.revenue_sums import by_currency, chart, months
from services.console.web.reading import reader_of
from services.console.web.sessions import Session
from sluice.licensing.v1.invoice_pb2 import Revenue
from sluice.licensing.v1.license_pb2 import LicenseAllowance
from sluice.metering.v1.allowance_pb2 import Allowance, AllowanceRoom
from tests.support.cluster import some_terms

ENGLISH = reader_of("en-GB")


@pytest.mark.parametrize(
    ("limit", "used", "held", "percent", "level"),
    [
        (10, 0, 0, 0, "below"),
        (10, 4, 3, 70, "below"),
        (10, 4, 4, 80, "high"),
        (3, 2, 0, 66, "below"),
        (10, 4, 6, 100, "full"),
        (5, 10, 0, 200, "full"),
        (0, 0, 0, 100, "full"),
    ],
)
def test_l3_what_is_held_counts_and_a_limit_of_nothing_is_full(
    limit: int, used: int, held: int, percent: int, level: str
) -> None:
    found = Gauge(per=1, window=3, limit=limit, used=used, held=held)

    assert (found.percent, found.level) == (percent, level)


def test_l3_metering_is_asked_about_the_license_its_licensee_and_their_group() -> None:
    limits = [LicenseAllowance(per=per, window=3, limit=per) for per in (1, 2, 3)]  # type: ignore[arg-type]

    asked = allowed("acme-training", some_terms(allowances=limits))

    assert (asked.party_id, asked.license_id) == ("acme", "acme-training")
    assert [(each.scope, each.id) for each in asked.allowances] == [
        (1, "acme-training"),
        (2, "acme"),
        (3, ""),
    ]


def test_m6_a_group_is_named_where_the_licensee_is_in_one() -> None:
    limit = LicenseAllowance(per="ALLOWANCE_SUBJECT_GROUP", window="WINDOW_ROLLING_DAY", limit=9)
    of_group = AllowanceRoom(allowance=Allowance(scope="ALLOWANCE_SCOPE_GROUP", id="acme-group"), used=1)
    alone = AllowanceRoom(allowance=Allowance(scope="ALLOWANCE_SCOPE_LICENSEE", id="acme"), used=1)

    assert gauge(limit, of_group).group_id == "acme-group"
    assert gauge(limit, alone).group_id == ""


def a_row(month: str, licensee_id: str, units: int, currency: str = "EUR") -> Revenue:
    """What was billed."""
    return Revenue(
        licensee_id=licensee_id, month=month, net=Money(currency_code=currency, units=units), decimals=2
    )


def test_b1_each_currency_has_a_sum_of_its_own() -> None:
    rows = [a_row("2025-11", "a", 3), a_row("2025-11", "a", 9, "USD"), a_row("2026-01", "b", -1)]

    found = by_currency(rows)

    assert [(of.currency, of.net) for of in found] == [
        ("EUR", of_nanos(2_000_000_000, "EUR")),
        ("USD", of_nanos(9_000_000_000, "USD")),
    ]
    assert found[0].months == ["2025-11", "2025-12", "2026-01"]


def test_months_go_on_over_the_end_of_a_year() -> None:
    assert months("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months("2025-11", "2025-11") == ["2025-11"]


def test_a_chart_has_the_largest_licensees_and_the_others_as_one() -> None:
    (of,) = by_currency([a_row("2025-11", f"l{place:02}", 100 - place) for place in range(MOST_SERIES + 2)])

    drawn = chart(ENGLISH, of)

    assert [series.name for series in drawn.series][:2] == ["l00", "l01"]
    assert len(drawn.series) == MOST_SERIES
    assert drawn.series[-1].name == "All other licensees"
    assert sum(drawn.series[-1].values) == sum(
        100 - place for place in range(MOST_SERIES - 1, MOST_SERIES + 2)
    )


def a_session(*held: str) -> Session:
    """An operator with these roles."""
    return Session("id", "token", "operator", "ada", held, 0)


@pytest.mark.parametrize(
    ("method", "open_to"),
    [
        (roles.SUSPEND, ["admin", "legal", "trust"]),
        (roles.RESUME, ["admin", "legal"]),
        (roles.TERMINATE, ["admin", "legal"]),
        (roles.ORDER_HALT, ["admin", "legal", "trust"]),
        (roles.LIFT_HALT, ["admin", "legal", "trust"]),
        (roles.RAISE_WALL, ["admin", "trust"]),
        (roles.LOWER_WALL, ["admin", "trust"]),
    ],
)
def test_what_is_open_to_whom_is_what_the_contract_says(method: str, open_to: list[str]) -> None:
    assert roles.open_to(method) == open_to
    assert all(roles.is_open(a_session(role), method) for role in open_to)
    assert not roles.is_open(a_session("finance"), method)
    assert not roles.is_open(a_session(), method)


def test_what_is_not_for_operators_or_is_in_no_contract_is_open_to_none() -> None:
    everything = a_session("admin", "legal", "trust", "finance")

    assert not roles.is_open(everything, "/sluice.metering.v1.MeteringService/Reserve")
    assert not roles.is_open(everything, "/sluice.metering.v1.MeteringService/Nonsense")
