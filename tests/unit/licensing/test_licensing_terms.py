"""Terms: one form, one digest, and nothing licensed by what is not understood (L2)."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.canonical import EARLIEST_US, LATEST_US, rfc3339, rfc3339_us
from services.licensing.domain.terms import (
    Allowance,
    AllowanceSubject,
    ContentKind,
    Obligations,
    Purpose,
    Template,
    Terms,
    Window,
    digest_of,
    purpose_name,
    read_terms,
)
from tests.support.licensing import some_terms
from tests.support.prices import a_price, prices

Fields = dict[str, Any]


def read(document: bytes, licensee_id: str = "licensee-1") -> Terms:
    return read_terms(document, digest_of(document), licensee_id)


def changed(change: Callable[[Fields], object]) -> bytes:
    """The document of `some_terms` after a change, in canonical form."""
    fields = json.loads(some_terms().document())
    change(fields)
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


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


some_limits = st.builds(
    Allowance, st.sampled_from(AllowanceSubject), st.sampled_from(Window), st.integers(0, 2**53)
)
times = st.integers(EARLIEST_US, LATEST_US)
words = st.frozensets(st.text("abcxyz", min_size=2, max_size=8), max_size=4)
any_terms = st.builds(
    Terms,
    licensee_id=st.just("licensee-1"),
    template=st.sampled_from(Template),
    purposes=st.frozensets(st.sampled_from(Purpose)),
    kinds=st.frozensets(st.sampled_from(ContentKind)),
    languages=words,
    author_jurisdictions=words,
    territory=words,
    posted_from_us=st.none() | times,
    posted_before_us=st.none() | times,
    term_from_us=times,
    term_until_us=times,
    allowances=st.lists(some_limits, max_size=4).map(tuple),
    obligations=st.builds(Obligations, st.integers(0, 3650), st.booleans()),
    price=st.none() | prices(),
    contract_digest=st.none() | st.binary(min_size=32, max_size=32),
)


@given(any_terms)
def test_terms_are_read_as_they_were_written(terms: Terms) -> None:
    read_back = read(terms.document())

    assert read_back.understood
    assert read_back.document() == terms.document()
    assert replace(read_back, allowances=()) == replace(terms, allowances=())


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.update(embargo_days=30),
        lambda fields: fields["obligations"].update(no_resale=True),
        lambda fields: fields["allowances"][0].update(per_author=True),
        lambda fields: fields["allowances"][0].update(window="fortnight"),
        lambda fields: fields["allowances"][0].update(per="planet"),
        lambda fields: fields["allowances"][0].update(limit="1000000"),
        lambda fields: fields["allowances"][0].update(limit=1.5),
        lambda fields: fields["allowances"][0].update(limit=True),
        lambda fields: fields["allowances"][0].update(limit=-1),
        lambda fields: fields.update(purposes=["ai_training_generative", "time_travel"]),
        lambda fields: fields.update(kinds=["POST"]),
        lambda fields: fields.update(kinds=["post", "post"]),
        lambda fields: fields.update(languages="en"),
        lambda fields: fields.update(languages=["en", 5]),
        lambda fields: fields.update(template="barter"),
        lambda fields: fields.update(posted_from="2026-01-01"),
        lambda fields: fields.update(term_until=None),
        lambda fields: fields.pop("territory"),
        lambda fields: fields.update(obligations=None),
        lambda fields: fields.update(price=None),
        lambda fields: fields.update(price={}),
        lambda fields: fields.update(contract_digest=None),
        lambda fields: fields.update(contract_digest="AB" * 32),
    ],
)
def test_l2_a_document_with_anything_that_is_not_understood_licenses_nothing(
    change: Callable[[Fields], object],
) -> None:
    terms = read(changed(change))

    assert not terms.understood
    assert not terms.purposes


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"null", b"{", b"\xff"])
def test_l2_a_document_that_is_none_licenses_nothing(document: bytes) -> None:
    assert read(document) == Terms.nothing("licensee-1")


def test_l2_a_document_in_another_form_licenses_nothing() -> None:
    loosely = json.dumps(json.loads(some_terms().document())).encode()

    assert not read(loosely).understood


def test_l2_a_document_without_its_digest_or_for_another_licensee_licenses_nothing() -> None:
    document = some_terms().document()

    assert read(document).understood
    assert not read_terms(document, digest_of(b"other terms"), "licensee-1").understood
    assert not read(document, "licensee-2").understood


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
    ],
)
def test_terms_that_contradict_themselves_are_refused(reason: str, changes: Fields) -> None:
    with pytest.raises(Refusal) as refused:
        some_terms(**changes).check()

    assert refused.value.reason == reason
    assert refused.value.violations[0].field.startswith("terms.")


def test_sound_terms_are_not_refused() -> None:
    tier = some_terms(template=Template.API_TIER, price=a_price())
    research = some_terms(template=Template.RESEARCH, purposes=frozenset({Purpose.VETTED_RESEARCH}))
    narrow = some_terms(
        posted_from_us=5,
        posted_before_us=6,
        allowances=(
            Allowance(AllowanceSubject.LICENSE, Window.TERM, 1),
            Allowance(AllowanceSubject.LICENSEE, Window.TERM, 1),
            Allowance(AllowanceSubject.LICENSE, Window.SECOND, 0),
        ),
    )

    tier.check()
    research.check()
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


@given(times)
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
