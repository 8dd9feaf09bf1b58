"""Single values of a post, out of JSON or CSV.

Nothing is guessed: what is not clearly a value of its kind makes the line broken. A reason never quotes it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from sluice.type.v1.content_pb2 import ContentKind, MediaFlag

MAX_UINT64 = 2**64 - 1

_LANGUAGE = re.compile(r"[A-Za-z0-9_-]{0,35}")
_SEPARATORS = re.compile(r"[\s|;,]+")

POST = int(ContentKind.CONTENT_KIND_POST)
REPLY = int(ContentKind.CONTENT_KIND_REPLY)
QUOTE = int(ContentKind.CONTENT_KIND_QUOTE)
REPOST = int(ContentKind.CONTENT_KIND_REPOST)
KINDS = {"post": POST, "reply": REPLY, "quote": QUOTE, "repost": REPOST, "retweet": REPOST}

_NUMBERED_KINDS = {str(number): number for number in KINDS.values()}

IMAGE = int(MediaFlag.MEDIA_FLAG_IMAGE)
VIDEO = int(MediaFlag.MEDIA_FLAG_VIDEO)
OTHER_MEDIA = int(MediaFlag.MEDIA_FLAG_OTHER)
MEDIA = {"image": IMAGE, "photo": IMAGE, "video": VIDEO}


class Unreadable(Exception):  # noqa: N818 - broken input is no error of ours
    """This record is broken; the message is the reason, without any of the content."""


def id_of(value: object, name: str) -> int:
    """An id as an exact unsigned 64-bit number, out of a number or of a string of digits.

    Floats are refused: an id over 2^53 that has been one is another post's id. Raises Unreadable.
    """
    if type(value) is str:
        if not (value.isascii() and value.isdigit()) or (value[0] == "0" and value != "0"):
            raise Unreadable(f"{name} is not a number")
        number = int(value) if len(value) <= 20 else MAX_UINT64 + 1
    elif type(value) is int:
        number = value
    else:
        raise Unreadable(f"{name} is not a number" if value is not None else f"{name} is missing")
    if not 0 <= number <= MAX_UINT64:
        raise Unreadable(f"{name} is not an unsigned 64-bit number")
    return number


def optional_id(value: object, name: str) -> int:
    """As `id_of`; 0 where the value is absent: an unnamed contributor, who denies the post (C6)."""
    return 0 if value is None or value == "" else id_of(value, name)


def language_of(value: object) -> str:
    """A language tag; empty where there is none. Raises Unreadable for what the contract would refuse."""
    if value is None:
        return ""
    # One tag out of form would have the whole batch refused, and a line feed would blur the digests.
    if not isinstance(value, str) or not _is_tag(value):
        raise Unreadable("language is not a language tag")
    return value


@lru_cache(maxsize=1024)
def _is_tag(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None


def kind_of(value: object) -> int:
    """A ContentKind by name or number; 0, which denies the post, where it is missing or unknown."""
    if isinstance(value, str):
        return KINDS.get(value) or KINDS.get(value.lower()) or _NUMBERED_KINDS.get(value, 0)
    return value if type(value) is int and value in KINDS.values() else 0


def media_of(value: object) -> int:
    """Media flags out of a list of words, words in one string, or the sum of flags. Raises Unreadable."""
    if value is None or value == "":
        return 0
    if type(value) is int:
        return _flags(value)
    if isinstance(value, str):
        return _flags(int(value)) if value.isascii() and value.isdigit() else _words(_SEPARATORS.split(value))
    if isinstance(value, list):
        return _words(value)
    raise Unreadable("media is neither words nor flags")


def _flags(number: int) -> int:
    if not 0 <= number <= IMAGE + VIDEO + OTHER_MEDIA:
        raise Unreadable("media is not a sum of media flags")
    return number


def _words(words: Iterable[object]) -> int:
    flags = 0
    for word in words:
        if not isinstance(word, str):
            raise Unreadable("media is neither words nor flags")
        if word:
            flags |= MEDIA.get(word.lower(), OTHER_MEDIA)
    return flags
