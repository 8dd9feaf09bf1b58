"""Replicas of consent as processes over one database."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.replicas import Replica, running

REAL, STALE = "services.consent", "tests.support.stale_consent"
CONSENT = "sluice.consent.v1.ConsentService"


@contextlib.asynccontextmanager
async def consent_replicas(program: str, url: str, folder: Path, count: int) -> AsyncIterator[list[Replica]]:
    """Replicas that serve; killed on leaving."""
    settings = [
        {
            "DATABASE_URL": url,
            "STATE_DIR": str(folder / f"replica-{number}"),
            "HEAD_DIR": str(folder / "heads"),
        }
        for number in range(count)
    ]
    replicas = [Replica(program, "consent", folder, each) for each in settings]
    async with running(replicas):
        yield replicas
