"""What the page of a subject says of why, and of what a switch came to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.console.settings_page.sentences import SAID_NO, Speaker
from services.console.settings_page.switches import EVERYONE, TRAINING
from services.console.settings_page.wishes import Wish
from services.console.web.reading import reader_of
from services.console.web.telling import as_told
from sluice.consent.v1 import choice_pb2, reason_pb2
from sluice.consent.v1.standing_pb2 import PurposeStanding

ENGLISH = reader_of("en-GB")
MOMENT = datetime(2026, 3, 1, 12, 0, 31, tzinfo=UTC)
SAID = reason_pb2.CONSENT_REASON_CHOICE_DENIES


def why(methods: dict[int, choice_pb2.ChoiceMethod] | None = None, **standing: Any) -> str:
    """What is said of one purpose; `methods` of choices by revision."""
    choices = [
        choice_pb2.RecordedChoice(revision=revision, choice=choice_pb2.Choice(method=method))
        for revision, method in (methods or {}).items()
    ]
    return " ".join(Speaker(ENGLISH, choices).why(PurposeStanding(purpose=TRAINING[0], **standing)))


def told(wish: Wish) -> str:
    return as_told(ENGLISH, Speaker(ENGLISH, ()).recorded(wish, MOMENT)).striptags()


def test_an_allowed_purpose_says_whether_they_said_yes() -> None:
    allowed = reason_pb2.CONSENT_REASON_ALLOWED

    assert why(reason=allowed, by_choice=True) == "You said yes."
    assert why(reason=allowed) == "Where you live it needs no yes, and you have not said no."


@pytest.mark.parametrize("method", list(SAID_NO))
def test_a_no_says_who_said_it(method: choice_pb2.ChoiceMethod) -> None:
    said = why(
        {3: choice_pb2.CHOICE_METHOD_SETTINGS, 4: method}, reason=SAID, by_choice=True, record_revision=4
    )

    assert said == SAID_NO[method]


def test_a_no_on_the_page_is_ones_own() -> None:
    settings = choice_pb2.CHOICE_METHOD_SETTINGS

    assert why({4: settings}, reason=SAID, by_choice=True, record_revision=4) == "You said no."


def test_what_is_denied_by_another_purpose_names_it() -> None:
    said = why(reason=reason_pb2.CONSENT_REASON_PROHIBITED, denied_by_purpose=1)

    assert said == (
        "This needs “Passing posts on to third parties” as well, and that is not allowed."
        " The policy forbids it where you live, whatever is chosen."
    )


def test_a_no_says_from_when_it_is_in_force() -> None:
    for_all = told(Wish(False, EVERYONE, TRAINING, all_purposes=False, where="/"))
    for_one = told(Wish(False, "acme", (4,), all_purposes=False, where="/"))

    assert for_all == (
        "Your no is on record, for everyone: AI training. It is in force from 1 Mar 2026, 12:00:31 UTC;"
        " permits that were given before may be used until then."
    )
    assert for_one.startswith("Your no is on record, for acme: Looking posts up to answer with AI. It is in")


def test_a_yes_says_what_it_is_to() -> None:
    assert told(Wish(True, EVERYONE, (2, 4), all_purposes=False, where="/")) == (
        "Your yes is on record, for everyone: Training of generative AI, Looking posts up to answer with AI."
    )


def test_a_sentence_without_a_word_for_it_does_not_say_that_it_is_allowed() -> None:
    assert why(reason=99) == "This page has no word for it (99)."
