"""The terms of a license in the reader's words."""

import pytest
from google.type.money_pb2 import Money

from services.console.operations.license_terms import lines
from services.console.web.reading import reader_of
from sluice.licensing.v1.license_pb2 import LicenseTerms, Obligations
from sluice.licensing.v1.price_pb2 import Charge, Package, PerUnit, Price, Tier, Tiers
from tests.support.cluster import some_terms

ENGLISH, GERMAN = reader_of("en-GB"), reader_of("de-DE")
FIVE = Money(currency_code="EUR", units=5)


def said(name: str, terms: LicenseTerms) -> list[str]:
    """What one line says in English."""
    return next(list(line.said) for line in lines(ENGLISH, terms) if line.name == name)


def priced(charge: Charge, **fields: Money) -> LicenseTerms:
    """Terms with one charge."""
    price = Price(currency="EUR", period="BILLING_PERIOD_MONTH", time_zone="UTC", charges=[charge], **fields)
    return some_terms(price=price)


def test_l2_what_is_not_limited_is_said_to_be_everything() -> None:
    terms = some_terms()

    assert said("Languages of posts", terms) == ["All, unknown ones too"]
    assert said("Posts may be used in", terms) == ["Everywhere"]
    assert said("Posts from", terms) == ["However old"]
    assert said("Price", terms) == ["None: nothing is billed here"]


def test_a_language_without_a_name_is_told_as_its_tag() -> None:
    assert said("Languages of posts", some_terms(languages=["en", "xqz"])) == ["English (en)", "xqz"]


def test_a_purpose_that_this_page_does_not_know_is_told_as_unknown() -> None:
    assert said("Purposes", some_terms(purposes=[2, 99])) == [
        "Training of generative AI",
        "This page has no word for it (99).",
    ]


@pytest.mark.parametrize(
    ("owed", "words"),
    [
        (Obligations(), "When the platform asks it of everybody"),
        (Obligations(recall_deadline_days=1), "Within 1 day"),
        (Obligations(recall_deadline_days=30), "Within 30 days"),
        (
            Obligations(recall_deadline_days=15, recall_business_days=True, recall_calendar="DE-BY"),
            "Within 15 business days of Germany (BY)",
        ),
    ],
)
def test_a_deadline_is_told_in_days_of_its_calendar(owed: Obligations, words: str) -> None:
    assert said("Copies are gone after a recall", some_terms(obligations=owed)) == [words]


@pytest.mark.parametrize(
    ("charge", "words"),
    [
        (Charge(name="Base", flat=FIVE), ["Base: €5.00 a period"]),
        (Charge(name="Posts", per_unit=PerUnit(unit_price="0.000125")), ["Posts: 0.000125 EUR a post"]),
        (
            Charge(name="Posts", included=1_000, per_unit=PerUnit(unit_price="0.5", per=1_000)),
            [
                "Posts: 0.5 EUR for every 1,000 posts",
                "Posts: the first 1,000 posts of a period are included",
            ],
        ),
        (
            Charge(name="Packs", package=Package(price=FIVE, size=10_000)),
            ["Packs: €5.00 for each started package of 10,000 posts"],
        ),
        (
            Charge(
                name="Posts",
                graduated=Tiers(tiers=[Tier(up_to=100, unit_price="2"), Tier(unit_price="1.5", flat=FIVE)]),
            ),
            [
                "Posts: each post at the price of its tier",
                "Posts, up to post 100: 2 EUR",
                "Posts, beyond: 1.5 EUR, and €5.00 once",
            ],
        ),
        (
            Charge(name="Posts", volume=Tiers(tiers=[Tier(unit_price="1")])),
            ["Posts: all posts at the price of the tier that their number lies in", "Posts, beyond: 1 EUR"],
        ),
        (Charge(name="New"), ["New: this page has no word for how it is charged"]),
    ],
)
def test_b1_every_way_of_charging_is_told_with_all_of_its_digits(charge: Charge, words: list[str]) -> None:
    assert said("Price", priced(charge))[1:] == words


def test_b1_least_and_most_of_a_period_are_told() -> None:
    terms = priced(
        Charge(name="Base", flat=FIVE), minimum=FIVE, maximum=Money(currency_code="EUR", units=9_000)
    )

    assert said("Price", terms)[2:] == ["At least €5.00 a period", "At most €9,000.00 a period"]


def test_names_and_numbers_are_in_the_readers_form() -> None:
    found = {word for line in lines(GERMAN, some_terms(languages=["en"])) for word in line.said}

    assert "Englisch (en)" in found
    assert "01.01.1970, 00:00:00 UTC" in found
