"""Who may call which RPC of licensing; one without an entry is open to nobody."""

from services.chassis.identity import AdmissionTable, PrincipalKind, admit, admit_anyone

_AUDITS = "/sluice.licensing.v1.AuditService"
_BILLING = "/sluice.licensing.v1.BillingService"
_CONTRACTS = "/sluice.licensing.v1.ContractService"
_DISCLOSURES = "/sluice.licensing.v1.DisclosureService"
_DELIVERIES = "/sluice.licensing.v1.DeliveryService"
_EXPLANATIONS = "/sluice.licensing.v1.ExplanationService"
_LOG = "/sluice.licensing.v1.LogService"
_MANIFESTS = "/sluice.licensing.v1.ManifestService"
_STATISTICS = "/sluice.licensing.v1.StatisticsService"
_AFFILIATES = "/sluice.licensing.v1.AffiliateService"
_KEYS = "/sluice.licensing.v1.ApiKeyService"
_RECALLS = "/sluice.licensing.v1.RecallService"
_RELEASES = "/sluice.licensing.v1.ReleaseService"
_WEBHOOKS = "/sluice.licensing.v1.WebhookService"
_TOKENS = "/sluice.licensing.v1.TokenService"

_LEGAL = admit(PrincipalKind.OPERATOR, roles=("legal", "admin"))
_LEGAL_OR_TRUST = admit(PrincipalKind.OPERATOR, roles=("legal", "admin", "trust"))
_OWN_OR_LEGAL = admit(
    PrincipalKind.SUBJECT, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, roles=("legal", "admin", "trust")
)
_FINANCE = admit(PrincipalKind.OPERATOR, roles=("finance", "admin"))
_FINANCE_OR_AUDITOR = admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, roles=("finance", "admin"))
_READERS = (PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, PrincipalKind.LICENSEE)
_TRYING = (PrincipalKind.LICENSEE,)

ADMISSIONS: AdmissionTable = {
    f"{_AUDITS}/AuditLedger": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_BILLING}/DraftInvoice": _FINANCE,
    f"{_BILLING}/DiscardDraft": _FINANCE,
    f"{_BILLING}/FinalizeInvoice": _FINANCE,
    f"{_BILLING}/IssueCreditNote": _FINANCE,
    # A licensee sees their own final ones alone.
    f"{_BILLING}/GetInvoice": admit(*_READERS),
    f"{_BILLING}/GetCreditNote": admit(*_READERS),
    f"{_BILLING}/ListInvoices": admit(*_READERS),
    f"{_BILLING}/ListCreditNotes": admit(*_READERS),
    f"{_BILLING}/GetRevenue": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_BILLING}/ListDuePeriods": _FINANCE_OR_AUDITOR,
    f"{_BILLING}/PreviewInvoice": _FINANCE_OR_AUDITOR,
    f"{_CONTRACTS}/CreateLicensee": _LEGAL,
    # Who else is a licensee is no licensee's business.
    f"{_CONTRACTS}/ListLicensees": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_CONTRACTS}/CreateLicense": _LEGAL,
    f"{_CONTRACTS}/CheckTerms": admit(PrincipalKind.OPERATOR),
    f"{_CONTRACTS}/AmendLicense": _LEGAL,
    f"{_CONTRACTS}/WithdrawAmendment": _LEGAL,
    f"{_CONTRACTS}/ActivateLicense": _LEGAL,
    f"{_CONTRACTS}/SuspendLicense": _LEGAL_OR_TRUST,
    f"{_CONTRACTS}/ResumeLicense": _LEGAL,
    f"{_CONTRACTS}/TerminateLicense": _LEGAL,
    # A licensee sees their own alone; with a sandbox key too, whose token they want to see at work.
    f"{_CONTRACTS}/GetLicense": admit(*_READERS, PrincipalKind.PIPELINE, sandbox=_TRYING),
    f"{_CONTRACTS}/ListLicenses": admit(*_READERS, sandbox=_TRYING),
    f"{_CONTRACTS}/ListLicenseVersions": admit(*_READERS, sandbox=_TRYING),
    # Who decided what about a license, and why, is for the platform and those who audit it.
    f"{_CONTRACTS}/ListLicenseChanges": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_AFFILIATES}/AddAffiliate": _LEGAL,
    f"{_AFFILIATES}/RemoveAffiliate": _LEGAL,
    # A licensee sees their own alone.
    f"{_AFFILIATES}/ListAffiliates": admit(*_READERS),
    f"{_KEYS}/CreateApiKey": _LEGAL,
    # Whoever sees that a key has leaked must be able to stop it at once.
    f"{_KEYS}/RevokeApiKey": _LEGAL_OR_TRUST,
    # A licensee sees their own alone.
    f"{_KEYS}/ListApiKeys": admit(*_READERS),
    # How a caller becomes known, and how others know them.
    f"{_TOKENS}/GetToken": admit_anyone(),
    f"{_TOKENS}/GetJwks": admit_anyone(),
    # The only ones who may say who wrote a post. In the sandbox, nothing follows from it.
    f"{_RELEASES}/Decide": admit(PrincipalKind.PIPELINE, sandbox=[PrincipalKind.PIPELINE]),
    f"{_RELEASES}/DecideStream": admit(PrincipalKind.PIPELINE),
    f"{_RELEASES}/ConfirmDelivery": admit(PrincipalKind.PIPELINE),
    f"{_RELEASES}/CheckAttempts": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_RELEASES}/GetDecision": admit(PrincipalKind.PIPELINE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    # It tells exact reasons, and an auditor has only the coarse ones.
    f"{_EXPLANATIONS}/ExplainRelease": admit(PrincipalKind.PIPELINE, PrincipalKind.OPERATOR),
    # An auditor is told coarse verdicts only.
    f"{_STATISTICS}/GetDecisionStats": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_STATISTICS}/RebuildDecisionStats": admit(PrincipalKind.OPERATOR, roles=("admin",)),
    # What the log has committed itself to is for everybody to compare.
    f"{_LOG}/GetCheckpoint": admit(*PrincipalKind),
    f"{_LOG}/GetConsistencyProof": admit(*PrincipalKind),
    f"{_LOG}/ListRestores": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    # A licensee and a pipeline get those of their own decisions alone.
    f"{_LOG}/GetInclusionProof": admit(*_READERS, PrincipalKind.PIPELINE),
    # About themselves, and for their own decisions. A licensee would learn who is in what they received.
    f"{_MANIFESTS}/GetManifestProof": admit(
        PrincipalKind.SUBJECT, PrincipalKind.PIPELINE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR
    ),
    # A subject sees their own alone.
    f"{_DISCLOSURES}/ListSubjectReleases": _OWN_OR_LEGAL,
    f"{_DISCLOSURES}/GetSubjectSummary": _OWN_OR_LEGAL,
    f"{_DISCLOSURES}/RebuildReleaseIndex": admit(PrincipalKind.OPERATOR, roles=("admin",)),
    f"{_DELIVERIES}/CountersignDelivery": admit(PrincipalKind.LICENSEE),
    # A licensee sees their own alone.
    f"{_DELIVERIES}/ListDeliveryDifferences": admit(*_READERS),
    # A licensee sees and answers their own alone.
    f"{_RECALLS}/ListRecalls": admit(*_READERS),
    f"{_RECALLS}/GetRecall": admit(*_READERS),
    f"{_RECALLS}/ListRecallEntries": admit(*_READERS),
    f"{_RECALLS}/WatchRecalls": admit(*_READERS),
    f"{_RECALLS}/AcknowledgeRecall": admit(PrincipalKind.LICENSEE),
    f"{_RECALLS}/ResolveRecall": admit(PrincipalKind.LICENSEE),
    # When the platform knew and what it let go all the same is for the platform and those who audit it.
    f"{_RECALLS}/ListReleaseGaps": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_RECALLS}/GetRecallProgress": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_WEBHOOKS}/PutRecallWebhook": _LEGAL_OR_TRUST,
    f"{_WEBHOOKS}/RotateRecallWebhookSecret": _LEGAL_OR_TRUST,
    f"{_WEBHOOKS}/RemoveRecallWebhook": _LEGAL_OR_TRUST,
    # A licensee sees their own alone.
    f"{_WEBHOOKS}/ListRecallWebhooks": admit(*_READERS),
}
