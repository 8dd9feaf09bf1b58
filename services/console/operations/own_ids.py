"""Ids in addresses of pages: what has not the form of one names nothing."""

import re

from services.chassis.refusals import not_found
from services.console.web.reading import msgid

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")

NO_ID = msgid("An id is of small letters, digits, points, hyphens and underscores, 63 at most.")


def is_name(text: str) -> bool:
    """Whether it has the form of the ids of licenses and licensees."""
    return _NAME.fullmatch(text) is not None


def name_in(text: str) -> str:
    """The id of a license or a licensee; raises Refusal (not found, NO_SUCH_ID)."""
    if not is_name(text):
        raise not_found("NO_SUCH_ID", "this is no id")
    return text


def number_in(text: str) -> int:
    """A number that names something, from 1 to 2^63 - 1; raises Refusal (not found, NO_SUCH_ID)."""
    if not _NUMBER.fullmatch(text) or int(text) >= 2**63:
        raise not_found("NO_SUCH_ID", "this is no number of anything")
    return int(text)
