"""Stored terms: read as they were written, and nothing licensed by what is not understood (L2)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.canonical import EARLIEST_US, LATEST_US
from services.licensing.domain.documents import read_terms
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.pricing.documents import price_fields
from services.licensing.domain.terms import (
    Allowance,
    AllowanceSubject,
    ContentKind,
    Purpose,
    Template,
    Terms,
    Window,
    digest_of,
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


ONE_CHARGE = {"name": "fee", "included": 0, "model": "flat", "amount": "5"}


def with_price(fields: Fields, **changes: Any) -> Fields:
    """Puts a price into the document, after changes; the price."""
    fields["price"] = price_fields(a_price()) | changes
    price: Fields = fields["price"]
    return price


def test_l2_a_sound_document_with_a_price_is_understood() -> None:
    assert read(changed(with_price)).understood


some_limits = st.builds(
    Allowance, st.sampled_from(AllowanceSubject), st.sampled_from(Window), st.integers(0, 2**53)
)
spans = st.tuples(st.integers(EARLIEST_US, LATEST_US), st.integers(EARLIEST_US, LATEST_US))
countries = st.sampled_from(["DE", "FR", "GB", "US"])
jurisdictions = countries | st.sampled_from(["US-CA", "GB-ENG"])
everything = st.just(frozenset({"*"}))


def several(words: st.SearchStrategy[str]) -> st.SearchStrategy[frozenset[str]]:
    return everything | st.frozensets(words, max_size=4)


zones = st.sampled_from(["", "UTC", "Europe/Berlin", "America/New_York"])
calendar_days = st.builds(
    Obligations,
    st.integers(0, 3650),
    st.booleans(),
    recall_time_zone=zones,
    suspend_when_overdue=st.booleans(),
)
business_days = st.builds(
    Obligations,
    st.integers(1, 3650),
    st.booleans(),
    recall_business_days=st.just(True),
    recall_calendar=st.sampled_from(["DE", "DE-BY", "US-CA"]),
    recall_time_zone=zones,
    suspend_when_overdue=st.booleans(),
)
sound_obligations = calendar_days | business_days


@st.composite
def sound_terms(draw: st.DrawFn) -> Terms:
    """Any terms that pass their own check."""
    limits = draw(st.lists(some_limits, max_size=4, unique_by=lambda each: (each.per, each.window)))
    term_from_us, term_until_us = sorted(draw(spans.filter(lambda span: span[0] != span[1])))
    posted_us = sorted(draw(spans.filter(lambda span: span[0] != span[1])))
    price = draw(st.none() | prices())
    templates = {Template.COMMERCIAL, Template.RESEARCH}
    templates |= {Template.INTERNAL} if price is None else set()
    if price is not None and any(each.window is not Window.TERM for each in limits):
        templates.add(Template.API_TIER)
    template = draw(st.sampled_from(sorted(templates)))
    purposes = [each for each in Purpose if each is not Purpose.VETTED_RESEARCH]
    return Terms(
        licensee_id="licensee-1",
        template=template,
        purposes=draw(st.frozensets(st.sampled_from(purposes))),
        kinds=draw(st.frozensets(st.sampled_from(ContentKind))),
        languages=draw(several(st.text("abcxyz", min_size=2, max_size=8))),
        author_jurisdictions=draw(several(jurisdictions)),
        territory=draw(several(countries)),
        posted_from_us=draw(st.sampled_from([None, posted_us[0]])),
        posted_before_us=draw(st.sampled_from([None, posted_us[1]])),
        term_from_us=term_from_us,
        term_until_us=term_until_us,
        allowances=tuple(limits),
        obligations=draw(sound_obligations),
        price=price,
        contract_digest=draw(st.none() | st.binary(min_size=32, max_size=32)),
    )


@given(sound_terms())
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
        lambda fields: fields.update(contract_digest="ab"),
        lambda fields: fields.update(territory=["MOON"]),
        lambda fields: fields.update(territory=["EU"]),
        lambda fields: fields.update(territory=["DE", "UK"]),
        lambda fields: fields.update(author_jurisdictions=["UK-ENG"]),
        lambda fields: fields.update(author_jurisdictions=["US-", "US-CA"]),
        lambda fields: fields.update(languages=["*", "en"]),
        lambda fields: fields.update(languages=["EN"]),
        lambda fields: fields.update(languages={"en": 1}),
        lambda fields: fields["obligations"].update(no_reidentification="maybe"),
        lambda fields: fields["obligations"].update(no_reidentification=1),
        lambda fields: fields["obligations"].update(recall_business_days=False),
        lambda fields: fields["obligations"].update(recall_business_days=True),
        lambda fields: fields["obligations"].update(recall_business_days=1, recall_calendar="DE"),
        lambda fields: fields["obligations"].update(recall_business_days=True, recall_calendar="de"),
        lambda fields: fields["obligations"].update(recall_calendar=""),
        lambda fields: fields["obligations"].update(recall_calendar="DE"),
        lambda fields: fields["obligations"].update(recall_time_zone=""),
        lambda fields: fields["obligations"].update(recall_time_zone="Mars/Olympus"),
        lambda fields: fields["obligations"].update(recall_time_zone=5),
        lambda fields: fields["obligations"].update(suspend_when_overdue=False),
        lambda fields: fields["obligations"].update(suspend_when_overdue="yes"),
        lambda fields: fields["allowances"].append(fields["allowances"][0]),
        lambda fields: fields.update(term_until=fields["term_from"]),
        lambda fields: fields.update(template="api_tier"),
        lambda fields: fields.update(purposes=["vetted_research"]),
        lambda fields: with_price(fields, currency={"a": 1}),
        lambda fields: with_price(fields, currency="dollars"),
        lambda fields: with_price(fields, time_zone={"a": 1}),
        lambda fields: with_price(fields, time_zone="Mars/Olympus"),
        lambda fields: with_price(fields, minimum="5", maximum="4"),
        lambda fields: with_price(fields)["charges"][0].update(name=5),
        lambda fields: with_price(fields)["charges"][0].update(name=""),
        lambda fields: with_price(fields)["charges"][0].update(per=0),
        lambda fields: with_price(fields, charges=[ONE_CHARGE, ONE_CHARGE]),
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
