"""Who is signed in: a sealed cookie that holds their own token, and nothing on the server.

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
from services.chassis.refusals import invalid, precondition
from sluice.consent.v1 import consent_service_pb2 as pb

LARGEST_COOKIE = 4_000
"""Bytes; browsers drop a cookie of more than 4,096 with its name and attributes."""


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
    subjects: tuple[int, ...]
    """Whom an agent acts for."""
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
            subjects=tuple(caller.subject_ids),
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
    """For a cookie; raises Refusal (invalid, SIGN_IN_TOO_LARGE) where browsers would drop it in silence."""
    # An agent's token names each of their subjects: packed, about a hundred of them have room.
    value = seal.seal("session", asdict(session), is_packed=True)
    if len(value) > LARGEST_COOKIE:
        raise invalid("SIGN_IN_TOO_LARGE", f"the sign-in takes {len(value)} bytes of {LARGEST_COOKIE}")
    return value


def opened_session(seal: Seal, value: str, now_us: int) -> Session | None:
    """The session of a cookie; None where it is not one of ours, or its token has ended."""
    content = seal.open("session", value)
    if content is None:
        return None
    try:
        lists = {"roles": tuple(content["roles"]), "subjects": tuple(content["subjects"])}
        session = Session(**{**content, **lists})
    except (KeyError, TypeError):
        # Of another version of this program, with the same keys: its bearer signs in again.
        return None
    return session if session.expires_us > now_us else None
