"""Consent records by ISO/IEC TS 27560 in the Data Privacy Vocabulary, as JSON-LD (C11).

Source of the shapes: W3C DPVCG, "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV". Each
choice is one record, and its latest status holds. Only ConsentGiven and RenewedConsentGiven permit, so an
allow that a deny has undone says so itself, for a reader who looks at nothing but statuses. A deny of a part
of what an allow covers has its own record and leaves the other as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urldefrag

from services.chassis.refusals import precondition
from services.consent.domain.choices import (
    ALL_PURPOSES,
    EVERYONE,
    Choice,
    Says,
    Stance,
    standing_of,
    still_standing,
)
from services.consent.domain.dossiers import (
    OTHERS,
    TITLES,
    ChoiceMethod,
    ChoiceRecord,
    Controller,
    Dossier,
    choosable,
    method_word,
    purpose_word,
    rfc3339,
)
from services.consent.domain.verdicts import purposes_of

PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record"
GIVEN = "dpv:ConsentGiven"
RENEWED = "dpv:RenewedConsentGiven"
REFUSED = "dpv:ConsentRefused"
WITHDRAWN = "dpv:ConsentWithdrawn"

_IRI = {"@type": "@id"}
_TIME = {"@type": "xsd:dateTime"}
_CONTEXT: Mapping[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "sluice": "urn:sluice:purpose:",
    **dict.fromkeys(
        (
            "dct:conformsTo",
            "dpv:hasDataController",
            "dpv:hasDataSubject",
            "dpv:hasJurisdiction",
            "dpv:hasLegalBasis",
            "dpv:hasLocation",
            "dpv:isExercisedAt",
            "dpv:isIndicatedBy",
            "schema:url",
            "skos:broader",
            "skos:narrower",
        ),
        _IRI,
    ),
    **dict.fromkeys(("dct:created", "dct:issued", "dpv:isIndicatedAtTime"), _TIME),
}

_POSTS = {
    "@type": "dpv:PersonalData",
    "skos:broader": "pd:SocialMediaCommunication",
    "dct:description": "Posts of the subject, alone or embedded in posts of others",
}
_UNTIL_WITHDRAWN = "The subject withdraws the consent"
_UNTIL_ALLOWED = "The subject allows the same or a part of it"
_KEPT_UNTIL = "The subject withdraws the consent or deletes the posts"


def dpv(dossier: Dossier, controller: Controller) -> dict[str, Any]:
    """One record for each choice, by revision.

    Raises Refusal SUBJECT_ERASED.
    """
    if dossier.erased_us is not None:
        raise precondition("SUBJECT_ERASED", "the subject was erased; no consent of theirs is left")
    history, subject = dossier.in_order(), _subject_id(dossier)
    undone = _undone(history)
    return {
        "@context": dict(_CONTEXT),
        "@graph": [
            _record(dossier, controller, record, _statuses(record, history[:place], undone, subject))
            for place, record in enumerate(history)
        ],
    }


def _record(
    dossier: Dossier, controller: Controller, record: ChoiceRecord, statuses: list[dict[str, Any]]
) -> dict[str, Any]:
    record_id = f"urn:sluice:consent:{dossier.epoch}:{record.revision}"
    return {
        "@id": record_id,
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": PROFILE,
        "dct:identifier": record_id,
        "dct:created": rfc3339(record.recorded_us),
        "dct:issued": rfc3339(dossier.taken_us),
        "dpv:hasDataSubject": _subject_id(dossier),
        "dpv:hasNotice": _notice(record, controller),
        "dpv:hasProcess": _process(dossier, controller, record),
        "dpv:hasEntity": _entity(controller),
        "dpv:hasConsentStatus": statuses,
    }


def _notice(record: ChoiceRecord, controller: Controller) -> dict[str, str]:
    """What was shown. A deny may come without, and the platform's policy applied to it all the same."""
    if not record.notice_digest:
        return {
            "@id": controller.policy_url,
            "@type": "dpv:PrivacyNotice",
            "dct:language": controller.language,
        }
    return {
        "@id": f"urn:sluice:notice:sha256:{record.notice_digest.hex()}",
        "@type": "dpv:ConsentNotice",
        "dct:language": controller.language,
    }


def _process(dossier: Dossier, controller: Controller, record: ChoiceRecord) -> dict[str, Any]:
    jurisdiction = dossier.jurisdiction_at(record.revision) or controller.country
    explicit = record.method == ChoiceMethod.SETTINGS
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": _purpose(record.purpose),
        "dpv:hasPersonalData": dict(_POSTS),
        "dpv:hasDataController": _controller_id(controller),
        # How it was said to someone else is not on record, so only our own page counts as explicit.
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent" if explicit else "dpv:Consent",
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": f"loc:{controller.country}"},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _until(_KEPT_UNTIL)},
        ],
        "dpv:hasJurisdiction": f"loc:{jurisdiction}",
        "dpv:hasRecipient": _recipient(record.licensee),
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": controller.withdrawal_url,
        },
    }


def _purpose(purpose: int) -> dict[str, Any]:
    node: dict[str, Any] = {
        "@id": f"sluice:{purpose_word(purpose)}",
        "@type": "dpv:Purpose",
        "dct:title": TITLES[purpose],
    }
    if purpose == ALL_PURPOSES:
        node["skos:narrower"] = [f"sluice:{purpose_word(each)}" for each in choosable()]
    return node


def _recipient(licensee: str) -> dict[str, Any]:
    node: dict[str, Any] = {"@type": ["dpv:Recipient", "dpv:ThirdParty"]}
    if licensee == EVERYONE:
        return {"@id": "urn:sluice:licensees", **node, "dct:title": "Every licensee"}
    return {"@id": f"urn:sluice:licensee:{licensee}", **node, "dct:identifier": licensee}


def _entity(controller: Controller) -> dict[str, Any]:
    return {
        "@id": _controller_id(controller),
        "@type": "dpv:DataController",
        "dpv:hasIdentifier": _controller_id(controller),
        "dpv:hasName": controller.name,
        "dpv:hasAddress": controller.address,
        "dpv:hasLocation": f"loc:{controller.country}",
        "schema:contactPoint": {
            "@type": "schema:ContactPoint",
            "schema:name": controller.contact,
            "schema:email": controller.email,
            "schema:telephone": controller.phone,
            "schema:url": controller.policy_url,
        },
    }


def _statuses(
    record: ChoiceRecord,
    earlier: Sequence[ChoiceRecord],
    undone: Mapping[int, ChoiceRecord],
    subject: str,
) -> list[dict[str, Any]]:
    """What became of a choice, oldest first; of an allow, also what undid it."""
    method = method_word(record.method)
    if record.stance is Stance.DENY:
        state = WITHDRAWN if _withdraws(record, earlier) else REFUSED
        return [_status(state, subject, record.stated_us, method, _UNTIL_ALLOWED)]
    state = RENEWED if _renews(record, earlier, undone) else GIVEN
    given = _status(state, subject, record.stated_us, method, _UNTIL_WITHDRAWN)
    if record.revision not in undone:
        return [given]
    deny = undone[record.revision]
    # A deny bites as soon as it arrives (C2), even where it was stated before the allow.
    at_us = max(record.stated_us, deny.stated_us, deny.recorded_us)
    return [given, _status(WITHDRAWN, subject, at_us, method_word(deny.method), _UNTIL_ALLOWED)]


def _undone(history: Sequence[ChoiceRecord]) -> dict[int, ChoiceRecord]:
    """The allows, by revision, of which a deny left nothing, each with the first that did.

    A deny from before an allow counts if it still stood when the allow came, which may have been stated
    earlier and then lifts nothing.
    """
    undone: dict[int, ChoiceRecord] = {}
    standing: tuple[Choice, ...] = ()
    for place, record in enumerate(history):
        if record.stance is Stance.ALLOW:
            stood = {choice.revision for choice in standing}
            denies = (*(deny for deny in history[:place] if deny.revision in stood), *history[place + 1 :])
            if (deny := _first_to_undo(record, denies)) is not None:
                undone[record.revision] = deny
        standing = still_standing((*standing, record.choice))
    return undone


def _withdraws(deny: ChoiceRecord, earlier: Iterable[ChoiceRecord]) -> bool:
    """Whether it takes back a part, at least, of what was allowed before it."""
    allows = {allow.scope: allow for allow in earlier if allow.stance is Stance.ALLOW}
    return any(
        any(_denied(allow, deny, allow.licensee or deny.licensee or OTHERS)) for allow in allows.values()
    )


def _renews(allow: ChoiceRecord, earlier: Sequence[ChoiceRecord], undone: Mapping[int, ChoiceRecord]) -> bool:
    """Whether the same was allowed before and not undone in between."""
    for before in reversed(earlier):
        if before.stance is Stance.ALLOW and before.scope == allow.scope:
            return before.revision not in undone or undone[before.revision].revision > allow.revision
    return False


def _first_to_undo(allow: ChoiceRecord, records: Iterable[ChoiceRecord]) -> ChoiceRecord | None:
    """The first deny that leaves nothing of the allow, if no other allow helped."""
    return next(
        (
            record
            for record in records
            if record.stance is Stance.DENY and all(_denied(allow, record, allow.licensee or OTHERS))
        ),
        None,
    )


def _denied(allow: ChoiceRecord, deny: ChoiceRecord, licensee: str) -> Iterator[bool]:
    """For each purpose of the allow, whether the deny beats it there, by the rules of a release (C2, C7)."""
    if deny.licensee not in (EVERYONE, licensee):
        yield False
        return
    both = standing_of((allow.choice, deny.choice))
    purposes = choosable() if allow.purpose == ALL_PURPOSES else (allow.purpose,)
    for purpose in purposes:
        yield any(both.says(licensee, needed, asked) is Says.DENIES for needed, asked in purposes_of(purpose))


def _status(state: str, subject: str, at_us: int, method: str, until: str) -> dict[str, Any]:
    return {
        "@type": state,
        "dpv:isIndicatedAtTime": rfc3339(at_us),
        "dpv:hasDuration": _until(until),
        "dpv:isIndicatedBy": subject,
        "dpv:hasIndicationMethod": method,
    }


def _until(event: str) -> dict[str, str]:
    return {"@type": "dpv:UntilEventDuration", "rdf:value": event}


def _subject_id(dossier: Dossier) -> str:
    return f"urn:sluice:subject:{dossier.subject_id}"


def _controller_id(controller: Controller) -> str:
    """An IRI that is the platform's own: a place in the policy that it publishes."""
    return f"{urldefrag(controller.policy_url).url}#controller"
