"""What tests of the switches say to the page and to the services."""

from collections.abc import Mapping
from typing import Any

from services.console.settings_page.switches import TRAINING as BOTH
from sluice.consent.v1 import choice_pb2, consent_service_pb2, policy_pb2
from sluice.licensing.v1 import contract_service_pb2, license_pb2, release_service_pb2
from sluice.type.v1 import purpose_pb2
from tests.support.cluster import Cluster, a_post, some_terms
from tests.support.page_texts import NOTICES, a_page_policy, digest_of

GENERATIVE, OTHER = BOTH
SHARING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING
OPT_IN, OPT_OUT = policy_pb2.REGIME_OPT_IN, policy_pb2.REGIME_OPT_OUT
PROHIBITED = policy_pb2.REGIME_PROHIBITED
EVERYTHING = (1, 2, 3, 4, 5, 6, 7)
ALL_TRAINING = "AI training, for everyone"
SERVED = digest_of(NOTICES["en"])


async def a_policy(
    cluster: Cluster,
    regime: policy_pb2.Regime = OPT_OUT,
    others: Mapping[int, policy_pb2.Regime] | None = None,
    **more: Any,
) -> None:
    """A policy with this regime for everything but `others`."""
    regimes = {**dict.fromkeys(EVERYTHING, regime), **(others or {})}
    await cluster.publish(a_page_policy(cluster.clock, regimes, **more))


async def an_informed(cluster: Cluster, subject_id: int = 7, **fields: Any) -> None:
    """A subject in the US who was served the notice."""
    await cluster.know(subject_id, **{"notice_digests": [SERVED], **fields})


async def a_licensee(cluster: Cluster, licensee_id: str, name: str, **terms: Any) -> None:
    """A licensee with a license to train, in force, that is called ID-training."""
    licensee = license_pb2.Licensee(licensee_id=licensee_id, display_name=name)
    await cluster.contracts(
        "CreateLicensee",
        contract_service_pb2.CreateLicenseeRequest(request_id=cluster.new_id(), licensee=licensee),
    )
    created = await cluster.contracts(
        "CreateLicense",
        contract_service_pb2.CreateLicenseRequest(
            request_id=cluster.new_id(),
            license_id=f"{licensee_id}-training",
            terms=some_terms(licensee_id=licensee_id, **terms),
        ),
    )
    await cluster.activate(created.license)


async def released(cluster: Cluster, licensee_id: str = "acme", author_id: int = 7) -> bool:
    """Whether the next decision releases a post of somebody to a licensee."""
    decision = await cluster.decide([a_post(1, author_id)], license_id=f"{licensee_id}-training")
    return decision.outcome == release_service_pb2.OUTCOME_RELEASED


async def on_record(cluster: Cluster, subject_id: int = 7) -> list[choice_pb2.RecordedChoice]:
    """All choices of a subject, the newest first."""
    peer = cluster._operator_of_consent
    from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub

    request = consent_service_pb2.ListChoiceHistoryRequest(subject_id=subject_id)
    return list((await peer.call(ConsentServiceStub(peer.channel).ListChoiceHistory, request)).choices)
