"""Terms: one form, one digest, and nothing that contradicts itself or means nothing (L2)."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.canonical import EARLIEST_US, LATEST_US, rfc3339, rfc3339_us
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.terms import (
    Allowance,
    AllowanceSubject,
    ContentKind,
    Purpose,
    Template,
    Window,
    digest_of,
    purpose_name,
)
from tests.support.licensing import some_terms
from tests.support.prices import a_price

Fields = dict[str, Any]


def obligations(**changes: Any) -> Obligations:
    return replace(some_terms().obligations, **changes)


def business_days(**changes: Any) -> Obligations:
    return obligations(**{"recall_business_days": True, "recall_calendar": "DE-BY", **changes})


def test_the_document_is_the_published_form() -> None:
    terms = some_terms(
        purposes=frozenset({Purpose.SEARCH_INDEX, Purpose.AI_INPUT}),
        kinds=frozenset({ContentKind.REPOST, ContentKind.POST}),
        languages=frozenset({"fr", "en"}),
        author_jurisdictions=frozenset({"US-CA", "DE"}),
        posted_from_us=0,
        term_from_us=1_767_225_600_000_000,
        term_until_us=1_798_761_600_000_001,
        allowances=(
            Allowance(AllowanceSubject.LICENSEE, Window.TERM, 5),
            Allowance(AllowanceSubject.LICENSE, Window.ROLLING_DAY, 7),
        ),
        contract_digest=None,
    )

    assert terms.document() == (
        b'{"allowances":[{"limit":5,"per":"licensee","window":"term"},'
        b'{"limit":7,"per":"license","window":"rolling_day"}],'
        b'"author_jurisdictions":["DE","US-CA"],"kinds":["post","repost"],"languages":["en","fr"],'
        b'"licensee_id":"licensee-1","obligations":{"no_reidentification":true,"recall_deadline_days":30},'
        b'"posted_before":null,"posted_from":"1970-01-01T00:00:00.000000Z",'
        b'"purposes":["ai_input","search_index"],"template":"commercial",'
        b'"term_from":"2026-01-01T00:00:00.000000Z","term_until":"2027-01-01T00:00:00.000001Z",'
        b'"territory":["*"]}'
    )
    assert digest_of(terms.document()) == sha256(terms.document()).digest()


def test_obligations_that_came_later_are_in_the_document_where_they_say_something() -> None:
    owed = business_days(recall_time_zone="Europe/Berlin", suspend_when_overdue=True)

    assert (
        b'"obligations":{"no_reidentification":true,"recall_business_days":true,"recall_calendar":"DE-BY",'
        b'"recall_deadline_days":30,"recall_time_zone":"Europe/Berlin","suspend_when_overdue":true},'
    ) in some_terms(obligations=owed).document()


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("TERM_EMPTY", {"term_from_us": 5, "term_until_us": 5}),
        ("PURPOSE_NEEDS_RESEARCH_TEMPLATE", {"purposes": frozenset({Purpose.VETTED_RESEARCH})}),
        (
            "ALLOWANCE_TWICE",
            {
                "allowances": (
                    Allowance(AllowanceSubject.LICENSE, Window.TERM, 1),
                    Allowance(AllowanceSubject.LICENSE, Window.TERM, 2),
                )
            },
        ),
        ("WILDCARD_NOT_ALONE", {"languages": frozenset({"*", "en"})}),
        ("WILDCARD_NOT_ALONE", {"author_jurisdictions": frozenset({"*", "DE"})}),
        ("WILDCARD_NOT_ALONE", {"territory": frozenset({"*", "DE"})}),
        ("COUNTRY_UNKNOWN", {"territory": frozenset({"DE", "EU"})}),
        ("COUNTRY_UNKNOWN", {"territory": frozenset({"UK"})}),
        ("COUNTRY_UNKNOWN", {"territory": frozenset({"US-CA"})}),
        ("COUNTRY_UNKNOWN", {"author_jurisdictions": frozenset({"UK-ENG"})}),
        ("POSTED_RANGE_EMPTY", {"posted_from_us": 5, "posted_before_us": 5}),
        ("INVALID_REQUEST", {"term_until_us": LATEST_US + 1}),
        ("INVALID_REQUEST", {"posted_from_us": EARLIEST_US - 1}),
        ("TEMPLATE_FORBIDS_PRICE", {"template": Template.INTERNAL, "price": a_price()}),
        ("TEMPLATE_NEEDS_PRICE", {"template": Template.API_TIER}),
        (
            "TEMPLATE_NEEDS_ALLOWANCE",
            {
                "template": Template.API_TIER,
                "price": a_price(),
                "allowances": (Allowance(AllowanceSubject.LICENSE, Window.TERM, 5),),
            },
        ),
        ("TIME_ZONE_UNKNOWN", {"price": a_price(time_zone="Nowhere/Here")}),
        ("TIME_ZONE_UNKNOWN", {"obligations": obligations(recall_time_zone="Nowhere/Here")}),
        ("RECALL_DAYS_MISSING", {"obligations": business_days(recall_deadline_days=0)}),
        ("RECALL_CALENDAR_MISSING", {"obligations": business_days(recall_calendar="")}),
        ("RECALL_CALENDAR_UNUSED", {"obligations": obligations(recall_calendar="DE")}),
        ("RECALL_CALENDAR_UNKNOWN", {"obligations": business_days(recall_calendar="XX")}),
    ],
)
def test_terms_that_contradict_themselves_are_refused(reason: str, changes: Fields) -> None:
    with pytest.raises(Refusal) as refused:
        some_terms(**changes).check()

    assert refused.value.reason == reason
    assert refused.value.violations[0].field.startswith("terms.")


def test_l2_countries_that_mean_none_are_told_by_name() -> None:
    with pytest.raises(Refusal) as refused:
        some_terms(territory=frozenset({"UK", "DE", "EU"})).check()

    assert refused.value.message == "no country of ISO 3166-1: EU, UK"
    assert [violation.field for violation in refused.value.violations] == ["terms.territory"]


def test_sound_terms_are_not_refused() -> None:
    tier = some_terms(template=Template.API_TIER, price=a_price())
    research = some_terms(template=Template.RESEARCH, purposes=frozenset({Purpose.VETTED_RESEARCH}))
    narrow = some_terms(
        author_jurisdictions=frozenset({"US-CA", "FR"}),
        territory=frozenset({"GB", "AX"}),
        posted_from_us=5,
        posted_before_us=6,
        allowances=(
            Allowance(AllowanceSubject.LICENSE, Window.TERM, 1),
            Allowance(AllowanceSubject.LICENSEE, Window.TERM, 1),
            Allowance(AllowanceSubject.LICENSE, Window.SECOND, 0),
        ),
    )

    slow = some_terms(obligations=business_days(recall_time_zone="Europe/Berlin"))
    zoned = some_terms(obligations=obligations(recall_time_zone="UTC", suspend_when_overdue=True))

    tier.check()
    research.check()
    slow.check()
    zoned.check()
    narrow.check()


@pytest.mark.parametrize(
    ("licensed", "language", "covered"),
    [
        ("en", "en", True),
        ("en", "en-GB", True),
        ("en", "EN-us", True),
        ("zh", "zh-Hant-TW", True),
        ("en", "eng", False),
        ("en", "en_GB", False),
        ("en", "de", False),
        ("en", "", False),
        ("und", "und", False),
        ("und", "und-Latn", False),
        ("kk", "\u212ak", False),
        ("*", "", True),
        ("*", "und", True),
        ("*", "not a tag", True),
    ],
)
def test_l2_a_language_is_licensed_by_its_primary_subtag(licensed: str, language: str, covered: bool) -> None:
    assert some_terms(languages=frozenset({licensed})).covers_language(language) is covered


def test_a_purpose_is_named_or_else_numbered() -> None:
    assert purpose_name(2) == "ai_training_generative"
    assert purpose_name(99) == "99"
    assert purpose_name(-1) == "-1"


@given(st.integers(EARLIEST_US, LATEST_US))
def test_a_time_is_read_as_it_was_written(time_us: int) -> None:
    assert rfc3339_us(rfc3339(time_us)) == time_us


def test_times_are_written_in_utc_with_six_digits() -> None:
    assert rfc3339(1_769_860_800_000_000) == "2026-01-31T12:00:00.000000Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T12:00:00.000000",
        "2026-01-31T12:00:00.000000+00:00",
        "2026-1-31T12:00:00.000000Z",
    ],
)
def test_a_time_in_another_form_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"not in the one form|does not match"):
        rfc3339_us(text)
