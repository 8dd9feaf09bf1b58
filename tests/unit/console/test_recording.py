"""Which requests of a no are made again: those that a later yes lifts, under an id for each yes (C2, C7)."""

from typing import Any

import pytest

from services.chassis.ids import uuid7
from services.console.settings_page.recording import said_again
from sluice.consent.v1.choice_pb2 import STANCE_ALLOW, STANCE_DENY, Choice, RecordedChoice, Stance
from sluice.consent.v1.consent_service_pb2 import RecordChoiceRequest

FORM = uuid7(1_700_000_000_000_000)
EVERYONE = {"everyone": True}
ACME, BIRCH = {"licensee_id": "acme"}, {"licensee_id": "birch"}
ALL = {"all_purposes": True}
SHARING, GENERATIVE, OTHER = ({"purpose": purpose} for purpose in (1, 2, 3))


def a_choice(stance: Stance, *scope: dict[str, Any]) -> Choice:
    return Choice(
        subject_id=7, stance=stance, **{name: value for part in scope for name, value in part.items()}
    )


def again(
    denied: tuple[dict[str, Any], ...], *choices: tuple[int, Stance, dict[str, Any], dict[str, Any]]
) -> list[RecordChoiceRequest]:
    """For a no that was given revision 5, and choices with these revisions."""
    request = RecordChoiceRequest(request_id=FORM, choice=a_choice(STANCE_DENY, *denied))
    recorded = [
        RecordedChoice(revision=revision, choice=a_choice(stance, *scope))
        for revision, stance, *scope in choices
    ]
    return list(said_again([request], [5], recorded))


@pytest.mark.parametrize("denied", [(EVERYONE, GENERATIVE), (EVERYONE, ALL), (EVERYONE, SHARING)])
@pytest.mark.parametrize("whom", [EVERYONE, ACME])
def test_c2_what_a_later_yes_lifts_is_denied_again(
    denied: tuple[dict[str, Any], ...], whom: dict[str, Any]
) -> None:
    (request,) = again(denied, (6, STANCE_ALLOW, whom, GENERATIVE))

    assert request.choice == a_choice(STANCE_DENY, *denied)
    assert request.request_id != FORM


@pytest.mark.parametrize(
    ("denied", "later"),
    [
        ((EVERYONE, GENERATIVE), (4, STANCE_ALLOW, EVERYONE, GENERATIVE)),
        ((EVERYONE, GENERATIVE), (6, STANCE_DENY, EVERYONE, GENERATIVE)),
        ((EVERYONE, GENERATIVE), (6, STANCE_ALLOW, EVERYONE, OTHER)),
        ((ACME, GENERATIVE), (6, STANCE_ALLOW, BIRCH, GENERATIVE)),
        ((ACME, GENERATIVE), (6, STANCE_ALLOW, EVERYONE, GENERATIVE)),
        ((EVERYONE, GENERATIVE), (6, STANCE_ALLOW, EVERYONE, SHARING)),
    ],
)
def test_what_nothing_later_lifts_is_not(denied: tuple[dict[str, Any], ...], later: Any) -> None:
    assert again(denied, later) == []


def test_the_id_is_the_same_for_the_same_yes_and_another_for_the_next() -> None:
    first = again((EVERYONE, ALL), (6, STANCE_ALLOW, ACME, GENERATIVE))
    same = again((EVERYONE, ALL), (6, STANCE_ALLOW, ACME, GENERATIVE))
    of_next = again(
        (EVERYONE, ALL), (6, STANCE_ALLOW, ACME, GENERATIVE), (8, STANCE_ALLOW, BIRCH, GENERATIVE)
    )

    assert first == same
    assert first[0].request_id != of_next[0].request_id
