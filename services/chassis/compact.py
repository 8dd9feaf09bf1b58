"""Reads a token in the one form it can have: compact JWS (RFC 7515, 7.1) over JSON that is read in one way.

Whatever two readers could take for different things is refused: a second member of one name, an encoding that
is not UTF-8, base64url with padding, or with idle bits that no encoder writes. Nothing is checked here that
needs a key.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True)
class Compact:
    """The parts of a token; nobody has looked at its signature yet."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    """What the signature is over: header and payload as they were sent."""
    signature: bytes


def read_compact(token: str) -> Compact:
    """The parts of a compact JWS; raises ValueError, and RecursionError where JSON is nested too deeply."""
    parts = token.split(".")
    # Five parts are encrypted (RFC 7516); what is inside of them nobody here could know.
    if len(parts) != 3:
        raise ValueError("a token has three parts")
    header, payload, signature = map(from_base64url, parts)
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Compact(json_object(header), json_object(payload), signed, signature)


def from_base64url(text: str) -> bytes:
    """Bytes out of base64url without padding; raises ValueError for any but the one form of them.

    Python's decoder passes over what it does not know and over idle bits at the end: a token with a changed
    letter would still be a token, and as good as new to whoever has a list of those withdrawn.
    """
    data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("not in the one form of base64url")
    return data


def json_object(content: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 (RFC 8259, 8.1) that names each member once; raises ValueError.

    Bytes given to `json.loads` may also be UTF-16 or UTF-32; and of two members of one name it takes the
    last, where another reader takes the first.
    """
    value = json.loads(content.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_constant)
    if type(value) is not dict:
        raise ValueError("not a JSON object")
    return value


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member stands there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
