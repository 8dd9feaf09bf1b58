"""Every value of an enum that pages show has a word."""

from collections.abc import Mapping

import pytest
from google.protobuf.descriptor import EnumDescriptor

from services.console.web import words
from services.console.web.reading import reader_of
from sluice.consent.v1.choice_pb2 import ChoiceMethod, Stance
from sluice.consent.v1.policy_pb2 import Regime
from sluice.consent.v1.reason_pb2 import ConsentReason
from sluice.consent.v1.subject_pb2 import SubjectState
from sluice.type.v1.purpose_pb2 import Purpose


@pytest.mark.parametrize(
    ("table", "enum"),
    [
        (words.PURPOSES, Purpose.DESCRIPTOR),
        (words.PURPOSE_MEANINGS, Purpose.DESCRIPTOR),
        (words.CONSENT_REASONS, ConsentReason.DESCRIPTOR),
        (words.OWN_REASONS, ConsentReason.DESCRIPTOR),
        (words.REGIMES, Regime.DESCRIPTOR),
        (words.STANCES, Stance.DESCRIPTOR),
        (words.METHODS, ChoiceMethod.DESCRIPTOR),
        (words.SUBJECT_STATES, SubjectState.DESCRIPTOR),
    ],
)
def test_every_value_has_a_word_of_its_own(table: Mapping[int, str], enum: EnumDescriptor) -> None:
    numbers = {value.number for value in enum.values}

    assert numbers - {0} <= set(table) <= numbers
    assert len(set(table.values())) == len(table)


def test_a_value_that_is_newer_than_the_page_is_taken_for_none_of_the_others() -> None:
    said = words.word(reader_of("en"), words.OWN_REASONS, 99)

    assert said == "This page has no word for it (99)."
