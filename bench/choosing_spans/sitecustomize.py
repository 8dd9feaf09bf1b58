"""Has a process choose among its spans by itself, where CHOSEN_SHARE says what share of the rest is kept.

Python imports this by itself where its folder is on the path.
"""

import os
from typing import Any

SHARE = os.environ.get("CHOSEN_SHARE")
SLOW_US = 10_000_000
"""Nothing is slow: on a machine that is full all would be, and all kept. It is the best case of this way."""


def _begin(share: float) -> None:
    from bench.chosen_spans import ChosenSpans, worth_keeping  # noqa: PLC0415
    from services.chassis import telemetry  # noqa: PLC0415

    changed: Any = telemetry
    queue = changed.SpanQueue
    changed.SpanQueue = lambda *given: ChosenSpans(queue(*given), worth_keeping(share, SLOW_US))


if SHARE:
    _begin(float(SHARE))
