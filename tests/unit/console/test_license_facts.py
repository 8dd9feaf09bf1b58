"""The terms of a license in words, and what differs between two versions of them."""

from importlib import resources

import pytest

from services.console.documents import parse_document
from services.console.license_facts import Difference, as_plain, differences, facts
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest
from sluice.licensing.v1.license_pb2 import LicenseTerms

TEMPLATES = ("commercial", "api_tier", "research", "internal")


def template(name: str) -> str:
    folder = resources.files("services.console").joinpath("license_templates")
    return folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def terms_from(text: str) -> LicenseTerms:
    return parse_document(text.encode(), "l.yaml", CreateLicenseRequest, ("request_id",)).terms


def changed(*replacements: tuple[str, str]) -> LicenseTerms:
    """The commercial template after some replacements, each of which must be found."""
    text = template("commercial")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return terms_from(text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_a_license_of_its_sort(name: str) -> None:
    assert facts(terms_from(template(name)))["template"] == name


def test_terms_are_told_as_facts() -> None:
    told = facts(changed())

    assert told["purposes"] == "ai_training_generative"
    assert told["kinds"] == "post, quote, reply, repost"
    assert told["term_from"] == "2026-01-01 00:00:00.000 UTC"
    assert told["allowances[group, term]"] == "200,000,000 posts"
    assert told["obligations.no_reidentification"] == "yes"
    assert told["price.charges[Access].flat"] == "USD 5,000.00"
    assert told["price.charges[Posts].graduated.tiers[3].unit_price"] == "0.0008"


def test_what_is_not_forbidden_is_told_and_so_is_a_deadline_of_no_days() -> None:
    permissive = changed()
    permissive.obligations.Clear()
    told = facts(permissive)
    found = {each.fact: each.words() for each in differences(changed(), permissive)}

    assert told["obligations.no_reidentification"] == "no"
    assert told["obligations.recall_deadline_days"] == "0"
    assert told["obligations.suspend_when_overdue"] == "no"
    assert "obligations.recall_calendar" not in told
    assert found == {
        "obligations.no_reidentification": "yes -> no",
        "obligations.recall_deadline_days": "15 -> 0",
        "obligations.recall_business_days": "yes -> no",
        "obligations.recall_calendar": "US -> -",
        "obligations.recall_time_zone": "America/New_York -> -",
    }


def test_of_terms_that_are_not_understood_nothing_is_told_but_the_licensee() -> None:
    assert facts(LicenseTerms(licensee_id="acme")) == {"licensee_id": "acme"}


def test_the_same_terms_do_not_differ() -> None:
    assert differences(changed(), changed(("[post, reply,", "[reply, post,"))) == []


def test_what_differs_is_told_fact_by_fact() -> None:
    after = changed(
        ("languages: [en]", "languages: [de, fr]"),
        ("limit: 1_000_000}", "limit: 2_000_000}"),
        ("    - {per: group, window: term, limit: 200_000_000}\n", ""),
        ("included: 100_000", "included: 50_000"),
        ("maximum: 150000.00 USD", "maximum: 90000.50 USD"),
        ("2020-01-01", "2021-01-01"),
    )

    found = differences(changed(), after)

    assert {each.fact: each.words() for each in found} == {
        "languages": "with de, with fr, without en",
        "posted_from": "2020-01-01 00:00:00.000 UTC -> 2021-01-01 00:00:00.000 UTC",
        "allowances[license, rolling_day]": "1,000,000 posts -> 2,000,000 posts",
        "price.charges[Posts].included": "100,000 -> 50,000",
        "price.maximum": "USD 150,000.00 -> USD 90,000.50",
        "allowances[group, term]": "200,000,000 posts -> -",
    }


def test_programs_are_told_what_is_not_there_as_null() -> None:
    found = [Difference("price.minimum", "-", "USD 5.00"), Difference("languages", "en", "de")]

    assert as_plain(found) == [
        {"fact": "price.minimum", "before": None, "after": "USD 5.00"},
        {"fact": "languages", "before": "en", "after": "de"},
    ]
