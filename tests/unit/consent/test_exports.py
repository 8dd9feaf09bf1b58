"""C11: a subject's records, exported in the formats that others read."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.refusals import Kind, Refusal
from services.consent.domain.dossiers import (
    ChoiceRecord,
    SignalRecord,
    rfc3339,
)
from services.consent.domain.exports.dpv import dpv
from services.consent.domain.exports.kantara import kantara
from services.consent.domain.exports.plain import plain
from services.consent.domain.policies import Activation, Policy, PolicyDraft, Regime, Rule
from services.consent.domain.purposes import Signal
from services.consent.domain.subjects import State
from services.consent.domain.withdrawals import Cause, Recorded, Withdrawal
from tests.support.clock import NOON_US
from tests.support.dossiers import (
    GENERATIVE,
    NOTICE,
    PLATFORM,
    SHARING,
    a_deny,
    a_dossier,
    an_allow,
    consent_vectors,
    some_facts,
)

GIVEN, RENEWED = "ConsentGiven", "RenewedConsentGiven"
REFUSED, WITHDRAWN = "ConsentRefused", "ConsentWithdrawn"
FIELDS_OF_27560 = json.loads("""{
    "schema_version": "dct:conformsTo", "record_id": "dct:identifier", "language": "dct:language",
    "pii_principal_id": "dpv:hasDataSubject", "privacy_notice": "dpv:hasNotice", "purpose": "dpv:hasPurpose",
    "pii_information": "dpv:hasPersonalData", "pii_controllers": "dpv:hasDataController",
    "storage_locations": "dpv:hasLocation", "retention_period": "dpv:hasStorageCondition",
    "jurisdiction": "dpv:hasJurisdiction", "recipient_third_parties": "dpv:hasRecipient",
    "withdrawal_method": "dpv:hasConsentControl", "party_role": "dpv:hasEntity",
    "party_id": "dpv:hasIdentifier", "party_name": "dpv:hasName", "party_address": "dpv:hasAddress",
    "party_contact": "schema:contactPoint", "party_email": "schema:email", "party_phone": "schema:telephone",
    "event_time": "dpv:isIndicatedAtTime", "validity_duration": "dpv:hasDuration",
    "entity_id": "dpv:isIndicatedBy", "event_type": "dpv:hasLegalBasis", "event_state": "dpv:hasConsentStatus"
}""")


def dpv_vectors() -> list[Any]:
    return [json.loads(path.read_bytes()) for path in sorted((consent_vectors() / "dpv27560").glob("*.json"))]


def pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key in a document, however deep, with its value."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from pairs(value)
    elif isinstance(node, list):
        for value in node:
            yield from pairs(value)


def statuses(*choices: ChoiceRecord) -> list[list[str]]:
    """The statuses of each record in the order of the export."""
    records = dpv(a_dossier(*choices), PLATFORM)["@graph"]
    return [
        [status["@type"].removeprefix("dpv:") for status in each["dpv:hasConsentStatus"]] for each in records
    ]


def test_c11_the_plain_export_has_every_record_of_the_dossier() -> None:
    allow = an_allow(4, "acme", GENERATIVE, at=1)
    choices = replace(a_deny(5), method=4), replace(allow, method=3, claimed_us=allow.stated_us)
    facts = replace(some_facts(states=State.MINOR | State.PROTECTED), withheld=frozenset({"FR", "DE"}))
    draft = PolicyDraft(NOON_US, b"\x33" * 32, (Rule("DE", SHARING, Regime.PROHIBITED),), frozenset({NOTICE}))
    policy = Policy(1, draft, Activation(NOON_US, 2))

    exported = plain(replace(a_dossier(*choices, facts=(facts,)), policies=(policy,)))

    assert exported == json.loads("""{
        "format": "sluice.consent.export/v1", "subject_id": "7", "as_of": {"epoch": "1", "revision": "90"},
        "taken_at": "2025-10-09T08:54:50.000000Z", "erased_at": null,
        "choices": [{
            "revision": "4", "stance": "allow", "licensee_scope": "one", "licensee_id": "acme",
            "purpose": "ai_training_generative", "method": "import",
            "notice_digest": "1111111111111111111111111111111111111111111111111111111111111111",
            "claimed_at": "2025-10-09T08:53:21.000000Z", "stated_at": "2025-10-09T08:53:21.000000Z",
            "recorded_at": "2025-10-09T08:53:24.000000Z", "recorded_by": "subject:7"
        }, {
            "revision": "5", "stance": "deny", "licensee_scope": "everyone", "licensee_id": null,
            "purpose": "all", "method": "signal_gpc", "notice_digest": null, "recorded_by": "subject:7",
            "claimed_at": null, "stated_at": "2025-10-09T08:53:25.000000Z",
            "recorded_at": "2025-10-09T08:53:25.000000Z"
        }],
        "standing": ["4", "5"],
        "facts": [{
            "revision": "1", "change": "description",
            "jurisdiction": "US-CA", "states": ["minor", "protected"],
            "notices": ["1111111111111111111111111111111111111111111111111111111111111111"],
            "withheld": ["DE", "FR"], "occurred_at": "2025-10-09T08:53:21.000000Z",
            "recorded_at": "2025-10-09T08:53:21.000000Z", "recorded_by": "pipeline:accounts"
        }],
        "signals": [], "withdrawals": [],
        "policies": [{
            "version": "1", "effective_at": "2025-10-09T08:53:20.000000Z",
            "text_digest": "3333333333333333333333333333333333333333333333333333333333333333",
            "rules": [{"jurisdiction": "DE", "purpose": "third_party_sharing", "regime": "prohibited"}],
            "notices": ["1111111111111111111111111111111111111111111111111111111111111111"],
            "activated_at": "2025-10-09T08:53:20.000000Z", "activation_revision": "2",
            "retracted_at": null, "retraction_revision": null
        }]
    }""")


def test_c11_ids_beyond_the_reach_of_a_double_survive_as_strings() -> None:
    dossier = replace(a_dossier(replace(an_allow(1), revision=2**63 + 1)), subject_id=2**63 + 1)

    exports = [plain(dossier), dpv(dossier, PLATFORM), kantara(dossier, PLATFORM)]
    full, records, receipt = json.loads(json.dumps(exports), parse_int=float)

    assert full["subject_id"] == full["choices"][0]["revision"] == "9223372036854775809"
    assert records["@graph"][0]["@id"] == "urn:sluice:consent:1:9223372036854775809"
    assert records["@graph"][0]["dpv:hasDataSubject"] == "urn:sluice:subject:9223372036854775809"
    assert receipt["piiPrincipalId"] == "9223372036854775809"


def test_c11_a_claimed_time_that_cannot_be_written_hides_no_record() -> None:
    assert rfc3339(-(2**62)) == "0001-01-01T00:00:00.000000Z"
    assert rfc3339(2**62) == "9999-12-31T23:59:59.999999Z"


def test_c11_the_plain_export_has_who_objected_what_changed_and_what_was_taken_back() -> None:
    signals = (SignalRecord(5, "news.example", Signal.GPC), SignalRecord(5, "blog.example", Signal.GPC))
    withdrawals = (
        Recorded(6, Withdrawal(Cause.SUBJECT_WITHHELD, 7, countries=("DE",)), NOON_US),
        Recorded(5, Withdrawal(Cause.CHOICE, 7, licensee="acme", purposes=(SHARING,)), NOON_US),
    )
    facts = (replace(some_facts(6), kind=11), replace(some_facts(2), kind=5))
    dossier = replace(a_dossier(facts=facts), signals=signals, withdrawals=withdrawals)

    exported = plain(dossier)

    assert [(each["revision"], each["change"]) for each in exported["facts"]] == [
        ("2", "suspend"), ("6", "withheld"),
    ]  # fmt: skip
    assert exported["signals"] == [
        {"revision": "5", "source": "blog.example", "signal": "Sec-GPC: 1"},
        {"revision": "5", "source": "news.example", "signal": "Sec-GPC: 1"},
    ]
    chosen, withheld = exported["withdrawals"]
    assert chosen == {
        "revision": "5", "cause": "choice", "licensee_scope": "one", "licensee_id": "acme",
        "purposes": ["third_party_sharing"], "countries": [], "recorded_at": "2025-10-09T08:53:20.000000Z",
    }  # fmt: skip
    assert (withheld["licensee_scope"], withheld["countries"], len(withheld["purposes"])) == (
        "everyone", ["DE"], 8,
    )  # fmt: skip


def test_c11_of_an_erased_subject_the_plain_export_says_so_and_what_is_left() -> None:
    exported = plain(replace(a_dossier(a_deny(9)), erased_us=NOON_US))

    assert exported["erased_at"] == "2025-10-09T08:53:20.000000Z"
    assert [choice["stance"] for choice in exported["choices"]] == ["deny"]


@pytest.mark.parametrize("export", [dpv, kantara])
def test_c11_there_is_no_consent_record_of_an_erased_subject(export: Any) -> None:
    with pytest.raises(Refusal) as refused:
        export(replace(a_dossier(a_deny(9)), erased_us=NOON_US), PLATFORM)

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "SUBJECT_ERASED")


@pytest.mark.parametrize("export", [dpv, kantara])
def test_c11_the_same_records_in_another_order_give_the_same_export(export: Any) -> None:
    choices = (an_allow(3), a_deny(4, "acme"), an_allow(5, "acme", GENERATIVE))
    first = a_dossier(*choices, facts=(some_facts(1), some_facts(2, "DE")))
    second = replace(first, choices=choices[::-1], facts=first.facts[::-1], standing=first.standing[::-1])

    assert json.dumps(export(first, PLATFORM)) == json.dumps(export(second, PLATFORM))
    assert plain(first) == plain(second)


def test_c11_each_choice_is_one_record_by_27560() -> None:
    dossier = a_dossier(an_allow(3, "acme", GENERATIVE), facts=(some_facts(1), some_facts(4, "DE")))

    (record,) = dpv(dossier, PLATFORM)["@graph"]

    assert record == json.loads("""{
        "@id": "urn:sluice:consent:1:3", "@type": "dpv:ConsentRecord",
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dct:identifier": "urn:sluice:consent:1:3", "dpv:hasDataSubject": "urn:sluice:subject:7",
        "dct:created": "2025-10-09T08:53:23.000000Z", "dct:issued": "2025-10-09T08:54:50.000000Z",
        "dpv:hasNotice": {"@type": "dpv:ConsentNotice", "dct:language": "en",
          "@id": "urn:sluice:notice:sha256:1111111111111111111111111111111111111111111111111111111111111111"},
        "dpv:hasProcess": {"@type": "dpv:Process",
            "dpv:hasPurpose": {"@id": "sluice:ai_training_generative", "@type": "dpv:Purpose",
                               "dct:title": "Training of generative AI"},
            "dpv:hasPersonalData": {
                "@type": "dpv:PersonalData", "skos:broader": "pd:SocialMediaCommunication",
                "dct:description": "Posts of the subject, alone or embedded in posts of others"},
            "dpv:hasDataController": "https://chirp.example/privacy#controller",
            "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent",
            "dpv:hasStorageCondition": [
                {"@type": "dpv:StorageLocation", "dpv:hasLocation": "loc:IE"},
                {"@type": "dpv:StorageDuration", "dpv:hasDuration": {
                    "@type": "dpv:UntilEventDuration",
                    "rdf:value": "The subject withdraws the consent or deletes the posts"}}],
            "dpv:hasJurisdiction": "loc:US-CA",
            "dpv:hasRecipient": {"@id": "urn:sluice:licensee:acme", "dct:identifier": "acme",
                                 "@type": ["dpv:Recipient", "dpv:ThirdParty"]},
            "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent",
                                      "dpv:isExercisedAt": "https://chirp.example/settings/licensing"}
        },
        "dpv:hasEntity": {
            "@id": "https://chirp.example/privacy#controller", "@type": "dpv:DataController",
            "dpv:hasIdentifier": "https://chirp.example/privacy#controller",
            "dpv:hasName": "Chirp Ltd", "dpv:hasLocation": "loc:IE",
            "dpv:hasAddress": "1 Wire Street, Dublin",
            "schema:contactPoint": {
                "@type": "schema:ContactPoint", "schema:name": "Data protection officer",
                "schema:email": "privacy@chirp.example", "schema:telephone": "+353 1 000 0000",
                "schema:url": "https://chirp.example/privacy"}
        },
        "dpv:hasConsentStatus": [{
            "@type": "dpv:ConsentGiven", "dpv:isIndicatedAtTime": "2025-10-09T08:53:23.000000Z",
            "dpv:hasDuration": {"@type": "dpv:UntilEventDuration",
                                "rdf:value": "The subject withdraws the consent"},
            "dpv:isIndicatedBy": "urn:sluice:subject:7", "dpv:hasIndicationMethod": "settings"
        }]
    }""")


def test_c11_every_field_of_27560_is_there_and_every_term_is_known() -> None:
    terms = set(FIELDS_OF_27560.values())
    # The guide to the vocabulary suggests these two as well.
    known = {key for vector in dpv_vectors() for key in vector} | terms | {"dct:created", "dct:issued"}

    (record,) = dpv(a_dossier(a_deny(3)), PLATFORM)["@graph"]

    assert terms <= {key for key, _ in pairs(record)}
    assert set(record) <= known


def test_c11_terms_shared_with_the_published_records_have_values_of_the_same_kinds() -> None:
    published = defaultdict(set)
    for key, value in pairs(dpv_vectors()):
        published[key].add(type(value))

    exported = dpv(a_dossier(an_allow(3, "acme", GENERATIVE), a_deny(4)), PLATFORM)["@graph"]

    shared = [(key, type(value)) for key, value in pairs(exported) if key in published]
    assert len({key for key, _ in shared}) >= 15
    assert [(key, kind) for key, kind in shared if kind not in published[key]] == []


def test_c11_a_choice_for_everyone_and_everything_says_what_it_reaches() -> None:
    (record,) = dpv(a_dossier(replace(a_deny(3), method=5)), PLATFORM)["@graph"]

    process = record["dpv:hasProcess"]
    assert process["dpv:hasPurpose"]["@id"] == "sluice:all"
    assert " ".join(process["dpv:hasPurpose"]["skos:narrower"]) == (
        "sluice:third_party_sharing sluice:ai_training_generative sluice:ai_training_other sluice:ai_input "
        "sluice:ai_index sluice:search_index sluice:data_mining"
    )
    assert process["dpv:hasRecipient"]["@id"] == "urn:sluice:licensees"
    assert process["dpv:hasLegalBasis"] == "dpv:Consent"
    # Neither a notice nor a jurisdiction is on record: the platform's stand for them.
    assert record["dpv:hasNotice"]["@id"] == "https://chirp.example/privacy"
    assert process["dpv:hasJurisdiction"] == "loc:IE"


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([an_allow(1)], [[GIVEN]]),
        ([an_allow(1), an_allow(2)], [[GIVEN], [RENEWED]]),
        ([an_allow(1), an_allow(2, "acme")], [[GIVEN], [GIVEN]]),
        ([a_deny(1)], [[REFUSED]]),
        ([a_deny(1), an_allow(2)], [[REFUSED], [GIVEN]]),
        ([an_allow(1), a_deny(2), an_allow(3)], [[GIVEN, WITHDRAWN], [WITHDRAWN], [GIVEN]]),
        # A narrower deny takes a part back and leaves the rest.
        ([an_allow(1), a_deny(2, "acme")], [[GIVEN], [WITHDRAWN]]),
        ([an_allow(1), a_deny(2, purpose=GENERATIVE)], [[GIVEN], [WITHDRAWN]]),
        ([an_allow(1, "acme"), a_deny(2, "beta")], [[GIVEN], [REFUSED]]),
        # C7: without sharing there is no training, but sharing goes on without it.
        ([an_allow(1, purpose=GENERATIVE), a_deny(2, purpose=SHARING)], [[GIVEN, WITHDRAWN], [WITHDRAWN]]),
        ([an_allow(1, purpose=SHARING), a_deny(2, purpose=GENERATIVE)], [[GIVEN], [REFUSED]]),
        # C2: an allow from before the deny, imported after it, lifts nothing; nor does a broader one.
        ([a_deny(2), an_allow(3, at=1)], [[REFUSED], [GIVEN, WITHDRAWN]]),
        ([a_deny(1, purpose=SHARING), an_allow(2)], [[REFUSED], [GIVEN, WITHDRAWN]]),
        # C2: a deny from before the allow, imported after it, bites as it arrives.
        ([an_allow(2), a_deny(3, at=1)], [[GIVEN, WITHDRAWN], [WITHDRAWN]]),
        ([a_deny(2), an_allow(3, at=1), an_allow(4)], [[REFUSED], [GIVEN, WITHDRAWN], [GIVEN]]),
    ],
)
def test_c11_only_an_allow_that_no_deny_has_undone_ends_in_a_status_that_permits(
    choices: list[ChoiceRecord], expected: list[list[str]]
) -> None:
    assert statuses(*choices) == expected


def test_c11_a_deny_stated_before_an_allow_undoes_it_when_it_arrives() -> None:
    allowed, _ = dpv(a_dossier(an_allow(2), a_deny(3, at=1)), PLATFORM)["@graph"]

    times = [status["dpv:isIndicatedAtTime"] for status in allowed["dpv:hasConsentStatus"]]
    assert times == ["2025-10-09T08:53:22.000000Z", "2025-10-09T08:53:23.000000Z"]
