"""ConsentService as gRPC sees it: who may call what, and each call translated to the registrar and back."""

import asyncio
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.identity import AdmissionTable, PrincipalKind, admit, current_principal
from services.chassis.telemetry import set_attributes
from services.consent.domain.choices import subject_unknown
from services.consent.registrar import POLICIES_A_PAGE, Registrar
from services.consent.rpc import answers, requests, rows
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceServicer

SERVICE = "sluice.consent.v1.ConsentService"

_TRUST = ("trust", "admin")
_IMPORTERS = admit(PrincipalKind.PIPELINE, PrincipalKind.OPERATOR, roles=_TRUST)
ADMISSIONS: AdmissionTable = {
    f"/{SERVICE}/CheckConsent": admit(PrincipalKind.SERVICE),
    f"/{SERVICE}/RecordChoice": admit(PrincipalKind.SUBJECT, PrincipalKind.OPERATOR, roles=_TRUST),
    f"/{SERVICE}/ImportChoices": _IMPORTERS,
    f"/{SERVICE}/ImportSubjects": _IMPORTERS,
    f"/{SERVICE}/PublishPolicy": admit(PrincipalKind.OPERATOR, roles=(*_TRUST, "legal")),
    f"/{SERVICE}/ListPolicies": admit(*PrincipalKind),
}

_Context: TypeAlias = ServicerContext[Any, Any]


class ConsentServicer(ConsentServiceServicer):
    """Translates between the contract and the registrar."""

    def __init__(self, registrar: Registrar, clock: Clock) -> None:
        self._registrar = registrar
        self._clock = clock

    async def CheckConsent(  # noqa: N802
        self, request: pb.CheckConsentRequest, context: _Context
    ) -> pb.CheckConsentResponse:
        """A reason for each post."""
        question, batch = requests.question(request), requests.batch(request)
        answer = await self._registrar.check(question, batch)
        set_attributes(
            sluice__posts_asked=len(answer.reasons), sluice__consent_revision=answer.revision.number
        )
        return answers.checked(answer)

    async def RecordChoice(  # noqa: N802
        self, request: pb.RecordChoiceRequest, context: _Context
    ) -> pb.RecordChoiceResponse:
        """One choice, a subject's own or one that an operator records for them."""
        key = requests.replay_key("RecordChoice", request, self._clock.now_us())
        _check_own(request.choice.subject_id)
        return answers.recorded(await self._registrar.record(rows.live_choice(request.choice), key))

    async def ImportChoices(  # noqa: N802
        self, request: pb.ImportChoicesRequest, context: _Context
    ) -> pb.ImportChoicesResponse:
        """Good rows go in, bad ones are listed."""
        key = requests.replay_key("ImportChoices", request, self._clock.now_us())
        # Reading ten thousand rows takes a while, in which others are to be answered.
        good, bad = await asyncio.to_thread(rows.choices, request.rows)
        return answers.choices_imported(await self._registrar.import_choices(good, key), bad)

    async def ImportSubjects(  # noqa: N802
        self, request: pb.ImportSubjectsRequest, context: _Context
    ) -> pb.ImportSubjectsResponse:
        """Good rows go in, bad ones are listed."""
        key = requests.replay_key("ImportSubjects", request, self._clock.now_us())
        good, bad = await asyncio.to_thread(rows.subjects, request.rows)
        return answers.subjects_imported(await self._registrar.import_subjects(good, key), bad)

    async def PublishPolicy(  # noqa: N802
        self, request: pb.PublishPolicyRequest, context: _Context
    ) -> pb.PublishPolicyResponse:
        """Announces a version."""
        key = requests.replay_key("PublishPolicy", request, self._clock.now_us())
        acknowledged = await self._registrar.publish(requests.policy(request.policy), key)
        (policy,) = await self._registrar.policies(acknowledged.outcome.version + 1, 1)
        return answers.published(acknowledged, policy)

    async def ListPolicies(  # noqa: N802
        self, request: pb.ListPoliciesRequest, context: _Context
    ) -> pb.ListPoliciesResponse:
        """Newest first."""
        below = requests.version_of(request.page_token)
        size = request.page_size or POLICIES_A_PAGE
        # One more than is shown says whether there is another page.
        return answers.listed(await self._registrar.policies(below, size + 1), size)


def _check_own(subject_id: int) -> None:
    """A subject chooses for themselves alone; another's id looks like one that is not there."""
    principal = current_principal()
    if principal.kind is PrincipalKind.SUBJECT and principal.party != str(subject_id):
        raise subject_unknown()
