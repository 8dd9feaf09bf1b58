"""Dossiers of a subject and a platform to export them for, and the published vectors to compare with."""

import os
from functools import partial
from pathlib import Path

import pytest

from services.consent.domain.choices import Stance, still_standing
from services.consent.domain.dossiers import (
    ChoiceRecord,
    Controller,
    Dossier,
    FactsRecord,
)
from services.consent.domain.purposes import Purpose
from services.consent.domain.subjects import NO_STATES, State
from tests.support.clock import NOON_US
from tests.support.vectors import BESIDE_THE_CHECKOUT

SECOND_US = 1_000_000
NOTICE = b"\x11" * 32
GENERATIVE = Purpose.AI_TRAINING_GENERATIVE
SHARING = Purpose.THIRD_PARTY_SHARING
PLATFORM = Controller(
    name="Chirp Ltd",
    address="1 Wire Street, Dublin",
    email="privacy@chirp.example",
    phone="+353 1 000 0000",
    contact="Data protection officer",
    policy_url="https://chirp.example/privacy",
    withdrawal_url="https://chirp.example/settings/licensing",
    country="IE",
)


def a_choice(
    stance: Stance, revision: int, licensee: str = "", purpose: int = 0, *, at: int | None = None
) -> ChoiceRecord:
    """For everyone and everything, stated as many seconds past noon as its revision."""
    recorded_us = NOON_US + SECOND_US * revision
    stated_us = recorded_us if at is None else NOON_US + SECOND_US * at
    digest = NOTICE if stance is Stance.ALLOW else b""
    return ChoiceRecord(
        revision, stance, licensee, purpose, 1, digest, None, stated_us, recorded_us, "subject:7"
    )


an_allow = partial(a_choice, Stance.ALLOW)
a_deny = partial(a_choice, Stance.DENY)


def some_facts(revision: int = 1, jurisdiction: str = "US-CA", states: State = NO_STATES) -> FactsRecord:
    at_us = NOON_US + SECOND_US * revision
    return FactsRecord(
        revision, jurisdiction, states, frozenset({NOTICE}), frozenset(), at_us, at_us, "pipeline:accounts"
    )


def a_dossier(*choices: ChoiceRecord, facts: tuple[FactsRecord, ...] = ()) -> Dossier:
    """Subject 7 as of revision 90, with the standing that these choices come to."""
    standing = tuple(choice.revision for choice in still_standing(record.choice for record in choices))
    return Dossier(7, 1, 90, NOON_US + 90 * SECOND_US, choices, facts, standing, (), None)


def consent_vectors() -> Path:
    folder = Path(os.environ.get("SLUICE_VECTORS", BESIDE_THE_CHECKOUT)) / "consent"
    if not folder.is_dir():
        pytest.skip("the published vectors of consent are not here")
    return folder
