"""ConsentService as gRPC sees it: each call translated to the recipes and back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.identity import current_principal
from services.chassis.replays import checked_replay_key
from services.chassis.telemetry import set_attributes
from services.consent.custodian import Custodian
from services.consent.registrar import POLICIES_A_PAGE, Registrar
from services.consent.rpc import answers, records, requests, rows, standings
from services.consent.rpc.halts import halts_of
from services.consent.rpc.signals import objections
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import explanation_pb2, standing_pb2
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceServicer

SERVICE = "sluice.consent.v1.ConsentService"
POSTS_ASKED = "sluice.posts_asked"
CONSENT_REVISION = "sluice.consent_revision"
"""Attributes of a check's span."""

_Context: TypeAlias = ServicerContext[Any, Any]


class ConsentServicer(ConsentServiceServicer):
    """Translates between the contract and the recipes."""

    def __init__(self, registrar: Registrar, custodian: Custodian, clock: Clock) -> None:
        self._registrar = registrar
        self._custodian = custodian
        self._clock = clock

    async def CheckConsent(  # noqa: N802
        self, request: pb.CheckConsentRequest, context: _Context
    ) -> pb.CheckConsentResponse:
        """A reason for each post."""
        question, batch = requests.question(request), requests.batch(request)
        answer = await self._registrar.check(question, batch, halts_of(request))
        set_attributes({POSTS_ASKED: len(answer.reasons), CONSENT_REVISION: answer.revision.number})
        return answers.checked(answer)

    async def GetCaller(  # noqa: N802
        self, request: pb.GetCallerRequest, context: _Context
    ) -> pb.GetCallerResponse:
        """Who the token says that they are."""
        return answers.caller(current_principal())

    async def RecordChoice(  # noqa: N802
        self, request: pb.RecordChoiceRequest, context: _Context
    ) -> pb.RecordChoiceResponse:
        """One choice, a subject's own or one that an agent or an operator records for them."""
        key = checked_replay_key("RecordChoice", request, self._clock.now_us())
        requests.check_own(request.choice.subject_id)
        draft = rows.live_choice(request.choice, current_principal().kind)
        return answers.recorded(await self._registrar.record(draft, key))

    async def RecordSignals(  # noqa: N802
        self, request: pb.RecordSignalsRequest, context: _Context
    ) -> pb.RecordSignalsResponse:
        """What a browser or a site objects to."""
        key = checked_replay_key("RecordSignals", request, self._clock.now_us())
        requests.check_own(request.subject_id)
        signals = objections(request.sec_gpc, request.content_usage)
        acknowledged = await self._registrar.object(request.subject_id, request.source, signals, key)
        recorded = acknowledged.outcome.recorded
        above = max(recorded, default=0) + 1
        choices, _ = await self._custodian.choices(request.subject_id, above, len(recorded))
        return records.objected(request.subject_id, acknowledged, choices)

    async def RecordChoices(  # noqa: N802
        self, pages: AsyncIterator[pb.RecordChoicesRequest], context: _Context
    ) -> AsyncIterator[pb.RecordChoicesResponse]:
        """Good rows go in, bad ones are listed; a page is answered before the next one is read."""
        async for page in pages:
            key = checked_replay_key("RecordChoices", page, self._clock.now_us())
            # Reading ten thousand rows takes a while, in which others are to be answered.
            good, bad = await asyncio.to_thread(rows.choices, page.rows)
            yield answers.choices_imported(await self._registrar.import_choices(good, key), bad)

    async def GetChoices(  # noqa: N802
        self, request: pb.GetChoicesRequest, context: _Context
    ) -> pb.GetChoicesResponse:
        """What still matters of what a subject chose."""
        requests.check_own(request.subject_id)
        return records.standing(request.subject_id, *await self._custodian.standing(request.subject_id))

    async def GetStanding(  # noqa: N802
        self, request: standing_pb2.GetStandingRequest, context: _Context
    ) -> standing_pb2.GetStandingResponse:
        """What follows for a subject, by licensee and purpose."""
        requests.check_own(request.subject_id)
        told = await self._custodian.standing_now(request.subject_id, request.licensee_ids)
        return standings.standing_now(told)

    async def ListChoiceHistory(  # noqa: N802
        self, request: pb.ListChoiceHistoryRequest, context: _Context
    ) -> pb.ListChoiceHistoryResponse:
        """Everything that a subject ever chose."""
        requests.check_own(request.subject_id)
        below = requests.number_of(request.page_token)
        size = request.page_size or POLICIES_A_PAGE
        page, revision = await self._custodian.choices(request.subject_id, below, size + 1)
        return records.history(request.subject_id, page, size, revision)

    async def ExplainConsent(  # noqa: N802
        self, request: explanation_pb2.ExplainConsentRequest, context: _Context
    ) -> explanation_pb2.ExplainConsentResponse:
        """Which record decided, by which rule."""
        question, as_of_us = requests.explained_question(request), requests.as_of(request)
        return records.explained(
            await self._custodian.explain(request.subject_id, request.post_id, question, as_of_us)
        )

    async def ImportSubjects(  # noqa: N802
        self, request: pb.ImportSubjectsRequest, context: _Context
    ) -> pb.ImportSubjectsResponse:
        """Good rows go in, bad ones are listed."""
        key = checked_replay_key("ImportSubjects", request, self._clock.now_us())
        good, bad = await asyncio.to_thread(rows.subjects, request.rows)
        return answers.subjects_imported(await self._registrar.import_subjects(good, key), bad)

    async def PublishPolicy(  # noqa: N802
        self, request: pb.PublishPolicyRequest, context: _Context
    ) -> pb.PublishPolicyResponse:
        """Announces a version."""
        key = checked_replay_key("PublishPolicy", request, self._clock.now_us())
        acknowledged = await self._registrar.publish(requests.policy(request.policy), key)
        (policy,) = await self._registrar.policies(acknowledged.outcome.version + 1, 1)
        return answers.published(acknowledged, policy)

    async def RetractPolicy(  # noqa: N802
        self, request: pb.RetractPolicyRequest, context: _Context
    ) -> pb.RetractPolicyResponse:
        """Retracts an announced version."""
        key = checked_replay_key("RetractPolicy", request, self._clock.now_us())
        retracted = await self._registrar.retract(request.version, key)
        (policy,) = await self._registrar.policies(retracted.version + 1, 1)
        return answers.retracted(retracted, policy)

    async def ListPolicies(  # noqa: N802
        self, request: pb.ListPoliciesRequest, context: _Context
    ) -> pb.ListPoliciesResponse:
        """Newest first."""
        below = requests.number_of(request.page_token, requests.LARGEST_VERSION)
        size = request.page_size or POLICIES_A_PAGE
        # One more than is shown says whether there is another page.
        return answers.listed(await self._registrar.policies(below, size + 1), size)
