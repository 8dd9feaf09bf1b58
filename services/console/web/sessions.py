"""Who is signed in: sealed cookies that hold their own token, and nothing on the server.

The token is what the services decide by. A session cannot outlive it, and no page makes one up.
"""

import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.chassis.clock import Clock, SystemClock
from services.chassis.refusals import precondition
from sluice.consent.v1 import consent_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in."""

    id: str
    """Random; what binds forms to this sign-in."""
    token: str = field(repr=False)
    """Not in the text of a session, which may come into a log."""
    kind: str
    """Of the caller, as consent reads the token: "subject", "agent" or "operator"."""
    party: str
    """Of a subject, the id in decimal."""
    roles: tuple[str, ...]
    expires_us: int
    """When the token ends; microseconds UTC."""

    @classmethod
    def begin(cls, token: str, caller: pb.GetCallerResponse) -> Self:
        """A sign-in of now, of whom consent takes the bearer of the token for."""
        return cls(
            id=secrets.token_urlsafe(16),
            token=token,
            kind=caller.kind,
            party=caller.party,
            roles=tuple(caller.roles),
            expires_us=caller.expires_at.ToMicroseconds(),
        )


class Seal:
    """Seals what browsers keep for us, so that they can neither read nor change it (Fernet)."""

    def __init__(self, keys: Sequence[bytes], clock: Clock | None = None) -> None:
        """`keys` are Fernet keys: the first seals, all open. Raises Refusal (SESSION_KEYS_WRONG)."""
        self._clock = clock or SystemClock()
        self.use(keys)

    def use(self, keys: Sequence[bytes]) -> None:
        """Goes by these keys from now on; raises Refusal (SESSION_KEYS_WRONG), and then by those before."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            message = "a line of the session keys is no 32 bytes in URL-safe base64, or there is none"
            raise precondition("SESSION_KEYS_WRONG", message) from error

    def seal(self, purpose: str, content: Any, *, is_packed: bool = False) -> str:
        """JSON values in a form that goes into a cookie or a field; `purpose` keeps them apart.

        Only what nobody else has a word in is packed: how long it becomes would tell them of the rest.
        """
        said = json.dumps([purpose, content], separators=(",", ":"), ensure_ascii=False)
        # What json reads of bytes it reads so, half a pair of UTF-16 included.
        text = said.encode("utf-8", "surrogatepass")
        packed = zlib.compress(text, 9) if is_packed else text
        return self._fernet.encrypt_at_time(packed, self._seconds()).decode()

    def open(self, purpose: str, sealed: str, at_most_seconds: int | None = None) -> Any:
        """What was sealed for this purpose, at most so long ago; None where that is not so."""
        token = sealed.encode("ascii", "replace")
        try:
            if at_most_seconds is None:
                text = self._fernet.decrypt(token)
            else:
                text = self._fernet.decrypt_at_time(token, at_most_seconds, self._seconds())
        except InvalidToken:
            return None
        # JSON begins with a bracket here, and what is packed never does (RFC 1950, 2.2).
        sealed_for, content = json.loads(text if text.startswith(b"[") else zlib.decompress(text))
        return content if sealed_for == purpose else None

    def _seconds(self) -> int:
        return self._clock.now_us() // 1_000_000


def sealed_session(seal: Seal, session: Session) -> str:
    """For browsers to keep, in one cookie or several (`session_cookies`)."""
    return seal.seal("session", asdict(session), is_packed=True)


def opened_session(seal: Seal, value: str, now_us: int) -> Session | None:
    """The session that a browser has kept; None where it is not one of ours, or its token has ended."""
    content = seal.open("session", value)
    if content is None:
        return None
    try:
        session = Session(**{**content, "roles": tuple(content["roles"])})
    except (KeyError, TypeError):
        # Of another version of this program, with the same keys: its bearer signs in again.
        return None
    return session if session.expires_us > now_us else None
