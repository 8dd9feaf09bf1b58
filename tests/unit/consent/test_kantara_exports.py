"""C11: receipts of what is allowed now, in the form of Kantara."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from services.chassis.refusals import Kind, Refusal
from services.consent.domain.dossiers import (
    ChoiceRecord,
)
from services.consent.domain.exports.kantara import kantara
from tests.support.dossiers import (
    GENERATIVE,
    PLATFORM,
    SHARING,
    a_deny,
    a_dossier,
    an_allow,
    consent_vectors,
    some_facts,
)


def kantara_schema() -> Any:
    """The published schema has lines of comment, which JSON has not; no text of JSON goes over lines."""
    lines = (consent_vectors() / "kantara-consent-receipt-v1_1-schema.json").read_text("utf-8").splitlines()
    return json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))


def test_c11_a_kantara_receipt_is_of_what_is_allowed_now() -> None:
    choices = (an_allow(3, "acme", GENERATIVE), an_allow(5, "beta", SHARING), a_deny(6, "beta"))
    dossier = a_dossier(*choices, facts=(some_facts(1),))

    assert kantara(dossier, PLATFORM) == json.loads("""{
        "version": "KI-CR-v1.1.0", "jurisdiction": "US-CA", "consentTimestamp": 1760000003,
        "collectionMethod": "settings", "consentReceiptID": "930275d8-2b49-5349-91ad-a8aa6e66ea7c",
        "language": "en", "piiPrincipalId": "7", "piiControllers": [{
            "piiController": "Chirp Ltd", "contact": "Data protection officer",
            "address": {"streetAddress": "1 Wire Street, Dublin", "addressCountry": "IE"},
            "email": "privacy@chirp.example", "phone": "+353 1 000 0000"
        }], "policyUrl": "https://chirp.example/privacy",
        "services": [{"service": "Release of posts to licensees", "purposes": [{
            "purpose": "Training of generative AI", "purposeCategory": ["ai_training_generative"],
            "consentType": "EXPLICIT", "piiCategory": ["4 - Communications/Social"], "primaryPurpose": false,
            "termination": "Until it is withdrawn at https://chirp.example/settings/licensing",
            "thirdPartyDisclosure": true, "thirdPartyName": "acme"
        }]}], "sensitive": false, "spiCat": []
    }""")


def test_c11_a_kantara_receipt_keeps_to_the_published_schema_and_a_mutilated_one_does_not() -> None:
    published = jsonschema.Draft4Validator(kantara_schema())
    receipt = kantara(a_dossier(an_allow(3), a_deny(4, "beta")), PLATFORM)
    nameless = json.loads(json.dumps(receipt))
    del nameless["services"][0]["purposes"][0]["thirdPartyName"]

    assert published.is_valid(receipt)
    assert not published.is_valid(nameless)
    assert not any(published.is_valid({**receipt, key: None}) for key in receipt)


def test_c11_a_kantara_receipt_names_those_to_whom_an_allow_for_everyone_does_not_reach() -> None:
    choices = [an_allow(1, purpose=GENERATIVE), a_deny(2, "beta"), an_allow(3, "acme", SHARING)]

    (service,) = kantara(a_dossier(*choices), PLATFORM)["services"]

    reached = {(each["purposeCategory"][0], each["thirdPartyName"]) for each in service["purposes"]}
    assert reached == {
        ("ai_training_generative", "Every licensee except beta"),
        ("third_party_sharing", "acme"),
    }


@pytest.mark.parametrize(
    "choices",
    [
        [],
        [a_deny(1)],
        [an_allow(1, "acme", GENERATIVE), a_deny(2)],
        [an_allow(1), a_deny(2, purpose=SHARING)],
        [a_deny(2), an_allow(3, at=1)],
    ],
)
def test_c11_without_a_consent_that_holds_there_is_no_receipt(choices: list[ChoiceRecord]) -> None:
    with pytest.raises(Refusal) as refused:
        kantara(a_dossier(*choices), PLATFORM)

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "NOTHING_ALLOWED")


def test_c11_a_receipt_has_an_id_of_its_own_for_each_subject_revision_epoch_and_platform() -> None:
    dossier = a_dossier(an_allow(3))
    others = [replace(dossier, subject_id=8), replace(dossier, revision=91), replace(dossier, epoch=2)]

    ids = [kantara(each, PLATFORM)["consentReceiptID"] for each in (dossier, *others)]
    elsewhere = kantara(dossier, replace(PLATFORM, name="Warble Ltd"))["consentReceiptID"]

    assert len({*ids, elsewhere}) == 5
    assert kantara(dossier, PLATFORM)["consentReceiptID"] == ids[0]
