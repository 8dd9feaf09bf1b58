"""Documents in YAML: what they mean, and how their faults are named."""

import pytest
from google.type.money_pb2 import Money

from services.chassis.refusals import Refusal
from services.console.documents import parse_document
from services.console.moments import from_us
from services.console.names import plain
from sluice.consent.v1.policy_pb2 import Policy, Regime
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest
from sluice.licensing.v1.license_pb2 import AllowanceSubject, LicenseTemplate
from sluice.metering.v1.damages_pb2 import DamagesPolicy
from sluice.type.v1.content_pb2 import ContentKind
from sluice.type.v1.purpose_pb2 import Purpose
from sluice.type.v1.window_pb2 import Window

LICENSE = """\
license_id: acme-2026
terms:
  licensee_id: acme
  template: commercial
  purposes: [ai_training_generative]
  kinds: [post, reply]
  languages: ["*"]
  author_jurisdictions: [NO, US-CA]
  territory: ["*"]
  term_from: 2026-01-01
  term_until: 2027-01-01T02:00:00+02:00
  allowances:
    - {per: license, window: rolling_day, limit: 1_000_000}
  obligations:
    recall_deadline_days: 30
    no_reidentification: true
  contract_digest: 1f7a6c2e9b3d4f58a0c1e2d3b4a5968778695a4b3c2d1e0f0123456789abcdef
"""

POLICY = f"""\
effective_at: 2026-01-01T00:00:00Z
text_digest: {"ab" * 32}
rules:
  - {{jurisdiction: US, purpose: third_party_sharing, regime: opt_out}}
"""


def license_from(text: str) -> CreateLicenseRequest:
    return parse_document(text.encode(), "l.yaml", CreateLicenseRequest, given=("request_id",))


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refused:
        license_from(text)
    assert refused.value.reason == "DOCUMENT_INVALID"
    return [(fault.field, fault.description) for fault in refused.value.violations]


def test_a_license_is_read_with_words_for_enum_values() -> None:
    terms = license_from(LICENSE).terms

    assert terms.template == LicenseTemplate.LICENSE_TEMPLATE_COMMERCIAL
    assert list(terms.purposes) == [Purpose.PURPOSE_AI_TRAINING_GENERATIVE]
    assert list(terms.kinds) == [ContentKind.CONTENT_KIND_POST, ContentKind.CONTENT_KIND_REPLY]
    assert terms.allowances[0].per == AllowanceSubject.ALLOWANCE_SUBJECT_LICENSE
    assert terms.allowances[0].window == Window.WINDOW_ROLLING_DAY
    assert terms.allowances[0].limit == 1_000_000


def test_dates_are_their_first_instant_and_zones_become_utc() -> None:
    terms = license_from(LICENSE).terms

    assert terms.term_from.ToJsonString() == "2026-01-01T00:00:00Z"
    assert terms.term_until.ToJsonString() == "2027-01-01T00:00:00Z"


def test_norway_is_not_false() -> None:
    assert list(license_from(LICENSE).terms.author_jurisdictions) == ["NO", "US-CA"]


def test_what_is_read_can_be_written_again_in_the_same_words() -> None:
    written = plain(license_from(LICENSE))

    assert written["terms"]["purposes"] == ["ai_training_generative"]
    assert written["terms"]["allowances"] == [{"per": "license", "window": "rolling_day", "limit": 1_000_000}]
    assert written["terms"]["term_from"] == "2026-01-01T00:00:00.000000Z"


def test_an_unknown_key_is_named_with_its_line_and_the_known_ones() -> None:
    found = faults(LICENSE.replace("limit:", "limits:"))

    assert found == [("l.yaml:13: terms.allowances[0].limits", "no such field; known are per, window, limit")]


def test_what_is_no_yaml_is_named_by_its_line_alone() -> None:
    [(field, description)] = faults("\x00")

    assert (field, bool(description)) == ("l.yaml:1", True)


def test_a_misspelt_enum_word_gets_a_suggestion() -> None:
    found = faults(LICENSE.replace("ai_training_generative", "ai_training_generatve"))

    assert found == [
        (
            "l.yaml:5: terms.purposes[0]",
            "'ai_training_generatve' is not known here; did you mean ai_training_generative?",
        )
    ]


@pytest.mark.parametrize("word", ["unspecified", "PURPOSE_AI_INPUT", "4", "AI_INPUT"])
def test_only_the_words_name_enum_values(word: str) -> None:
    [(field, description)] = faults(LICENSE.replace("ai_training_generative", word))

    assert field == "l.yaml:5: terms.purposes[0]"
    assert "is not known here" in description


@pytest.mark.parametrize(
    ("good", "bad", "field", "description"),
    [
        ("limit: 1_000_000", "limit: many", "l.yaml:13: terms.allowances[0].limit", "a whole number"),
        ("limit: 1_000_000", "limit: 1.5", "l.yaml:13: terms.allowances[0].limit", "a whole number"),
        ("limit: 1_000_000", "limit: -1", "l.yaml:13: terms.allowances[0].limit", "is not between 0 and"),
        ("2026-01-01", "soon", "l.yaml:10: terms.term_from", "a time like"),
        ('languages: ["*"]', "languages: en", "l.yaml:7: terms.languages", "a list is expected, not 'en'"),
        (
            "licensee_id: acme",
            "licensee_id:",
            "l.yaml:3: terms.licensee_id",
            "a value is expected, not nothing",
        ),
        ("licensee_id: acme", "licensee_id: [a]", "l.yaml:3: terms.licensee_id", "not a list"),
        (
            "no_reidentification: true",
            "no_reidentification: yes",
            "l.yaml:16: terms.obligations.no_reidentif",
            "",
        ),
        ("template: commercial", "licensee_id: twice", "l.yaml:4: terms.licensee_id", "stands here twice"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(good: str, bad: str, field: str, description: str) -> None:
    found = faults(LICENSE.replace(good, bad))

    assert found[0][0].startswith(field)
    assert description in found[0][1]


def test_every_fault_is_told_at_once() -> None:
    found = faults(LICENSE.replace("post, reply", "posts, replies").replace("2026-01-01", "soon"))

    assert [field for field, _ in found] == [
        "l.yaml:6: terms.kinds[0]",
        "l.yaml:6: terms.kinds[1]",
        "l.yaml:10: terms.term_from",
    ]


def test_the_contracts_own_rules_are_checked_with_lines() -> None:
    found = faults(LICENSE.replace("[NO, US-CA]", "[Norway]").replace("  term_from: 2026-01-01\n", ""))

    assert [field for field, _ in found] == [
        "l.yaml:8: terms.author_jurisdictions[0]",
        "l.yaml:2: terms.term_from",
    ]
    assert found[1][1] == "is missing"


def test_what_is_not_the_authors_to_write_is_refused() -> None:
    found = faults(LICENSE + "request_id: 019a0000-0000-7000-8000-000000000000\n")

    assert found == [("l.yaml:18: request_id", "no such field; known are license_id, terms")]


@pytest.mark.parametrize("text", ["", "- a", "a: [", "just text", "\x00", "&a [*a]", "a: 1\n---\nb: 2"])
def test_what_is_no_document_is_refused(text: str) -> None:
    found = faults(text)

    assert found[0][0].startswith("l.yaml:")


def test_a_digest_is_hex() -> None:
    policy = parse_document(POLICY.encode(), "p.yaml", Policy)

    assert policy.text_digest == b"\xab" * 32
    assert policy.rules[0].regime == Regime.REGIME_OPT_OUT
    with pytest.raises(Refusal) as refused:
        parse_document(POLICY.replace("ab", "xy").encode(), "p.yaml", Policy)
    assert refused.value.violations[0].field == "p.yaml:2: text_digest"


def test_a_field_can_be_given_instead_of_the_documents() -> None:
    policy = parse_document(POLICY.encode(), "p.yaml", Policy, instead={"effective_at": from_us(5_000_000)})

    assert policy.effective_at.ToMicroseconds() == 5_000_000


CLAUSE = f"""\
terms_digest: {"ab" * 32}
threshold: 1_000_000
window: 24h
unit: 1000000
rate: 15000.00 USD
decimals: 2
rounding: whole_units
overlap: disjoint
"""
NUMBERS = ("threshold", "decimals")


def clause_from(text: str) -> DamagesPolicy:
    return parse_document(text.encode(), "d.yaml", DamagesPolicy, ("version",), needed=NUMBERS)


def clause_faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refused:
        clause_from(text)
    return [(fault.field, fault.description) for fault in refused.value.violations]


def test_an_amount_of_money_is_a_text_or_its_fields() -> None:
    by_fields = CLAUSE.replace("15000.00 USD", "{currency_code: USD, units: 15000, nanos: 10}")

    assert clause_from(CLAUSE).rate == Money(currency_code="USD", units=15_000)
    assert clause_from(by_fields).rate == Money(currency_code="USD", units=15_000, nanos=10)


def test_an_amount_that_is_larger_than_a_float_knows_stays_exact() -> None:
    rate = clause_from(CLAUSE.replace("15000.00", "9007199254740993.000000001")).rate

    assert (rate.units, rate.nanos) == (2**53 + 1, 1)


def test_a_length_of_time_is_written_as_people_do() -> None:
    assert clause_from(CLAUSE).window.ToMicroseconds() == 86_400_000_000
    assert clause_from(CLAUSE.replace("24h", "90s")).window.ToMicroseconds() == 90_000_000


@pytest.mark.parametrize(
    ("good", "bad", "field", "description"),
    [
        ("15000.00 USD", "15000.00", "d.yaml:5: rate", "an amount like 15000.00 USD is expected"),
        ("15000.00 USD", "15,000.00 USD", "d.yaml:5: rate", "an amount like 15000.00 USD is expected"),
        ("15000.00 USD", "[15000, USD]", "d.yaml:5: rate", "a value is expected, not a list"),
        ("15000.00 USD", "{units: 1.5}", "d.yaml:5: rate.units", "a whole number is expected"),
        ("15000.00 USD", "{dollars: 1}", "d.yaml:5: rate.dollars", "no such field"),
        ("24h", "86400", "d.yaml:3: window", "a duration like 90s, 15m, 24h or 7d is expected"),
        ("24h", "{seconds: 1}", "d.yaml:3: window", "a value is expected"),
        ("rate: 15000.00 USD\n", "", "d.yaml:1: rate", "is missing"),
        ("threshold: 1_000_000\n", "", "d.yaml:1: threshold", "is missing"),
        ("decimals: 2\n", "", "d.yaml:1: decimals", "is missing"),
    ],
)
def test_what_is_wrong_with_a_clause_is_named_with_its_line(
    good: str, bad: str, field: str, description: str
) -> None:
    [(found, said)] = clause_faults(CLAUSE.replace(good, bad))

    assert found == field
    assert description in said
