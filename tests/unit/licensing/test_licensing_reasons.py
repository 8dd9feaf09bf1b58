"""The tables of numbers agree with the contracts, and what they do not know denies."""

import enum

import numpy as np
import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from services.licensing.domain.deliveries import DeliveryState
from services.licensing.domain.licenses import LicenseState
from services.licensing.domain.posts import ALL_MEDIA_FLAGS, LARGEST_KIND
from services.licensing.domain.reasons import COARSE, REASON_OF_CONSENT, Reason, Verdict
from services.licensing.domain.releases import Outcome
from services.licensing.domain.terms import ContentKind, Purpose, Template, Window
from sluice.consent.v1 import reason_pb2 as consent_reason_pb2
from sluice.licensing.v1 import license_pb2, reason_pb2, release_service_pb2
from sluice.type.v1 import content_pb2, purpose_pb2, window_pb2


@pytest.mark.parametrize(
    ("ours", "contract", "prefix"),
    [
        (Reason, reason_pb2.Reason, "REASON_"),
        (Verdict, reason_pb2.Verdict, "VERDICT_"),
        (Outcome, release_service_pb2.Outcome, "OUTCOME_"),
        (DeliveryState, release_service_pb2.DeliveryState, "DELIVERY_STATE_"),
        (LicenseState, license_pb2.LicenseState, "LICENSE_STATE_"),
        (Template, license_pb2.LicenseTemplate, "LICENSE_TEMPLATE_"),
        (Purpose, purpose_pb2.Purpose, "PURPOSE_"),
        (ContentKind, content_pb2.ContentKind, "CONTENT_KIND_"),
        (Window, window_pb2.Window, "WINDOW_"),
    ],
)
def test_numbers_are_those_of_the_contract(
    ours: type[enum.IntEnum], contract: EnumTypeWrapper, prefix: str
) -> None:
    named = {prefix + member.name: member.value for member in ours}

    published = {name: number for name, number in contract.items() if number != 0}
    assert {name: number for name, number in named.items() if number != 0} == published


def test_the_limits_of_faults_are_those_of_the_contract() -> None:
    assert max(content_pb2.ContentKind.values()) == LARGEST_KIND
    assert sum(content_pb2.MediaFlag.values()) == ALL_MEDIA_FLAGS


def test_only_one_reason_means_released() -> None:
    assert np.flatnonzero(COARSE == Verdict.RELEASED).tolist() == [Reason.RELEASED]


def test_a_reason_that_is_not_known_is_a_denial() -> None:
    assert COARSE[[0, 2, 59, 200, 255]].tolist() == [Verdict.NOT_AVAILABLE] * 5


def test_reasons_of_consent_and_an_unknown_post_are_not_told_apart_in_verdicts() -> None:
    of_consent = [reason for reason in Reason if 40 <= reason <= 59]

    assert len(of_consent) == 18
    assert {Verdict(COARSE[reason]) for reason in of_consent} == {Verdict.NOT_AVAILABLE}


def test_each_of_consents_reasons_is_passed_on_by_its_name() -> None:
    for name, number in consent_reason_pb2.ConsentReason.items():
        if number > 1:
            expected = name.removeprefix("CONSENT_REASON_")
            assert Reason(REASON_OF_CONSENT[number]).name == expected


def test_only_consents_allowed_releases_and_what_is_not_known_denies() -> None:
    allowed = consent_reason_pb2.CONSENT_REASON_ALLOWED

    assert np.flatnonzero(REASON_OF_CONSENT == Reason.RELEASED).tolist() == [allowed]
    assert REASON_OF_CONSENT[[0, 99, 255]].tolist() == [Reason.SUBJECT_UNKNOWN] * 3
