"""What operators do, by the RPC that does it: its name without a slash before it, to an English phrase."""

from collections.abc import Mapping

from services.chassis.actions import Outcome
from services.console.waterfall import short_name
from services.console.web.reading import Reader, msgid

METHODS: Mapping[str, str] = {
    "sluice.consent.v1.ConsentService/RecordChoice": msgid("Record a choice"),
    "sluice.consent.v1.ConsentService/RecordSignals": msgid("Record signals"),
    "sluice.consent.v1.ConsentService/RecordChoices": msgid("Record choices"),
    "sluice.consent.v1.ConsentService/ImportSubjects": msgid("Import subjects"),
    "sluice.consent.v1.ConsentService/PublishPolicy": msgid("Publish a policy"),
    "sluice.consent.v1.ConsentService/RetractPolicy": msgid("Retract a policy"),
    "sluice.consent.v1.StateService/RecordStates": msgid("Record states of subjects and posts"),
    "sluice.consent.v1.StateService/OrderHalt": msgid("Order a halt"),
    "sluice.consent.v1.StateService/LiftHalt": msgid("Lift a halt"),
    "sluice.consent.v1.SubjectService/EraseSubject": msgid("Erase a subject"),
    "sluice.metering.v1.DamagesService/PutDamagesPolicy": msgid("Put a damages policy on record"),
    "sluice.metering.v1.DamagesService/RecordAssessment": msgid("Put an assessment on record"),
    "sluice.metering.v1.DisputeService/ProposeStep": msgid("Propose a step about an assessment"),
    "sluice.metering.v1.DisputeService/DecideStep": msgid("Approve or reject a step about an assessment"),
    "sluice.metering.v1.DisputeService/RecordNotice": msgid("Put a notice to a party on record"),
    "sluice.metering.v1.PartyService/PutParty": msgid("Describe a party"),
    "sluice.metering.v1.PartyService/MoveParty": msgid("Move a party to another group"),
    "sluice.metering.v1.UsageService/ReportAccesses": msgid("Report accesses seen elsewhere"),
    "sluice.metering.v1.UsageService/RebuildProjections": msgid("Rebuild sums of usage"),
    "sluice.licensing.v1.AffiliateService/AddAffiliate": msgid("Add an affiliate to a licensee"),
    "sluice.licensing.v1.AffiliateService/RemoveAffiliate": msgid("Remove an affiliate from a licensee"),
    "sluice.licensing.v1.BillingService/DraftInvoice": msgid("Draft an invoice"),
    "sluice.licensing.v1.BillingService/DiscardDraft": msgid("Discard a draft of an invoice"),
    "sluice.licensing.v1.BillingService/FinalizeInvoice": msgid("Make an invoice final"),
    "sluice.licensing.v1.BillingService/IssueCreditNote": msgid("Issue a credit note"),
    "sluice.licensing.v1.ContractService/CreateLicensee": msgid("Add a licensee"),
    "sluice.licensing.v1.ContractService/CreateLicense": msgid("Draft a license"),
    "sluice.licensing.v1.ContractService/AmendLicense": msgid("Amend a license"),
    "sluice.licensing.v1.ContractService/WithdrawAmendment": msgid("Withdraw an amendment"),
    "sluice.licensing.v1.ContractService/ActivateLicense": msgid("Activate a license"),
    "sluice.licensing.v1.ContractService/SuspendLicense": msgid("Suspend a license"),
    "sluice.licensing.v1.ContractService/ResumeLicense": msgid("Resume a license"),
    "sluice.licensing.v1.ContractService/TerminateLicense": msgid("End a license for good"),
    "sluice.licensing.v1.DisclosureService/RebuildReleaseIndex": msgid("Rebuild the index of releases"),
    "sluice.licensing.v1.ApiKeyService/CreateApiKey": msgid("Make an API key"),
    "sluice.licensing.v1.ApiKeyService/RevokeApiKey": msgid("Revoke an API key"),
    "sluice.licensing.v1.StatisticsService/RebuildDecisionStats": msgid("Rebuild sums of decisions"),
    "sluice.licensing.v1.WallService/RaiseWall": msgid("Raise the login wall"),
    "sluice.licensing.v1.WallService/LowerWall": msgid("Lower the login wall"),
    "sluice.licensing.v1.WebhookService/PutRecallWebhook": msgid("Set a webhook for recalls"),
    "sluice.licensing.v1.WebhookService/RotateRecallWebhookSecret": msgid("Make a new secret for a webhook"),
    "sluice.licensing.v1.WebhookService/RemoveRecallWebhook": msgid("Remove a webhook"),
}

OUTCOMES: Mapping[int, str] = {
    Outcome.DONE: msgid("Done"),
    Outcome.REFUSED: msgid("Refused, nothing was changed"),
    Outcome.UNKNOWN: msgid("Broke off: whether anything was changed is not known"),
}
"""`sluice.type.v1.ActionOutcome`."""


def method_word(reader: Reader, method: str) -> str:
    """What an RPC does; its own short name where this page has no phrase for it."""
    return reader.say(METHODS[method]) if method in METHODS else short_name(method)
