"""`--content URL`: what the login wall stands before."""

import pytest

from services.chassis.refusals import Refusal
from services.console.gateway.local import content_of
from services.console.gateway.values import Content


def test_pages_are_named_by_their_url() -> None:
    assert content_of("http://pages.example/posts/") == Content(prefix="/posts/", address="pages.example:80")
    assert content_of("http://127.0.0.1:9000/p/").address == "127.0.0.1:9000"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://pages.example/posts/", "http://HOST:PORT/PREFIX/"),
        ("http://pages.example", "http://HOST:PORT/PREFIX/"),
        ("http://[::1/posts/", "Invalid IPv6 URL"),
        ("http://127.0.0.1:99999/posts/", "Port out of range"),
        ("http://127.0.0.1:9000/v1/", "the paths of the API are not content"),
    ],
)
def test_what_cannot_be_content_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        content_of(url)

    assert refused.value.reason == "CONTENT_MALFORMED"
