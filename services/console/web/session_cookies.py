"""A sealed session in cookies: one has no room for the token of an agent, which names all their subjects.

It lies in as many as it takes, called NAME-0, NAME-1 and so on, and is whole or none at all: of parts that do
not belong together the seal makes nothing.
"""

from collections.abc import Mapping

from services.chassis.refusals import invalid

LARGEST_COOKIE = 4_000
"""Bytes of a value; browsers drop a cookie of more than 4,096 with its name and attributes."""
MOST_COOKIES = 4
"""One more than the longest token takes that services read (`verifying.LONGEST_TOKEN`); half of a request's
headers."""


def part_names(name: str) -> list[str]:
    """What the cookies of a session can be called, in their order."""
    return [f"{name}-{number}" for number in range(MOST_COOKIES)]


def in_parts(sealed: str) -> list[str]:
    """The values of the cookies; raises Refusal (invalid, SIGN_IN_TOO_LARGE) where they are too many."""
    if len(sealed) > LARGEST_COOKIE * MOST_COOKIES:
        message = f"the sign-in takes {len(sealed)} bytes of {LARGEST_COOKIE * MOST_COOKIES}"
        raise invalid("SIGN_IN_TOO_LARGE", message)
    return [sealed[at : at + LARGEST_COOKIE] for at in range(0, len(sealed), LARGEST_COOKIE)]


def whole(cookies: Mapping[str, str], name: str) -> str:
    """What came in the cookies of a session, put together; "" where none came."""
    return "".join(cookies.get(each, "") for each in part_names(name))
