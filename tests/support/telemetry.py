"""Traces and logs that a test can read, and that are gone after it."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import structlog

from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import start_telemetry


@contextlib.contextmanager
def recording(path: Path, *, ratio: float = 1.0, level: str = "ERROR") -> Iterator[None]:
    """Writes the spans of this process into `path`, complete once the context is closed."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    settings = ServiceSettings.model_validate(
        {
            "database_url": "sqlite:///unused",
            "token_jwks": "unused",
            "traces_path": path,
            "trace_ratio": ratio,
            "log_level": level,
        }
    )
    telemetry = start_telemetry("test", settings)
    try:
        yield
    finally:
        telemetry.shutdown()
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(before)
