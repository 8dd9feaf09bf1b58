"""What is on record about a subject, in the words of the question whether to erase it."""

import pytest

from services.console.subject_records import in_words
from sluice.consent.v1.choice_pb2 import RecordedChoice
from sluice.consent.v1.consent_service_pb2 import GetChoicesResponse
from sluice.consent.v1.subject_pb2 import Subject, SubjectState

PROTECTED = Subject(subject_id=7, jurisdiction="US-CA", states=[SubjectState.SUBJECT_STATE_PROTECTED])
CHOICE = RecordedChoice(revision=1)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "nothing"),
        (GetChoicesResponse(erased=True), "that they were erased before"),
        (GetChoicesResponse(choices=[CHOICE]), "1 choice that still matters, of no account seen yet"),
        (
            GetChoicesResponse(subject=PROTECTED, choices=[CHOICE, CHOICE]),
            "an account in US-CA, protected, 2 choices that still matter",
        ),
    ],
)
def test_c11_who_erases_is_told_what_is_on_record(found: GetChoicesResponse | None, words: str) -> None:
    assert in_words(found) == words
