"""Pages about recalls, damages and actions have words for all that contracts say."""

from collections.abc import Mapping

import pytest
from google.protobuf.descriptor import EnumDescriptor

from services.chassis.admissions import AdmissionReader, contracts_in
from services.chassis.recording import is_action
from services.console.operations import words_actions, words_damages, words_recalls
from services.console.web.reading import reader_of
from sluice.licensing.v1.recall_pb2 import RecallState, ReleaseGap
from sluice.licensing.v1.webhook_service_pb2 import WebhookFault
from sluice.metering.v1.access_pb2 import AccessKind
from sluice.metering.v1.damages_pb2 import AssessmentState, DamagesOverlap, DamagesRounding
from sluice.metering.v1.dispute_pb2 import DisputeStepKind, ProposalState
from sluice.type.v1 import admission_pb2 as said
from sluice.type.v1.action_pb2 import ActionOutcome

PACKAGES = ("sluice.consent.v1", "sluice.metering.v1", "sluice.licensing.v1")


@pytest.mark.parametrize(
    ("words", "enum"),
    [
        (words_recalls.RECALL_STATES, RecallState.DESCRIPTOR),
        (words_recalls.GAP_KINDS, ReleaseGap.Kind.DESCRIPTOR),
        (words_recalls.WEBHOOK_FAULTS, WebhookFault.DESCRIPTOR),
        (words_damages.ASSESSMENT_STATES, AssessmentState.DESCRIPTOR),
        (words_damages.STEP_KINDS, DisputeStepKind.DESCRIPTOR),
        (words_damages.PROPOSAL_STATES, ProposalState.DESCRIPTOR),
        (words_damages.OVERLAPS, DamagesOverlap.DESCRIPTOR),
        (words_damages.ROUNDINGS, DamagesRounding.DESCRIPTOR),
        (words_damages.ACCESSES, AccessKind.DESCRIPTOR),
        (words_actions.OUTCOMES, ActionOutcome.DESCRIPTOR),
    ],
)
def test_every_value_of_an_enum_has_a_word(words: Mapping[int, str], enum: EnumDescriptor) -> None:
    assert set(words) == set(enum.values_by_number) - {0}


def test_every_call_by_which_operators_change_something_has_a_phrase() -> None:
    reader = AdmissionReader(said.admission, said.CallerKind, said.OperatorRole)
    table = reader.table(*(file for package in PACKAGES for file in contracts_in(package)))
    changing = {
        method.removeprefix("/") for method, admission in table.items() if is_action(method, admission)
    }

    assert changing == set(words_actions.METHODS)


def test_a_call_without_a_phrase_is_called_by_its_name() -> None:
    reader = reader_of("en")

    assert words_actions.method_word(reader, "sluice.new.v1.NewService/DoIt") == "NewService/DoIt"
