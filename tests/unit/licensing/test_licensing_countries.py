"""Countries: a closed table, as the tz database has it too (L2)."""

from importlib import resources

import pytest

from services.licensing.domain.countries import COUNTRIES, is_country, is_jurisdiction


def test_the_countries_are_those_of_iso_3166() -> None:
    # Kept by those who keep the tz database, with the newsletter of ISO that it follows.
    table = resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]

    assert {code for code, _ in rows} == COUNTRIES


@pytest.mark.parametrize(
    ("code", "known"), [("DE", True), ("EU", False), ("UK", False), ("de", False), ("", False)]
)
def test_l2_what_is_no_country_is_not_known(code: str, known: bool) -> None:
    assert is_country(code) is known
    assert is_jurisdiction(code) is known


def test_a_part_of_a_country_is_a_jurisdiction_and_no_country() -> None:
    assert is_jurisdiction("US-CA")
    assert not is_jurisdiction("UK-ENG")
    assert not is_country("US-CA")
