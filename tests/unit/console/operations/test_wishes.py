"""What addresses of the console's pages say, and what they do not."""

import pytest

from services.chassis.refusals import Refusal
from services.console import moments
from services.console.operations import licenses, revenue
from services.console.operations.halt_wishes import NO_COUNTRY, NO_PART_CHECKED, HaltWish, read_halt
from services.console.operations.own_ids import name_in, number_in
from services.console.operations.wall_wishes import WallWish, overtakes, read_wall
from sluice.consent.v1.halt_pb2 import HaltScope
from sluice.licensing.v1.wall_service_pb2 import WallChange
from tests.support.clock import NOON_US

BY = "operator:ada"


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ({"kind": "everything"}, HaltScope(everything=True)),
        ({"kind": "purpose", "purpose": "4"}, HaltScope(purpose="PURPOSE_AI_INPUT")),
        ({"kind": "jurisdiction", "jurisdiction": " us-ca "}, HaltScope(jurisdiction="US-CA")),
        ({"kind": "licensee", "licensee": "acme"}, HaltScope(licensee_id="acme")),
    ],
)
def test_c12_a_halt_is_of_the_kind_that_was_chosen(given: dict[str, str], scope: HaltScope) -> None:
    # What the other fields of the form hold is not meant.
    wish = read_halt({"licensee": "other", "purpose": "1", **given})

    assert (wish.faults, wish.scope, wish.recall) == ([], scope, False)


def test_a_halt_that_is_read_from_its_own_address_is_the_same() -> None:
    wish = HaltWish("licensee", "acme", recall=True)

    assert read_halt({"kind": "licensee", "licensee": "acme", "recall": "yes"}) == wish


@pytest.mark.parametrize("code", ["UK", "EL", "XX", "AA", "ZZ", "EU", "UN", "ZZ-1"])
def test_c12_a_code_that_no_country_has_is_warned_of_and_halted(code: str) -> None:
    wish = read_halt({"kind": "jurisdiction", "jurisdiction": code})

    assert (wish.faults, wish.warning, wish.scope.jurisdiction) == ([], NO_COUNTRY, code)


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"kind": "jurisdiction", "jurisdiction": "GB"}, ""),
        ({"kind": "jurisdiction", "jurisdiction": "xk"}, ""),
        ({"kind": "jurisdiction", "jurisdiction": "US-ZZ"}, NO_PART_CHECKED),
        ({"kind": "licensee", "licensee": "uk"}, ""),
        ({"kind": "everything"}, ""),
    ],
)
def test_of_a_country_there_is_nothing_to_warn_and_parts_are_not_known_here(
    given: dict[str, str], warning: str
) -> None:
    assert read_halt(given).warning == warning


@pytest.mark.parametrize("recall", ["", "no", "YES", "1"])
def test_nothing_is_recalled_where_it_is_not_asked_for_in_one_word(recall: str) -> None:
    assert not read_halt({"kind": "everything", "recall": recall}).recall


@pytest.mark.parametrize(
    ("hours", "tiers", "faults"),
    [("", [], 0), ("24", ["3", "1", "3"], 0), (None, [], 1), ("2", [], 1), ("1", ["0"], 1), ("-1", ["x"], 2)],
)
def test_a_wall_stands_for_one_of_the_lengths_and_is_open_to_known_tiers(
    hours: str | None, tiers: list[str], faults: int
) -> None:
    assert len(read_wall(hours, tiers).faults) == faults


def test_a_wall_without_an_end_stands_until_it_is_lowered() -> None:
    assert not WallWish("").request("id", "Why.").HasField("lasts")
    assert WallWish("6", (1, 3)).request("id", "Why.").lasts.seconds == 6 * 3600


@pytest.mark.parametrize(
    ("last", "is_overtaken"),
    [
        (WallChange(number=4), False),
        (WallChange(number=5, raised=True, reason="Why.", changed_by=BY), False),
        (WallChange(number=5, raised=True, reason="Why.", changed_by="operator:tom"), True),
        (WallChange(number=5, raised=True, reason="Else.", changed_by=BY), True),
        (WallChange(number=5, reason="Why.", changed_by=BY), True),
        (WallChange(number=6, raised=True, reason="Why.", changed_by=BY), True),
    ],
)
def test_a_change_of_somebody_else_overtakes_and_the_same_form_sent_twice_does_not(
    last: WallChange, is_overtaken: bool
) -> None:
    assert overtakes(last, {"number": 4}, "Why.", BY) is is_overtaken


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "x" * 64, "é", "a\n"])
def test_what_is_no_name_names_nothing(text: str) -> None:
    with pytest.raises(Refusal, match="NO_SUCH_ID"):
        name_in(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "01", "1.0", "٣", str(2**63)])
def test_what_is_no_number_names_nothing(text: str) -> None:
    with pytest.raises(Refusal, match="NO_SUCH_ID"):
        number_in(text)


def test_the_largest_number_names_something() -> None:
    assert number_in(str(2**63 - 1)) == 2**63 - 1


def test_the_next_page_of_licenses_is_of_the_same_wish() -> None:
    wish, faults = licenses.read_wish(" acme ", "3")

    assert faults == []
    assert wish.address("t/k=") == "/licenses?licensee=acme&state=3&page=t%2Fk%3D"
    assert (list(wish.request("").states), wish.request("").licensee_id) == ([3], "acme")


def test_months_are_in_order_and_both_are_kept_in_the_address_of_a_chart() -> None:
    wish, faults = revenue.read_wish({"from": "2025-10", "to": "2025-12", "licensee": ""}, NOON_US)

    assert (faults, wish.query()) == ([], "from=2025-10&to=2025-12")
    assert wish.query(100) == "from=2025-10&to=2025-12&row=100"
    assert revenue.read_wish({"from": "2025-12", "to": "2025-10"}, NOON_US)[1] == [revenue.NO_ORDER]


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ({}, "2024-12", "2025-11"),
        ({"to": "2025-03"}, "2024-04", "2025-03"),
        ({"from": "2025-10"}, "2025-10", "2025-11"),
        ({"from": "2020-12"}, "2020-12", "2025-11"),
        ({"to": "0001-01"}, "0001-01", "0001-01"),
    ],
)
def test_months_that_are_not_named_are_the_last_twelve(given: dict[str, str], first: str, last: str) -> None:
    wish, faults = revenue.read_wish(given, moments.read("2025-11-02").ToMicroseconds())

    assert (wish.first, wish.last, faults) == (first, last, [])


@pytest.mark.parametrize("given", [{"from": "2020-11"}, {"from": "0001-01"}, {"from": "0000-01"}])
def test_months_that_are_too_many_or_none_are_told(given: dict[str, str]) -> None:
    _, faults = revenue.read_wish(given, moments.read("2025-11-02").ToMicroseconds())

    assert faults in ([revenue.TOO_LONG], [revenue.NO_MONTH])
