"""Forms that can be sent twice and not forged: each carries one sealed field, made for one sign-in.

The field holds the id that the services know the request by, so that a form sent twice is carried out once;
the sign-in that it was made for, which no other page can know; and what its reader saw when they decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.clock import Clock
from services.chassis.ids import uuid7
from services.chassis.refusals import precondition
from services.console.web.sessions import Seal, Session

FIELD = "form"
"""The name of the field."""
LONGEST_SECONDS = 12 * 3600
"""So old can a form be; what it shows of a day ago is not what its reader decides about."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a form that came back was made with."""

    request_id: str
    seen: Mapping[str, Any]
    """What its reader saw, as JSON values."""


class Forms:
    """Makes the field, and reads it."""

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock

    def field(self, session: Session, action: str, seen: Mapping[str, Any] | None = None) -> str:
        """The value for a form of `action`; `seen` are JSON values, and come back."""
        content = [session.id, action, uuid7(self._clock.now_us()), dict(seen or {})]
        return self._seal.seal("form", content)

    def opened(self, session: Session, action: str, value: str) -> Opened:
        """What a form of `action` was made with.

        Raises Refusal (precondition, FORM_STALE) for one that is too old, of another sign-in or another form.
        """
        content = self._seal.open("form", value, LONGEST_SECONDS)
        if content is None or content[:2] != [session.id, action]:
            raise precondition("FORM_STALE", "the form was not made for this sign-in, or too long ago")
        return Opened(content[2], content[3])
