"""Who may call which RPC of metering; one without an entry is open to nobody."""

from services.chassis.identity import AdmissionTable, PrincipalKind, admit

_METERING = "/sluice.metering.v1.MeteringService"
_PARTIES = "/sluice.metering.v1.PartyService"
_DAMAGES = "/sluice.metering.v1.DamagesService"
_DISPUTES = "/sluice.metering.v1.DisputeService"
_USAGE = "/sluice.metering.v1.UsageService"

# Only licensing counts: it alone knows which attempt can still conclude (M2).
_WRITERS = admit(PrincipalKind.SERVICE)
_READERS = admit(PrincipalKind.SERVICE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR)

# Who is counted as one decides what a limit and a claim come to; licensing passes on what a contract says.
_ROSTER = admit(PrincipalKind.SERVICE, PrincipalKind.OPERATOR, roles=("legal", "finance", "admin"))

_REPORTERS = admit(
    *(PrincipalKind.PIPELINE, PrincipalKind.SERVICE, PrincipalKind.OPERATOR),
    roles=("trust", "legal", "admin"),
)
# A licensee sees their own alone.
_LOOKERS = admit(PrincipalKind.SERVICE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, PrincipalKind.LICENSEE)
# A claim is a legal act.
_CLAIMANTS = admit(PrincipalKind.OPERATOR, roles=("legal", "admin"))
_CLAIM_READERS = admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, roles=("legal", "finance", "admin"))

ADMISSIONS: AdmissionTable = {
    f"{_METERING}/Reserve": _WRITERS,
    f"{_METERING}/CheckRoom": _WRITERS,
    f"{_METERING}/Record": _WRITERS,
    f"{_METERING}/Settle": _WRITERS,
    f"{_METERING}/ReduceHold": _WRITERS,
    f"{_METERING}/Cancel": _WRITERS,
    f"{_METERING}/ListHolds": _READERS,
    f"{_METERING}/GetReservation": _READERS,
    f"{_METERING}/GetReservations": _READERS,
    f"{_METERING}/ListReservations": _READERS,
    f"{_PARTIES}/PutParty": _ROSTER,
    f"{_PARTIES}/MoveParty": _ROSTER,
    f"{_PARTIES}/GetParty": _READERS,
    f"{_PARTIES}/ListParties": _READERS,
    f"{_PARTIES}/ListMemberships": _READERS,
    f"{_DAMAGES}/PutDamagesPolicy": _CLAIMANTS,
    f"{_DAMAGES}/ListDamagesPolicies": _CLAIM_READERS,
    f"{_DAMAGES}/PreviewAssessment": _CLAIM_READERS,
    f"{_DAMAGES}/RecordAssessment": _CLAIMANTS,
    f"{_DAMAGES}/GetAssessment": _CLAIM_READERS,
    f"{_DAMAGES}/ReadDocument": _CLAIM_READERS,
    f"{_DAMAGES}/ListAssessments": _CLAIM_READERS,
    f"{_DAMAGES}/ReadEvidence": _CLAIM_READERS,
    f"{_DISPUTES}/ProposeStep": _CLAIMANTS,
    f"{_DISPUTES}/DecideStep": _CLAIMANTS,
    f"{_DISPUTES}/ListSteps": _CLAIM_READERS,
    f"{_DISPUTES}/RecordNotice": _CLAIMANTS,
    f"{_DISPUTES}/ListNotices": _CLAIM_READERS,
    f"{_USAGE}/ReportAccesses": _REPORTERS,
    f"{_USAGE}/QueryUsage": _LOOKERS,
    f"{_USAGE}/MaxWindow": _LOOKERS,
    f"{_USAGE}/WatchUsage": _LOOKERS,
    f"{_USAGE}/AuditUsage": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_USAGE}/ListRestores": _READERS,
    f"{_USAGE}/RebuildProjections": admit(PrincipalKind.OPERATOR, roles=("admin",)),
}
