"""Examples that other billing systems publish with their totals come to the same here (B1).

The numbers are theirs; a row says whose, and in which document they stand.
"""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from services.licensing.domain.pricing.deltas import correction
from services.licensing.domain.pricing.prices import Charge, Flat, Graduated, Package, PerUnit, Price, Volume
from services.licensing.domain.pricing.rating import LineKind, lines_of, total_of
from tests.support.prices import a_price, tiers


@dataclass(frozen=True)
class Document:
    system: str
    title: str
    address: str

    def __str__(self) -> str:
        return f"{self.system}: {self.title}"


STRIPE_TIERS = Document(
    "Stripe", "Set up tiered pricing", "https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing"
)
STRIPE_DECIMALS = Document(
    "Stripe",
    "Decimal amounts for pricing",
    "https://stripe.com/docs/billing/subscriptions/decimal-amounts",
)
LAGO_STANDARD = Document("Lago", "Charges", "https://doc.getlago.com/docs/guide/plans/charges")
LAGO_PACKAGE = Document(
    "Lago", "Package", "https://getlago.com/docs/guide/plans/charges/charge-models/package"
)
LAGO_VOLUME = Document("Lago", "Volume", "https://getlago.com/docs/guide/plans/charges/charge-models/volume")
LAGO_MINIMUM = Document(
    "Lago",
    "feat(min-spending): Add scenario specs #1787",
    "https://github.com/getlago/lago-api/pull/1787",
)
CHARGEBEE_PACKAGE = Document(
    "Chargebee",
    "Package Pricing",
    "https://www.chargebee.com/docs/billing/2.0/product-catalog/package-pricing",
)
ZUORA_OVERAGE = Document(
    "Zuora",
    "Example: Tiered pricing mode",
    "https://docs.zuora.com/en/zuora-billing/bill-your-customer/billing-document-templates-configuration/"
    "configure-html-templates-for-billing-documents/customize-html-templates/"
    "configure-ratingdetails-in-html-template/ratingdetail-schema/example-tiered-pricing-mode",
)
ZUPLO = Document("Zuplo", "Pricing Models", "https://zuplo.com/docs/articles/monetization/pricing-models")
AUTUMN = Document(
    "Autumn",
    "Graduated Pricing",
    "https://docs.useautumn.com/documentation/modelling-pricing/graduated-pricing.md",
)
FLEXPRICE = Document(
    "Flexprice",
    "Flat fee",
    "https://docs.flexprice.io/docs/product-catalogue/plans/billing-models/flat-fee.md",
)
BILLABEAR = Document(
    "BillaBear",
    "Count Tier Graduated Pricing usage",
    "https://github.com/billabear/billabear/blob/58fe350aa3aef301d1f0baa77ee6ea16149096ab/"
    "features/Invoice/Pricing/Usage/count_tiered_graduated.feature",
)
OPENMETER_GRADUATED = Document(
    "OpenMeter",
    "pricegraduatedtiered_test.go",
    "https://github.com/openmeterio/openmeter/blob/182a332b70d88f7898f6fc3e5ca263007229cdb2/"
    "openmeter/billing/service/lineservice/pricegraduatedtiered_test.go",
)
OPENMETER_VOLUME = Document(
    "OpenMeter",
    "pricevolumetiered_test.go",
    "https://github.com/openmeterio/openmeter/blob/24f440332269d2e7c6cb2cfc5d085b8245772c0e/"
    "openmeter/billing/service/lineservice/pricevolumetiered_test.go",
)
OPENMETER_UNIT = Document(
    "OpenMeter",
    "priceunit_test.go",
    "https://github.com/openmeterio/openmeter/blob/13bb944950486b1200c77427cc81e80d60d11a0c/"
    "openmeter/billing/service/lineservice/priceunit_test.go",
)
OPENMETER_DISCOUNTS = Document(
    "OpenMeter", "Discounts, Commitment", "https://openmeter.io/docs/billing/invoicing/discounts"
)
AMAZON_S3 = Document("Amazon S3", "S3 FAQs, S3 Express One Zone", "https://aws.amazon.com/s3/faqs/")

FONTS = tiers((5, "7"), (10, "6.5"), (None, "6"))
FONTS_FLAT = tiers((5, "5", "10"), (10, "4", "20"), (15, "3", "30"), (20, "2", "40"), (None, "1", "50"))
CALLS = tiers(
    (10_000, "0.0010", "10"), (50_000, "0.0008", "10"), (100_000, "0.0006", "10"), (None, "0.0004", "10")
)
API = tiers((1_000, "0.10"), (10_000, "0.05"), (None, "0.01"))
EVENTS = tiers((10, "0", "10"), (None, "0", "15"))
STEPS = tiers((5, "0", "100"), (10, "0", "50"), (15, "5"), (None, "1"))
STEEPER = tiers((5, "0", "100"), (10, "0", "50"), (15, "10"), (None, "5"))
HEAPS = tiers((5, "0", "100"), (10, "0", "150"), (15, "10"), (None, "5"))
TOKENS = Package(Decimal("1.25"), 1_000_000)
TEN_EACH = PerUnit(Decimal(10))


def named(value: object) -> str | None:
    return str(value) if isinstance(value, Document) else None


Row = tuple[Document, Price, int, str]


def at_most(amount: str, model: Graduated | PerUnit | Volume) -> Price:
    return a_price(model, maximum=Decimal(amount))


def at_least(amount: str, model: Graduated | PerUnit | Volume) -> Price:
    return a_price(model, minimum=Decimal(amount))


FLAT: list[Row] = [(ZUPLO, a_price(Flat(Decimal("99.00"))), 0, "99.00")]
PER_UNIT: list[Row] = [
    (LAGO_STANDARD, a_price(PerUnit(Decimal("0.05"))), 1_000, "50"),
    (FLEXPRICE, a_price(PerUnit(Decimal("0.05"))), 1_000, "50"),
    (ZUPLO, a_price(PerUnit(Decimal("0.001"))), 100_000, "100"),
    (STRIPE_DECIMALS, a_price(PerUnit(Decimal("0.0005"))), 30, "0.02"),
    (AMAZON_S3, a_price(PerUnit(Decimal("0.11"))), 10, "1.10"),
    (AMAZON_S3, a_price(PerUnit(Decimal("0.00113"), per=1_000)), 1_000_000, "1.13"),
    (AMAZON_S3, a_price(PerUnit(Decimal("0.00003"), per=1_000)), 9_000_000, "0.27"),
    (AMAZON_S3, a_price(PerUnit(Decimal("0.00113"), per=1_000)), 5_242_880 * 30, "177.73"),
    (AMAZON_S3, a_price(PerUnit(Decimal("0.00003"), per=1_000)), 10_485_760 * 30, "9.44"),
]
PACKAGE: list[Row] = [
    (LAGO_PACKAGE, a_price(Charge("calls", Package(Decimal(5), 100), included=100)), 201, "10"),
    (CHARGEBEE_PACKAGE, a_price(TOKENS), 10, "1.25"),
    (CHARGEBEE_PACKAGE, a_price(TOKENS), 1_000_000, "1.25"),
    (CHARGEBEE_PACKAGE, a_price(TOKENS), 1_500_000, "2.50"),
]
GRADUATED: list[Row] = [
    *[
        (STRIPE_TIERS, a_price(Graduated(FONTS)), fonts, total)
        for fonts, total in [(1, "7"), (5, "35"), (6, "41.5"), (20, "127.5"), (25, "157.5")]
    ],
    (STRIPE_TIERS, a_price(Graduated(FONTS_FLAT)), 12, "111"),
    (ZUPLO, a_price(Graduated(API)), 15_000, "600"),
    (AUTUMN, a_price(Graduated(tiers((1_000, "0.01"), (10_000, "0.008"), (None, "0.005")))), 15_000, "107"),
    (ZUORA_OVERAGE, a_price(Graduated(tiers((100, "0.00"), (None, "2.00")))), 130, "60"),
    (BILLABEAR, a_price(Graduated(EVENTS)), 15, "25"),
    (BILLABEAR, a_price(Graduated(EVENTS)), 10, "10"),
    *[
        (OPENMETER_GRADUATED, a_price(Graduated(STEEPER)), posts, total)
        for posts, total in [(3, "100"), (5, "100"), (7, "150"), (12, "170"), (22, "235")]
    ],
]
VOLUME: list[Row] = [
    *[
        (STRIPE_TIERS, a_price(Volume(FONTS)), fonts, total)
        for fonts, total in [(1, "7"), (5, "35"), (6, "39"), (20, "120"), (25, "150")]
    ],
    (STRIPE_TIERS, a_price(Volume(FONTS_FLAT)), 12, "66"),
    (LAGO_VOLUME, a_price(Volume(CALLS)), 65_000, "49"),
    (ZUPLO, a_price(Volume(API)), 15_000, "150"),
    *[
        (OPENMETER_VOLUME, a_price(Volume(HEAPS)), posts, total)
        for posts, total in [(3, "100"), (5, "100"), (14, "140"), (15, "150"), (16, "80"), (100, "500")]
    ],
]
MINIMUM: list[Row] = [
    (LAGO_MINIMUM, a_price(Flat(Decimal(50)), TEN_EACH, minimum=Decimal(100)), 3, "100"),
    (OPENMETER_UNIT, at_least("100", TEN_EACH), 0, "100"),
    (OPENMETER_VOLUME, at_least("150", Volume(HEAPS)), 5, "150"),
    (OPENMETER_VOLUME, at_least("100", Volume(HEAPS)), 5, "100"),
    (OPENMETER_VOLUME, at_least("100", Volume(HEAPS)), 100, "500"),
]
MAXIMUM: list[Row] = [
    (OPENMETER_UNIT, at_most("100", TEN_EACH), 10, "100"),
    (OPENMETER_UNIT, at_most("100", TEN_EACH), 12, "100"),
    (OPENMETER_GRADUATED, at_most("170", Graduated(STEPS)), 22, "170"),
    (OPENMETER_VOLUME, at_most("125", Volume(HEAPS)), 7, "125"),
]


@pytest.mark.parametrize(
    ("document", "price", "posts", "total"),
    [*FLAT, *PER_UNIT, *PACKAGE, *GRADUATED, *VOLUME, *MINIMUM, *MAXIMUM],
    ids=named,
)
def test_b1_a_published_example_comes_to_its_published_total(
    document: Document, price: Price, posts: int, total: str
) -> None:
    assert document.address.startswith("https://")
    assert total_of(lines_of(price, posts)) == int(Decimal(total) * 100)


def test_b1_the_lines_of_a_published_example_are_its_published_lines() -> None:
    lines = lines_of(a_price(Charge("feature", Graduated(STEPS))), 22)  # OPENMETER_GRADUATED

    assert [(line.key, line.posts, line.minor // 100) for line in lines] == [
        ("usage.1/feature", 5, 0),
        ("flat.1/feature", 0, 100),
        ("usage.2/feature", 5, 0),
        ("flat.2/feature", 0, 50),
        ("usage.3/feature", 5, 25),
        ("usage.4/feature", 7, 7),
    ]


@pytest.mark.parametrize(
    ("document", "price", "posts", "kind", "amount"),
    [
        (LAGO_MINIMUM, a_price(Flat(Decimal(50)), TEN_EACH, minimum=Decimal(100)), 3, LineKind.MINIMUM, "20"),
        (OPENMETER_VOLUME, at_least("150", Volume(HEAPS)), 5, LineKind.MINIMUM, "50"),
        (OPENMETER_UNIT, at_most("100", TEN_EACH), 12, LineKind.MAXIMUM, "-20"),
        (OPENMETER_GRADUATED, at_most("170", Graduated(STEPS)), 22, LineKind.MAXIMUM, "-12"),
        (OPENMETER_VOLUME, at_most("125", Volume(HEAPS)), 7, LineKind.MAXIMUM, "-25"),
    ],
    ids=named,
)
def test_b1_what_is_added_or_taken_off_is_as_published(
    document: Document, price: Price, posts: int, kind: LineKind, amount: str
) -> None:
    assert document.address.startswith("https://")
    assert [line.minor for line in lines_of(price, posts) if line.kind is kind] == [
        int(Decimal(amount) * 100)
    ]


def test_b3_included_posts_are_used_up_over_several_bills_as_published() -> None:
    # OPENMETER_DISCOUNTS: 500 not charged, billed in parts of 300, 250 and 100.
    price = a_price(Charge("reads", PerUnit(Decimal(1)), included=500))
    first, second, third = (lines_of(price, posts) for posts in (300, 300 + 250, 300 + 250 + 100))

    bills = [correction((), first), correction(first, second), correction(second, third)]

    assert [sum(line.posts for line in bill) for bill in bills] == [0, 50, 100]


@pytest.mark.parametrize(
    "model", [Graduated(FONTS_FLAT), Volume(FONTS_FLAT), Graduated(STEPS), Volume(HEAPS)]
)
def test_b1_unlike_elsewhere_no_posts_do_not_reach_the_first_tier(model: Graduated | Volume) -> None:
    # STRIPE_TIERS and the tests of OpenMeter charge the flat amount of the first tier for nothing too; the
    # contract here says "as soon as one post lies in it".
    assert lines_of(a_price(model), 0) == ()
