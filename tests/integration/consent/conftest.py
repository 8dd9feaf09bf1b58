"""A running consent over a file, and its callers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.consent.domain.dossiers import Controller
from tests.support.clock import ManualClock
from tests.support.consent_callers import Consent, running

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


@pytest_asyncio.fixture
async def consent(tmp_path: Path) -> AsyncIterator[Consent]:
    """With nothing on record, at noon."""
    async with running(tmp_path, ManualClock(), controller=PLATFORM) as service:
        yield service
