"""Objections that a browser or a site sends along, read from the texts of their headers.

Whatever is malformed, unknown or no objection says nothing and raises nothing (C8); the opposite of an
objection is no change (C1).
"""

from collections.abc import Sequence

from http_sf import Token, parse

from services.consent.domain.purposes import Signal

LONGEST_USAGE = 8 * 1024
"""Characters of a Content-Usage that are still read; a longer one says nothing. Preferences take some dozens,
and a stranger chooses how much there is to parse."""

_OPTIONAL_WHITESPACE = " \t"
"""Around a field's value and no part of it (RFC 9110, 5.5)."""
_NAMED = {"train-ai": Signal.AIPREF_TRAIN_AI, "search": Signal.AIPREF_SEARCH}


def objections(sec_gpc: str, content_usages: Sequence[str]) -> frozenset[Signal]:
    """What is objected to, in whatever way it is said: one disallow wins over any number of allows.

    `sec_gpc`: the Sec-GPC header, empty where there is none; only "1" counts. `content_usages`: preferences
    that were attached apart from each other, such as by a header and by robots.txt, each an RFC 9651
    dictionary. Lines of one header are one preference: joined by commas, where the last value of a key counts
    (RFC 9651, 4.2.2).
    """
    objected = {signal for usage in content_usages for signal in _disallowed(usage)}
    if sec_gpc.strip(_OPTIONAL_WHITESPACE) == "1":
        objected.add(Signal.GPC)
    return frozenset(objected)


def _disallowed(usage: str) -> list[Signal]:
    """What one preference disallows (AIPREF vocabulary: the token `n`; its parameters have no meaning)."""
    if len(usage) > LONGEST_USAGE:
        return []
    try:
        members = parse(usage.strip(_OPTIONAL_WHITESPACE).encode("ascii"), tltype="dictionary")
    except ValueError:  # No dictionary, or not ASCII.
        return []
    assert isinstance(members, dict)
    return [signal for key, signal in _NAMED.items() if _is_no(members.get(key))]


def _is_no(member: object) -> bool:
    match member:
        # By its type: the parser's tokens and display strings both equal the string of the same text.
        case (Token(data="n"), _):
            return True
        case _:
            return False
