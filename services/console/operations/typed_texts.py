"""Texts that operators type for the record, in the form in which contracts take them."""

import re
from typing import Annotated

from fastapi import Form

from services.console.web.reading import msgid

TOO_LONG = msgid("Nothing was done: the text is longer than it may be. Shorten it.")
UNPRINTABLE = msgid("Nothing was done: the text holds a control character, such as a form feed. Take it out.")
FAULTS = frozenset({TOO_LONG, UNPRINTABLE})
Typed = Annotated[str, Form()]
"""A text of any length that a form can have: what is too long is shown again, and said to be."""

# What the patterns of contracts forbid in a reason: all controls but tabs and the ends of lines.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def one_line_ends(text: str) -> str:
    """A text of a form with the ends of lines that contracts take: browsers send carriage returns too."""
    return text.replace("\r\n", "\n").strip()


def fault_in(text: str, longest: int, empty: str = "") -> str:
    """What is wrong with a text of `one_line_ends`, as a sentence; "" where nothing is.

    `longest` is in characters, as contracts count them; `empty` is what to say of a text of none.
    """
    if not text:
        return empty
    if len(text) > longest:
        return TOO_LONG
    return UNPRINTABLE if _CONTROLS.search(text) else ""
