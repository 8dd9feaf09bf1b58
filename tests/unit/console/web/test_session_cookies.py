"""A session in cookies: as many as it takes, each of which browsers keep, and all of them or none."""

import json
from random import Random

import pytest
from cryptography.fernet import Fernet
from fastapi.responses import Response
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.console.web.session_cookies import LARGEST_COOKIE, MOST_COOKIES, in_parts, part_names, whole
from services.console.web.sessions import Seal, opened_session, sealed_session
from tests.support.clock import NOON_US, ManualClock
from tests.support.forging import segment
from tests.support.small_pages import a_session, small_pages

LARGEST_IN_BROWSERS = 4_096
"""Bytes of a cookie with its name and attributes (RFC 6265, 6.1)."""


def an_agents_token(subjects: int) -> str:
    """As large as one with so many of the longest ids."""
    ids = [str(Random(number).randrange(10**19, 2**64)) for number in range(subjects)]
    claims = json.dumps({"iss": "https://id.example", "kind": "agent", "subjects": ids})
    return f"{segment('{}')}.{segment(claims)}.{'a' * 342}"


@given(sealed=st.integers(0, LARGEST_COOKIE * MOST_COOKIES).map(lambda length: "ab" * (length // 2)))
def test_what_is_put_in_parts_is_whole_again(sealed: str) -> None:
    parts = in_parts(sealed)

    assert whole(dict(zip(part_names("it"), parts, strict=False)), "it") == sealed
    assert all(0 < len(part) <= LARGEST_COOKIE for part in parts)


def test_an_agent_of_256_subjects_has_a_session_that_browsers_keep() -> None:
    small = small_pages(ManualClock(NOON_US), origin="https://settings.example")
    session, response = a_session(kind="agent", token=an_agents_token(256)), Response()

    small.page.keep_session(response, session)
    lines = [value for name, value in response.raw_headers if name == b"set-cookie"]
    kept = dict(line.decode().partition(";")[0].split("=", 1) for line in lines)

    assert len(lines) == MOST_COOKIES
    assert all(len(line) < LARGEST_IN_BROWSERS for line in lines)
    sealed = whole(kept, small.page.cookie("session"))
    assert opened_session(small.page.seal, sealed.replace('"', ""), NOON_US) == session


def test_without_one_of_its_parts_or_with_one_of_another_it_is_none() -> None:
    seal = Seal([Fernet.generate_key()])
    one, other = (
        in_parts(sealed_session(seal, a_session(id=id, token=an_agents_token(200))))
        for id in ("one", "other")
    )
    mixed = [one[0], *other[1:]]

    assert len(one) > 1
    for parts in (one[:-1], one[1:], mixed):
        assert opened_session(seal, "".join(parts), NOON_US) is None


def test_a_sign_in_that_browsers_would_drop_in_silence_is_refused() -> None:
    with pytest.raises(Refusal, match="SIGN_IN_TOO_LARGE"):
        in_parts("a" * (LARGEST_COOKIE * MOST_COOKIES + 1))
