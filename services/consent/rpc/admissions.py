"""Who may call which RPC of consent; one without an entry is open to nobody."""

from services.chassis.identity import AdmissionTable, PrincipalKind, admit

_CONSENT = "/sluice.consent.v1.ConsentService"
_STATES = "/sluice.consent.v1.StateService"
_SUBJECTS = "/sluice.consent.v1.SubjectService"

_TRUST = ("trust", "admin")
_LEGAL = (*_TRUST, "legal")
_FEEDERS = admit(PrincipalKind.PIPELINE, PrincipalKind.OPERATOR, roles=_TRUST)
# A subject sees and changes their own alone.
_OWN_OR_TRUST = admit(PrincipalKind.SUBJECT, PrincipalKind.OPERATOR, roles=_TRUST)
_OWN_OR_LEGAL = admit(PrincipalKind.SUBJECT, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, roles=_LEGAL)

ADMISSIONS: AdmissionTable = {
    f"{_CONSENT}/CheckConsent": admit(PrincipalKind.SERVICE),
    f"{_CONSENT}/RecordChoice": _OWN_OR_TRUST,
    f"{_CONSENT}/RecordSignals": admit(
        PrincipalKind.SUBJECT, PrincipalKind.PIPELINE, PrincipalKind.OPERATOR, roles=_TRUST
    ),
    f"{_CONSENT}/RecordChoices": _FEEDERS,
    f"{_CONSENT}/GetChoices": _OWN_OR_LEGAL,
    f"{_CONSENT}/ListChoiceHistory": _OWN_OR_LEGAL,
    f"{_CONSENT}/ExplainConsent": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, roles=_LEGAL),
    f"{_CONSENT}/ImportSubjects": _FEEDERS,
    f"{_CONSENT}/PublishPolicy": admit(PrincipalKind.OPERATOR, roles=_LEGAL),
    f"{_CONSENT}/RetractPolicy": admit(PrincipalKind.OPERATOR, roles=_LEGAL),
    f"{_CONSENT}/ListPolicies": admit(*PrincipalKind),
    f"{_STATES}/RecordStates": _FEEDERS,
    f"{_STATES}/OrderHalt": admit(PrincipalKind.OPERATOR, roles=_LEGAL),
    f"{_STATES}/LiftHalt": admit(PrincipalKind.OPERATOR, roles=_LEGAL),
    f"{_STATES}/ListHalts": admit(PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_STATES}/WatchWithdrawals": admit(
        PrincipalKind.SERVICE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR, roles=_LEGAL
    ),
    f"{_STATES}/ListRestores": admit(PrincipalKind.SERVICE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR),
    f"{_SUBJECTS}/ExportSubject": _OWN_OR_LEGAL,
    f"{_SUBJECTS}/EraseSubject": admit(PrincipalKind.OPERATOR, roles=_LEGAL),
}
