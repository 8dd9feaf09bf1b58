"""Traces and logs that a test can read, and that are gone after it."""

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import start_telemetry
from tests.support.own_logs import logs_as_ever


@contextlib.contextmanager
def recording(path: Path, *, ratio: float = 1.0, level: str = "ERROR", **more: Any) -> Iterator[None]:
    """Writes the spans of this process into `path`, complete once the context is closed.

    `more` are further settings, such as of a collector that takes them instead.
    """
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    settings = ServiceSettings.model_validate(
        {
            "database_url": "sqlite:///unused",
            "token_jwks": "unused",
            "traces_path": path,
            "trace_ratio": ratio,
            "log_level": level,
            **more,
        }
    )
    telemetry = start_telemetry("test", settings)
    try:
        yield
    finally:
        telemetry.shutdown()
        logs_as_ever()
        root.handlers[:] = handlers
        root.setLevel(before)


def spans_in(path: Path) -> list[dict[str, Any]]:
    """The spans that `recording` has written, as OTLP/JSON has them."""
    batches = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        span
        for batch in batches
        for each in batch["resourceSpans"]
        for scope in each["scopeSpans"]
        for span in scope["spans"]
    ]
