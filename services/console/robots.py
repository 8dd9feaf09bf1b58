"""Robots by what they call themselves, from a file that lists them as ai.robots.txt does (robots.json)."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.chassis.refusals import invalid

_NOT_IN_AN_ID = re.compile(r"[^a-z0-9._-]+")


class Robots:
    """Known robots, and the parties that they are."""

    def __init__(self, names: Iterable[str]) -> None:
        """Raises ValueError where a name has no letter or digit, or where there is no name."""
        self._parties = {name: _party_of(name) for name in names}
        if not self._parties:
            raise ValueError("it lists nobody")
        # The longest first: Applebot-Extended is not Applebot.
        listed = "|".join(re.escape(name) for name in sorted(self._parties, key=len, reverse=True))
        # Whole words in their own letters: "LCC" is listed and every Internet Explorer says "SLCC2", "Spider"
        # is listed and many a robot gives an address that ends in "spider.html".
        self._names = re.compile(f"(?<![A-Za-z0-9])(?:{listed})(?![A-Za-z0-9])")

    def party(self, user_agent: str) -> str | None:
        """The party of the robot that a user agent names, of several the first; None where it names none."""
        match = self._names.search(user_agent)
        return self._parties[match[0]] if match else None


def read_robots(path: Path) -> Robots:
    """Reads a file; raises Refusal (invalid, ROBOTS_MALFORMED) and OSError."""
    try:
        return Robots(_listed(json.loads(path.read_bytes())))
    except UnicodeDecodeError as error:
        raise invalid("ROBOTS_MALFORMED", f"{path.name} is no list of robots: it is not even text") from error
    except json.JSONDecodeError as error:
        said = f"{path.name} is no list of robots: it is not JSON (line {error.lineno}: {error.msg})"
        raise invalid("ROBOTS_MALFORMED", said) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid("ROBOTS_MALFORMED", f"{path.name} is no list of robots: {error}") from error


def party_of_address(address: str) -> str:
    """The party that an address stands for, where nobody knows more of it."""
    party = address.lower().replace(":", "-")
    return party if party[:1].isascii() and party[:1].isalnum() else f"ip-{party}"


def _listed(document: Any) -> Iterable[str]:
    if not isinstance(document, dict):
        raise TypeError("a JSON object is expected, with a field for each robot")
    return document


def _party_of(name: str) -> str:
    party = _NOT_IN_AN_ID.sub("-", name.lower()).strip("._-")
    if not party:
        raise ValueError(f"{name!r} has no letter or digit")
    return party
