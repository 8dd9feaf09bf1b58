"""What operators do, by the RPC that does it: its name without a slash before it, to an English phrase."""

from collections.abc import Mapping

from services.chassis.actions import Outcome
from services.console.waterfall import short_name
from services.console.web.reading import Reader

METHODS: Mapping[str, str] = {
    "sluice.consent.v1.ConsentService/RecordChoice": "Record a choice",
    "sluice.consent.v1.ConsentService/RecordSignals": "Record signals",
    "sluice.consent.v1.ConsentService/RecordChoices": "Record choices",
    "sluice.consent.v1.ConsentService/ImportSubjects": "Import subjects",
    "sluice.consent.v1.ConsentService/PublishPolicy": "Publish a policy",
    "sluice.consent.v1.ConsentService/RetractPolicy": "Retract a policy",
    "sluice.consent.v1.StateService/RecordStates": "Record states of subjects and posts",
    "sluice.consent.v1.StateService/OrderHalt": "Order a halt",
    "sluice.consent.v1.StateService/LiftHalt": "Lift a halt",
    "sluice.consent.v1.SubjectService/EraseSubject": "Erase a subject",
    "sluice.metering.v1.DamagesService/PutDamagesPolicy": "Put a damages policy on record",
    "sluice.metering.v1.DamagesService/RecordAssessment": "Put an assessment on record",
    "sluice.metering.v1.DisputeService/ProposeStep": "Propose a step about an assessment",
    "sluice.metering.v1.DisputeService/DecideStep": "Approve or reject a step about an assessment",
    "sluice.metering.v1.DisputeService/RecordNotice": "Put a notice to a party on record",
    "sluice.metering.v1.PartyService/PutParty": "Describe a party",
    "sluice.metering.v1.PartyService/MoveParty": "Move a party to another group",
    "sluice.metering.v1.UsageService/ReportAccesses": "Report accesses seen elsewhere",
    "sluice.metering.v1.UsageService/RebuildProjections": "Rebuild sums of usage",
    "sluice.licensing.v1.AffiliateService/AddAffiliate": "Add an affiliate to a licensee",
    "sluice.licensing.v1.AffiliateService/RemoveAffiliate": "Remove an affiliate from a licensee",
    "sluice.licensing.v1.BillingService/DraftInvoice": "Draft an invoice",
    "sluice.licensing.v1.BillingService/DiscardDraft": "Discard a draft of an invoice",
    "sluice.licensing.v1.BillingService/FinalizeInvoice": "Make an invoice final",
    "sluice.licensing.v1.BillingService/IssueCreditNote": "Issue a credit note",
    "sluice.licensing.v1.ContractService/CreateLicensee": "Add a licensee",
    "sluice.licensing.v1.ContractService/CreateLicense": "Draft a license",
    "sluice.licensing.v1.ContractService/AmendLicense": "Amend a license",
    "sluice.licensing.v1.ContractService/WithdrawAmendment": "Withdraw an amendment",
    "sluice.licensing.v1.ContractService/ActivateLicense": "Activate a license",
    "sluice.licensing.v1.ContractService/SuspendLicense": "Suspend a license",
    "sluice.licensing.v1.ContractService/ResumeLicense": "Resume a license",
    "sluice.licensing.v1.ContractService/TerminateLicense": "End a license for good",
    "sluice.licensing.v1.DisclosureService/RebuildReleaseIndex": "Rebuild the index of releases",
    "sluice.licensing.v1.ApiKeyService/CreateApiKey": "Make an API key",
    "sluice.licensing.v1.ApiKeyService/RevokeApiKey": "Revoke an API key",
    "sluice.licensing.v1.StatisticsService/RebuildDecisionStats": "Rebuild sums of decisions",
    "sluice.licensing.v1.WallService/RaiseWall": "Raise the login wall",
    "sluice.licensing.v1.WallService/LowerWall": "Lower the login wall",
    "sluice.licensing.v1.WebhookService/PutRecallWebhook": "Set a webhook for recalls",
    "sluice.licensing.v1.WebhookService/RotateRecallWebhookSecret": "Make a new secret for a webhook",
    "sluice.licensing.v1.WebhookService/RemoveRecallWebhook": "Remove a webhook",
}

OUTCOMES: Mapping[int, str] = {
    Outcome.DONE: "Done",
    Outcome.REFUSED: "Refused, nothing was changed",
    Outcome.UNKNOWN: "Broke off: whether anything was changed is not known",
}
"""`sluice.type.v1.ActionOutcome`."""


def method_word(reader: Reader, method: str) -> str:
    """What an RPC does; its own short name where this page has no phrase for it."""
    return reader.say(METHODS[method]) if method in METHODS else short_name(method)
