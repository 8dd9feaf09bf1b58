"""Keys, licenses, bills, usage and webhook of the partner whose releases are in `partner_examples`."""

from services.console.gateway.openapi.partner_examples import Exchange
from services.console.gateway.openapi.rules import Json

API_KEY = "sluice_live_0123456789abcdef_c2VjcmV0IG9mIDMyIGJ5dGVzIGFzIGFuIGV4YW1wbGU"
TERMS_DIGEST = "UdI2H0+uo7yPn6zbx9mau1VVlqLlH3sl/TtByTWH5hY="
_HOLDER: Json = {"kind": "KEY_HOLDER_KIND_LICENSEE", "party": "acme", "sandbox": False}
_TERMS: Json = {
    "licenseeId": "acme",
    "template": "LICENSE_TEMPLATE_COMMERCIAL",
    "purposes": ["PURPOSE_AI_TRAINING_GENERATIVE"],
    "kinds": ["CONTENT_KIND_POST", "CONTENT_KIND_REPLY"],
    "languages": ["en"],
    "authorJurisdictions": ["US"],
    "territory": ["US"],
    "termFrom": "2026-01-01T00:00:00Z",
    "termUntil": "2028-01-01T00:00:00Z",
    "allowances": [{"per": "ALLOWANCE_SUBJECT_LICENSE", "window": "WINDOW_ROLLING_DAY", "limit": "1000000"}],
    "obligations": {"recallDeadlineDays": 15, "noReidentification": True},
    "price": {
        "currency": "USD",
        "period": "BILLING_PERIOD_MONTH",
        "timeZone": "UTC",
        "charges": [
            {"name": "access", "flat": {"currencyCode": "USD", "units": "2000"}},
            {"name": "posts", "included": "1000000", "perUnit": {"unitPrice": "0.50", "per": "1000"}},
        ],
    },
    "contractDigest": "zIMh1jdcSU0EP90CYPIbwOxR2syfart/kJzc0wQbeL8=",
}
_LICENSE: Json = {
    "licenseId": "acme-training",
    "version": 1,
    "state": "LICENSE_STATE_ACTIVE",
    "terms": _TERMS,
    "termsDigest": TERMS_DIGEST,
    "createdAt": "2025-12-10T09:00:00Z",
    "stateChangedAt": "2026-01-01T00:00:00Z",
}
_VERSION: Json = {
    "version": 1,
    "terms": _TERMS,
    "termsDigest": TERMS_DIGEST,
    "createdAt": "2025-12-10T09:00:00Z",
    "effectiveFrom": "2026-01-01T00:00:00Z",
}
_PERIOD: Json = {"period": "2026-10", "periodFrom": "2026-10-01T00:00:00Z"}
_LINES: list[Json] = [
    {
        **_PERIOD,
        "kind": "INVOICE_LINE_KIND_FLAT",
        "key": "flat/access",
        "description": "access, flat",
        "precise": "2000",
        "minor": "200000",
        "amount": {"currencyCode": "USD", "units": "2000"},
    },
    {
        **_PERIOD,
        "kind": "INVOICE_LINE_KIND_USAGE",
        "key": "usage/posts",
        "description": "posts, after 1,000,000 included",
        "posts": "200000",
        "unitPrice": "0.50",
        "per": "1000",
        "precise": "100",
        "minor": "10000",
        "amount": {"currencyCode": "USD", "units": "100"},
    },
]
_INVOICE: Json = {
    "invoiceId": "01a19c3a-8000-7000-8000-000000000006",
    "number": "INV-000012",
    "state": "INVOICE_STATE_FINAL",
    "licenseeId": "acme",
    "licenseeName": "Acme Models",
    "licenseId": "acme-training",
    "licenseVersion": 1,
    "termsDigest": TERMS_DIGEST,
    **_PERIOD,
    "periodUntil": "2026-11-01T00:00:00Z",
    "timeZone": "UTC",
    "cutOff": "2026-11-03T00:00:00Z",
    "posts": "1200000",
    "currency": "USD",
    "decimals": 2,
    "totalMinor": "210000",
    "total": {"currencyCode": "USD", "units": "2100"},
    "credited": {"currencyCode": "USD", "units": "5"},
    "digest": "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=",
    "draftedAt": "2026-11-03T00:00:00Z",
    "finalizedAt": "2026-11-03T10:00:00Z",
    "periodFromLocal": "2026-10-01T00:00:00+00:00",
    "periodUntilLocal": "2026-11-01T00:00:00+00:00",
}
_CREDIT_NOTE: Json = {
    "creditNoteId": "01a1a6d4-0000-7000-8000-000000000007",
    "number": "CN-000003",
    "kind": "CREDIT_NOTE_KIND_CORRECTION",
    "invoiceId": _INVOICE["invoiceId"],
    "invoiceNumber": "INV-000012",
    "licenseeId": "acme",
    "licenseeName": "Acme Models",
    "licenseId": "acme-training",
    "reason": "10,000 posts were confirmed late as undelivered",
    "cutOff": "2026-11-05T00:00:00Z",
    "currency": "USD",
    "decimals": 2,
    "totalMinor": "-500",
    "total": {"currencyCode": "USD", "units": "-5"},
    "digest": "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=",
    "issuedAt": "2026-11-05T09:00:00Z",
    "period": "2026-10",
    "periodFromLocal": "2026-10-01T00:00:00+00:00",
    "periodUntilLocal": "2026-11-01T00:00:00+00:00",
}
_TAKEN_BACK: Json = {
    **_LINES[1],
    "posts": "-10000",
    "precise": "-5",
    "minor": "-500",
    "amount": {"currencyCode": "USD", "units": "-5"},
}
_REVISION: Json = {"epoch": "1", "number": "90210"}
_PAGE = {"pageSize": 100}
_OF_LICENSE = {"licenseId": "acme-training"}
_OF_PARTY = {"of.partyId": "acme"}

PAPERS: dict[str, Exchange] = {
    "TokenService/GetToken": Exchange(
        body={"apiKey": API_KEY},
        answer={
            "token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl",
            "expiresAt": "2026-11-26T12:15:00Z",
            "validFor": "900s",
            "holder": _HOLDER,
        },
    ),
    "TokenService/GetJwks": Exchange(
        answer={
            "keys": [
                {
                    "kty": "OKP",
                    "kid": "WWpn_pfHui9YKR4CZtQsDGMu7_Gch2zYChfSvnxgtPk",
                    "alg": "EdDSA",
                    "use": "sig",
                    "crv": "Ed25519",
                    "x": "ebVWLo_mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ",
                }
            ],
            "keepUntil": "2026-11-26T12:05:00Z",
        }
    ),
    "ApiKeyService/ListApiKeys": Exchange(
        parameters=_PAGE,
        answer={
            "apiKeys": [
                {
                    "keyId": "0123456789abcdef",
                    "holder": _HOLDER,
                    "label": "nightly",
                    "createdAt": "2026-01-05T10:00:00Z",
                    "expiresAt": "2027-01-05T10:00:00Z",
                }
            ],
            "nextPageToken": "",
        },
    ),
    "ContractService/ListLicenses": Exchange(
        parameters=_PAGE, answer={"licenses": [_LICENSE], "nextPageToken": ""}
    ),
    "ContractService/GetLicense": Exchange(parameters=_OF_LICENSE, answer={"license": _LICENSE}),
    "ContractService/ListLicenseVersions": Exchange(
        parameters={**_OF_LICENSE, **_PAGE}, answer={"versions": [_VERSION], "nextPageToken": ""}
    ),
    "AffiliateService/ListAffiliates": Exchange(
        parameters={"licenseeId": "acme", **_PAGE},
        answer={
            "affiliates": [
                {
                    "affiliateId": "acme-labs",
                    "displayName": "Acme Labs",
                    "standing": "AFFILIATE_STANDING_COUNTED",
                    "recorded": [{"since": "2026-03-01T00:00:00Z"}],
                    "counted": [{"since": "2026-03-01T00:00:00Z"}],
                }
            ],
            "nextPageToken": "",
            "licenseeInGroup": True,
            "asOf": "2026-11-26T12:00:00Z",
        },
    ),
    "ConsentService/ListPolicies": Exchange(
        parameters=_PAGE,
        answer={
            "policies": [
                {
                    "version": "3",
                    "effectiveAt": "2026-06-01T00:00:00Z",
                    "textDigest": "gjQS0erLZ5ViIOUylZ8BBGAwV8iHBIY8o4580Yj9qBI=",
                    "rules": [
                        {
                            "jurisdiction": "US",
                            "purpose": "PURPOSE_AI_TRAINING_GENERATIVE",
                            "regime": "REGIME_OPT_OUT",
                        },
                    ],
                    "noticeDigests": ["k2in0h4Bj2SuMyfS8lzU12k7LYUyjku2gLz8vUwmuQ4="],
                    "activatedAt": "2026-06-01T00:00:00Z",
                    "activationRevision": "1204",
                }
            ],
            "nextPageToken": "",
        },
    ),
    "BillingService/ListInvoices": Exchange(
        parameters=_PAGE, answer={"invoices": [_INVOICE], "nextPageToken": ""}
    ),
    "BillingService/GetInvoice": Exchange(
        parameters={"invoice": "INV-000012"}, answer={"invoice": {**_INVOICE, "lines": _LINES}}
    ),
    "BillingService/ListCreditNotes": Exchange(
        parameters=_PAGE, answer={"creditNotes": [_CREDIT_NOTE], "nextPageToken": ""}
    ),
    "BillingService/GetCreditNote": Exchange(
        parameters={"creditNote": "CN-000003"},
        answer={"creditNote": {**_CREDIT_NOTE, "lines": [_TAKEN_BACK]}},
    ),
    "WebhookService/ListRecallWebhooks": Exchange(
        parameters=_PAGE,
        answer={
            "webhooks": [
                {
                    "licenseeId": "acme",
                    "url": "https://hooks.acme.example/sluice",
                    "enabled": True,
                    "putAt": "2026-02-01T09:00:00Z",
                    "secretMadeAt": "2026-02-01T09:00:00Z",
                    "lastDeliveredAt": "2026-11-29T08:30:02Z",
                    "waiting": 0,
                    "givenUp": 0,
                }
            ],
            "nextPageToken": "",
        },
    ),
    "UsageService/QueryUsage": Exchange(
        parameters={**_OF_PARTY, "since": "2026-11-01T00:00:00Z", "until": "2026-11-26T12:00:00Z"},
        answer={
            "rows": [
                {
                    "origin": "USAGE_ORIGIN_GATE",
                    "access": "ACCESS_KIND_ACCESS",
                    "kind": "CONTENT_KIND_POST",
                    "mediaFlags": 0,
                    "used": "812400",
                    "held": "2",
                }
            ],
            "until": "2026-11-26T12:00:00Z",
            "revision": _REVISION,
            "unknown": False,
        },
    ),
    "UsageService/MaxWindow": Exchange(
        parameters={
            **_OF_PARTY,
            "window": "86400s",
            "since": "2026-11-01T00:00:00Z",
            "until": "2026-11-26T12:00:00Z",
            "parts": 1,
        },
        answer={
            "peaks": [
                {
                    "since": "2026-11-01T00:00:00Z",
                    "until": "2026-11-26T12:00:00Z",
                    "posts": "61250",
                    "at": "2026-11-19T03:12:44Z",
                }
            ],
            "revision": _REVISION,
        },
    ),
    "UsageService/WatchUsage": Exchange(
        parameters={**_OF_PARTY, "window": "WINDOW_ROLLING_DAY", "limit": "1000000"},
        answer={
            "used": "61250",
            "held": "2",
            "level": "USAGE_LEVEL_BELOW",
            "notice": False,
            "at": "2026-11-26T12:00:00Z",
            "revision": _REVISION,
        },
    ),
}
"""By service and RPC."""
