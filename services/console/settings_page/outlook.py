"""All that the page of a subject is made from, asked of the services side by side.

Consent alone must answer: whoever can reach it can say no. Who may receive posts is asked of licensing, which
may not be there; then those remain that choices and halts name.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, unavailable
from services.console.web.asking import Missing, asked
from services.console.web.calling import Services
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import policy_pb2, standing_pb2
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.licensing.v1 import contract_service_pb2 as contract_pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub

LICENSEES_ON_A_PAGE = 20
POLICIES_AT_ONCE = 10
MOST_PAGES = 100
"""Of policies that are looked through for the one in force: a thousand that are announced are a fault."""
LICENSING_US = 2_000_000
"""So long, in microseconds, does a page wait for the list of licensees."""


@dataclass(frozen=True)
class Policies:
    """The policy in force, and what comes after it."""

    in_force: policy_pb2.Policy | None
    announced: tuple[policy_pb2.Policy, ...]
    """By the time at which they take effect."""


@dataclass(frozen=True)
class Outlook:
    """How things stand for a subject."""

    standing: standing_pb2.GetStandingResponse
    choices: pb.GetChoicesResponse
    """Empty for somebody of whom nothing is on record."""
    policies: Policies
    recipients: contract_pb.ListRecipientsResponse | Missing
    """A page of those who may receive posts."""


async def outlook_of(
    services: Services, subject_id: int, page_token: str, also: Sequence[str] = ()
) -> Outlook:
    """Asks; `page_token` is that of the list of licensees, `also` are others to answer for.

    Raises Refusal where consent gives no answer.
    """
    consent, licensing = services.peer("consent"), services.peer("licensing")
    recipients = await asked(recipients_of(licensing, page_token, LICENSEES_ON_A_PAGE))
    ids = [each.licensee_id for each in recipients.recipients] if not isinstance(recipients, Missing) else []
    standing = await standing_of(consent, subject_id, sorted({*ids, *also}))
    choices, policies = await asyncio.gather(
        choices_of(consent, subject_id), policies_of(consent, standing.policy_version)
    )
    return Outlook(standing, choices, policies, recipients)


async def standing_of(
    consent: Peer, subject_id: int, licensees: Sequence[str]
) -> standing_pb2.GetStandingResponse:
    """What follows for a subject, also for these licensees; raises Refusal."""
    request = standing_pb2.GetStandingRequest(subject_id=subject_id, licensee_ids=licensees)
    return await consent.call(ConsentServiceStub(consent.channel).GetStanding, request)


async def recipients_of(licensing: Peer, page_token: str, size: int) -> contract_pb.ListRecipientsResponse:
    """A page of those who may receive posts, soon or not at all; raises Refusal."""
    request = contract_pb.ListRecipientsRequest(page_size=size, page_token=page_token)
    stub = ContractServiceStub(licensing.channel)
    return await licensing.call(stub.ListRecipients, request, at_most_us=LICENSING_US)


async def choices_of(consent: Peer, subject_id: int) -> pb.GetChoicesResponse:
    """The choices that still matter; none for somebody of whom nothing is on record. Raises Refusal."""
    request = pb.GetChoicesRequest(subject_id=subject_id)
    try:
        return await consent.call(ConsentServiceStub(consent.channel).GetChoices, request)
    except Refusal as refusal:
        # Nothing is on record of them yet; a no of theirs can be, before the platform says who they are.
        if refusal.reason != "SUBJECT_UNKNOWN":
            raise
        return pb.GetChoicesResponse()


async def policies_of(consent: Peer, version: int) -> Policies:
    """The version in force and those that are to come, which are all newer; 0 where none is in force.

    Raises Refusal, also (unavailable, PEER_ANSWER_INVALID) for a list that has no end.
    """
    announced = list[policy_pb2.Policy]()
    page_token = ""
    for _ in range(MOST_PAGES):
        request = pb.ListPoliciesRequest(page_size=POLICIES_AT_ONCE, page_token=page_token)
        page = await consent.call(ConsentServiceStub(consent.channel).ListPolicies, request)
        for policy in page.policies:
            if policy.version == version:
                return Policies(policy, tuple(announced))
            if not policy.HasField("activated_at") and not policy.HasField("retracted_at"):
                announced.insert(0, policy)
        page_token = page.next_page_token
        if not page_token:
            return Policies(None, tuple(announced))
    raise unavailable("PEER_ANSWER_INVALID", f"consent lists more than {MOST_PAGES} pages of policies")
