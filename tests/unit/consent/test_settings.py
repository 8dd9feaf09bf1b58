"""Whose platform it is: told by the settings as a whole, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from services.consent.domain.dossiers import Controller
from services.consent.settings import ConsentSettings

PLATFORM = {
    "controller_name": "Chirp Ltd",
    "controller_address": "1 Wire Street, Dublin",
    "controller_email": "privacy@chirp.example",
    "controller_phone": "+353 1 000 0000",
    "controller_contact": "Data protection officer",
    "controller_policy_url": "https://chirp.example/privacy",
    "controller_withdrawal_url": "https://chirp.example/settings/licensing",
    "controller_country": "IE",
}


def settings(**fields: Any) -> ConsentSettings:
    places: dict[str, Any] = {
        "database_url": "sqlite:///consent.db",
        "token_jwks": Path("keys.json"),
        "state_dir": Path(),
    }
    return ConsentSettings(**(places | fields))


def test_c11_a_platform_that_is_described_as_a_whole_is_named_in_exports() -> None:
    controller = settings(**PLATFORM, controller_language="de").controller()

    assert controller == Controller(
        name="Chirp Ltd",
        address="1 Wire Street, Dublin",
        email="privacy@chirp.example",
        phone="+353 1 000 0000",
        contact="Data protection officer",
        policy_url="https://chirp.example/privacy",
        withdrawal_url="https://chirp.example/settings/licensing",
        country="IE",
        language="de",
    )


@pytest.mark.parametrize("left_out", sorted(PLATFORM))
def test_c11_a_platform_that_is_described_in_part_is_not_known(left_out: str) -> None:
    assert settings(**(PLATFORM | {left_out: ""})).controller() is None
