"""A Kantara Consent Receipt v1.1 for everything that a subject consents to, as of the dossier (C11).

A receipt knows consent only. What is denied has no line in it: a licensee that is denied beside an allow for
everyone is named as the exception it is, and a purpose that goes to nobody is missing.
"""

from typing import Any
from uuid import UUID, uuid5

from services.chassis.refusals import precondition
from services.consent.domain.choices import EVERYONE, Scope, Stance
from services.consent.domain.dossiers import (
    OTHERS,
    TITLES,
    ChoiceRecord,
    Controller,
    Dossier,
    choosable,
    method_word,
    purpose_word,
)

VERSION = "KI-CR-v1.1.0"
SERVICE = "Release of posts to licensees"
_RECEIPT_IDS = UUID("703bc92a-bec9-4072-b847-a0d7f64dd487")
"""The namespace of our receipt ids, RFC 9562; drawn once."""
_POSTS = "4 - Communications/Social"
"""What posts are among the categories of personal data that the specification suggests."""


def kantara(dossier: Dossier, controller: Controller) -> dict[str, Any]:
    """The receipt; the same dossier of the same platform always has the same id.

    Raises Refusal SUBJECT_ERASED, NOTHING_ALLOWED.
    """
    if dossier.erased_us is not None:
        raise precondition("SUBJECT_ERASED", "the subject was erased; no consent of theirs is left")
    consents = dossier.consents()
    if not consents:
        raise precondition("NOTHING_ALLOWED", "the subject allows nothing, and a receipt is of consent")
    grounds = _grounds(dossier, consents)
    return {
        "version": VERSION,
        "jurisdiction": dossier.jurisdiction_at(dossier.revision) or controller.country,
        # Whole seconds, and the schema has none before 1970.
        "consentTimestamp": max(0, max(allow.stated_us for allow in grounds) // 1_000_000),
        "collectionMethod": ", ".join(sorted({method_word(allow.method) for allow in grounds})),
        "consentReceiptID": _receipt_id(dossier, controller),
        "language": controller.language,
        "piiPrincipalId": str(dossier.subject_id),
        "piiControllers": [_controller(controller)],
        "policyUrl": controller.policy_url,
        "services": [{"service": SERVICE, "purposes": _purposes(dossier, consents, controller)}],
        # Nobody is asked about sensitive data as such; what posts say in passing is not looked at.
        "sensitive": False,
        "spiCat": [],
    }


def _grounds(dossier: Dossier, consents: frozenset[Scope]) -> list[ChoiceRecord]:
    """The allows on which some consent rests."""
    return [
        record
        for record in dossier.still_mattering()
        if record.stance is Stance.ALLOW
        and any(record.scope.covers(consent.licensee, consent.purpose) for consent in consents)
    ]


def _receipt_id(dossier: Dossier, controller: Controller) -> str:
    # Platforms number their subjects and revisions alike, so the name tells their receipts apart.
    name = f"{dossier.subject_id}:{dossier.epoch}:{dossier.revision}:{controller.name}"
    return str(uuid5(_RECEIPT_IDS, name))


def _controller(controller: Controller) -> dict[str, Any]:
    return {
        "piiController": controller.name,
        "contact": controller.contact,
        "address": {"streetAddress": controller.address, "addressCountry": controller.country},
        "email": controller.email,
        "phone": controller.phone,
    }


def _purposes(dossier: Dossier, consents: frozenset[Scope], controller: Controller) -> list[dict[str, Any]]:
    named = sorted({record.licensee for record in dossier.still_mattering()} - {EVERYONE})
    return [
        _purpose(purpose, recipient, controller)
        for purpose in choosable()
        for recipient in _recipients(purpose, consents, named)
    ]


def _recipients(purpose: int, consents: frozenset[Scope], named: list[str]) -> list[str]:
    """Each licensee that is allowed, or all of them in one line with those that are not."""
    allowed = [licensee for licensee in named if Scope(licensee, purpose) in consents]
    if Scope(OTHERS, purpose) not in consents:
        return allowed
    denied = [licensee for licensee in named if licensee not in allowed]
    return [f"Every licensee except {', '.join(denied)}" if denied else "Every licensee"]


def _purpose(purpose: int, recipient: str, controller: Controller) -> dict[str, Any]:
    return {
        "purpose": TITLES[purpose],
        "purposeCategory": [purpose_word(purpose)],
        "consentType": "EXPLICIT",
        "piiCategory": [_POSTS],
        "primaryPurpose": False,
        "termination": f"Until it is withdrawn at {controller.withdrawal_url}",
        "thirdPartyDisclosure": True,
        "thirdPartyName": recipient,
    }
