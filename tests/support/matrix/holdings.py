"""What each party of a matrix has, made by the services themselves: licenses, releases, recalls, bills."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis.identity import PrincipalKind
from tests.support.fleet import NOTICE, PURPOSE
from tests.support.matrix.asking import Asking
from tests.support.matrix.callers import ACME, ANN, BEN, EVE, UMBRELLA
from tests.support.waiting import PATIENCE_SECONDS

QUITTER = 3_001
"""A subject who withdraws, so that there are recalls."""
TRAINING = f"PURPOSE_{PURPOSE.upper()}"
DIGEST = hashlib.sha256(b"contract").digest()
POSTED_AT = "2026-01-31T12:00:00Z"
_DESK, _BILLS, _RECALLS = "ContractService", "BillingService", "RecallService"
_AUTHORS = {11: ANN, 12: BEN, 21: EVE, 31: QUITTER}
"""By id of the post."""
_ASKED: Mapping[str, Sequence[int]] = {ACME: (11, 12, 31), UMBRELLA: (21, 31)}


@dataclass(frozen=True)
class Holdings:
    """Ids of what is somebody's, by the name of the field that asks for it."""

    fields: Mapping[str, Any]

    def __getitem__(self, path: str) -> Any:
        """Of a field such as "of.party_id" by its last word."""
        return self.fields[path.rpartition(".")[2]]


NOTHING = Holdings(
    {
        "license_id": "nowhere-training",
        "licensee_id": "nowhere",
        "party_id": "nowhere",
        "group_id": "nowhere",
        "decision_id": "019a0000-0000-7000-8000-000000000001",
        "recall_id": "019a0000-0000-7000-8000-000000000002",
        "invoice": "INV-900001",
        "invoice_id": "019a0000-0000-7000-8000-000000000003",
        "credit_note": "CN-900001",
        "subject_id": 9_000_001,
    }
)
"""What nobody has."""


async def make_holdings(asking: Asking) -> dict[str, Holdings]:
    """Of both licensees. A policy is in force already."""
    await _make_people(asking)
    decisions = {name: await _licensed(asking, name) for name in (ACME, UMBRELLA)}
    await _withdraw(asking)
    bills = {name: await _billed(asking, name) for name in (ACME, UMBRELLA)}
    recalls = {name: await _recalled(asking, name) for name in (ACME, UMBRELLA)}
    subjects = {ACME: ANN, UMBRELLA: EVE}
    return {
        name: Holdings(
            {
                "license_id": f"{name}-training",
                "licensee_id": name,
                "party_id": name,
                "group_id": await _group(asking, name),
                "decision_id": decisions[name],
                "recall_id": recalls[name],
                **bills[name],
                "subject_id": subjects[name],
            }
        )
        for name in (ACME, UMBRELLA)
    }


async def _make_people(asking: Asking) -> None:
    """Subjects, and their posts in the directory."""
    rows = [{"line": str(n), "subject": _a_subject(each)} for n, each in enumerate((ANN, BEN, EVE, QUITTER))]
    await asking.operator("consent.v1.ConsentService/ImportSubjects", rows=rows)
    posts = [a_post(id, author) for id, author in _AUTHORS.items()]
    await asking.ask(
        "directory.v1.PostStoreService/PutPosts",
        PrincipalKind.PIPELINE,
        "firehose",
        {"posts": {"posts": posts}},
    )


async def _withdraw(asking: Asking) -> None:
    """Has one of them opt out of everything."""
    deny = {"subjectId": str(QUITTER), "stance": "STANCE_DENY", "everyone": True, "allPurposes": True}
    await asking.ask(
        "consent.v1.ConsentService/RecordChoice", PrincipalKind.SUBJECT, str(QUITTER), {"choice": deny}
    )


async def _licensed(asking: Asking, name: str) -> str:
    """Makes a licensee with a key and a license; the id of a release that they asked for."""
    await asking.operator(
        f"licensing.v1.{_DESK}/CreateLicensee", licensee={"licenseeId": name, "displayName": name}
    )
    await _license(asking, f"{name}-training", name)
    await asking.operator(
        "licensing.v1.ApiKeyService/CreateApiKey",
        holder={"kind": "KEY_HOLDER_KIND_LICENSEE", "party": name},
        label="tests",
    )
    await asking.operator(
        "licensing.v1.AffiliateService/AddAffiliate",
        licenseeId=name,
        affiliateId=f"{name}-labs",
        displayName="Labs",
    )
    await asking.operator(
        "licensing.v1.WebhookService/PutRecallWebhook",
        licenseeId=name,
        url="https://hooks.example.com/recalls",
        enabled=False,
    )
    return await _released(asking, name)


async def _released(asking: Asking, name: str) -> str:
    asked = {
        "licenseId": f"{name}-training",
        "purpose": TRAINING,
        "postIds": [str(id) for id in _ASKED[name]],
    }
    answer = await asking.ask(
        "licensing.v1.ReleaseService/RequestRelease", PrincipalKind.LICENSEE, name, asked
    )
    assert answer.decision.delivery.posts_released == len(_ASKED[name]), answer
    decision_id: str = answer.decision.decision_id
    return decision_id


async def _license(asking: Asking, license_id: str, licensee_id: str) -> None:
    terms = {
        "licenseeId": licensee_id,
        "template": "LICENSE_TEMPLATE_COMMERCIAL",
        "purposes": [TRAINING],
        "kinds": ["CONTENT_KIND_POST"],
        "languages": ["*"],
        "authorJurisdictions": ["*"],
        "territory": ["*"],
        "termFrom": "2020-01-01T00:00:00Z",
        "termUntil": "2100-01-01T00:00:00Z",
        "obligations": {"recallDeadlineDays": 30, "noReidentification": True},
        "price": {
            "currency": "USD",
            "period": "BILLING_PERIOD_MONTH",
            "timeZone": "UTC",
            "charges": [{"name": "Access", "flat": {"currencyCode": "USD", "units": "500"}}],
        },
        "contractDigest": _base64(DIGEST),
    }
    draft = await asking.operator(f"licensing.v1.{_DESK}/CreateLicense", licenseId=license_id, terms=terms)
    await asking.operator(
        f"licensing.v1.{_DESK}/ActivateLicense",
        licenseId=license_id,
        reason="signed",
        version=1,
        termsDigest=_base64(draft.license.terms_digest),
    )


async def _billed(asking: Asking, name: str) -> dict[str, str]:
    """An invoice and a credit note of a license that has ended, for which nobody has to wait."""
    ended = f"{name}-ended"
    await _license(asking, ended, name)
    await asking.operator(f"licensing.v1.{_DESK}/TerminateLicense", licenseId=ended, reason="a test")
    due = await asking.operator(f"licensing.v1.{_BILLS}/ListDuePeriods", licenseId=ended)
    drafted = await asking.operator(
        f"licensing.v1.{_BILLS}/DraftInvoice", licenseId=ended, period=due.due[0].period
    )
    draft = drafted.invoice
    final = await asking.operator(
        f"licensing.v1.{_BILLS}/FinalizeInvoice", invoiceId=draft.invoice_id, digest=_base64(draft.digest)
    )
    credited = await asking.operator(
        f"licensing.v1.{_BILLS}/IssueCreditNote",
        invoiceId=draft.invoice_id,
        reason="sorry",
        goodwill={"amount": {"currencyCode": "USD", "units": "5"}},
    )
    return {
        "invoice": final.invoice.number,
        "invoice_id": draft.invoice_id,
        "credit_note": credited.credit_note.number,
    }


async def _recalled(asking: Asking, name: str) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed = await asking.operator(f"licensing.v1.{_RECALLS}/ListRecalls", licenseeId=name)
            if listed.recalls:
                recall_id: str = listed.recalls[0].recall_id
                return recall_id
            await asyncio.sleep(0.1)


async def _group(asking: Asking, name: str) -> str:
    party = await asking.operator("metering.v1.PartyService/GetParty", partyId=name)
    group_id: str = party.group_id
    return group_id


def _a_subject(id: int) -> dict[str, Any]:
    notices = [_base64(bytes.fromhex(NOTICE))]
    return {"subjectId": str(id), "jurisdiction": "US", "noticeDigests": notices, "asOf": POSTED_AT}


def a_post(id: int, author_id: int) -> dict[str, Any]:
    """In JSON."""
    said = {"kind": "CONTENT_KIND_POST", "language": "en", "postedAt": POSTED_AT}
    return {"id": str(id), "authorId": str(author_id), **said}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
