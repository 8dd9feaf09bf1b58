"""Where to go on to within our own pages: a path that somebody else may have written leads nowhere else."""

import string
from urllib.parse import quote

LONGEST_PATH = 2_000
"""Bytes, as it stands in an address; longer than any of ours, and short enough for a cookie and a header."""
_AS_THEY_ARE = string.punctuation.replace('"', "")


def own_path(text: str) -> str:
    """A path of ours to go on to, with its query; "/" for whatever could lead elsewhere.

    Browsers take a backslash for a slash, and pass over tabs and line feeds (WHATWG URL, 4.4): what is no
    path with one slash at its beginning to every reader is none.
    """
    if not text.startswith("/") or not text.isprintable() or _encoded_bytes(text) > LONGEST_PATH:
        return "/"
    return "/" if text.startswith("//") or "\\" in text else text


def _encoded_bytes(text: str) -> int:
    return len(quote(text, safe=_AS_THEY_ARE))


def path_within(address: str, origin: str) -> str:
    """The path and query of an address of this origin (scheme://host[:port]); "/" for any other address."""
    rest = address.removeprefix(origin)
    return own_path(rest) if rest != address else "/"


def next_of(path: str, query: str) -> str:
    """The path that a page was asked for by, with its query, to come back to."""
    return own_path(f"{path}?{query}" if query else path)
