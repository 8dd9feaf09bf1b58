"""Reads who the bearer of a token is out of its claims.

What two readers could take for different things is refused, and so is a claim that its kind has no use for:
what is not understood must not be dropped from what somebody may do, or for whom.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from services.chassis.identity import LONGEST_PARTY, Principal, PrincipalKind

SECOND_US = 1_000_000
LARGEST_NUMBER = 2**53
"""JSON numbers beyond it are not read alike by all readers (RFC 8259, 6)."""
MOST_SUBJECTS = 256
"""Whom an agent acts for by one token, which travels with every call."""
LONGEST_ROLE = 64
_SUBJECT_ID = re.compile(r"[1-9][0-9]{0,19}")
_ABOVE_ALL_IDS = 2**64


def principal_of(claims: Mapping[str, Any], expires_us: int) -> Principal:
    """Whom a token of our own issuer names.

    `expires_us` in microseconds since the epoch. Raises ValueError, TypeError or KeyError where it names
    nobody.
    """
    kind = PrincipalKind(claims["kind"])
    roles, sandbox = claims.get("roles", []), claims.get("sandbox", False)
    if not isinstance(roles, list) or not all(map(_is_role, roles)):
        raise ValueError(f"roles is a list of printable strings of at most {LONGEST_ROLE} characters")
    # What is not plainly outside of the sandbox must not be taken for it.
    if type(sandbox) is not bool:
        raise ValueError("sandbox is true or false")
    if (kind is PrincipalKind.AGENT) != ("subjects" in claims):
        raise ValueError("an agent, and nobody else, acts for subjects")
    subjects = subjects_of(claims["subjects"]) if "subjects" in claims else frozenset[int]()
    return Principal(kind, party_of(claims["sub"]), frozenset(roles), sandbox, expires_us, subjects)


def _is_role(said: object) -> bool:
    # As a party is: it is kept with what an operator does.
    return isinstance(said, str) and 0 < len(said) <= LONGEST_ROLE and said.isprintable()


def party_of(name: object) -> str:
    """A name that a party may have; raises ValueError for any other."""
    # Unprintable are control characters and others that would hide in a log or a receipt.
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_PARTY or not name.isprintable():
        raise ValueError("sub names nobody, or in a way that nobody is named")
    return name


def subject_id_of(text: object) -> int:
    """The id of a subject in the one way in which it is written: decimal, above 0 and below 2**64.

    A string, for JSON numbers beyond 2**53 are not read alike. Raises ValueError.
    """
    if not isinstance(text, str) or not _SUBJECT_ID.fullmatch(text) or int(text) >= _ABOVE_ALL_IDS:
        raise ValueError("the id of a subject is a decimal string above 0 and below 2**64")
    return int(text)


def subjects_of(listed: object, mapped: Callable[[object], object] = lambda said: said) -> frozenset[int]:
    """Whom an agent acts for; raises ValueError unless it is a list of 1 to 256 subjects, each once.

    `mapped` makes the id of a subject of what is listed, and may raise KeyError.
    """
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_SUBJECTS:
        raise ValueError(f"an agent acts for 1 to {MOST_SUBJECTS} subjects")
    subjects = frozenset(subject_id_of(mapped(each)) for each in listed)
    if len(subjects) != len(listed):
        raise ValueError("a subject is listed twice")
    return subjects


def whole_seconds(claims: Mapping[str, Any], name: str) -> int:
    """A time (RFC 7519, 2); raises KeyError where there is none, ValueError for a part of a second."""
    value = claims[name]
    # bool is an int to Python.
    if type(value) is not int or abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{name} is a whole number of seconds")
    return value
