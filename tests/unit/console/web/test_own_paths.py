"""Where pages go on to: never to where somebody else would have them go."""

from dataclasses import asdict, replace
from urllib.parse import quote, urljoin, urlsplit

import pytest
from cryptography.fernet import Fernet
from hypothesis import example, given
from hypothesis import strategies as st

from services.console.web.authorizing import Pending
from services.console.web.own_paths import LONGEST_PATH, next_of, own_path, path_within
from services.console.web.sessions import LARGEST_COOKIE, Seal

HERE = "https://settings.example.com"
PIECES = st.lists(
    st.sampled_from(
        [
            *("/", "\\", ".", "..", "\t", "\n", "\r", "\0", " ", "\u2028", "\uff0f", "\u00a0", "\udc80"),
            *("evil.example", "http:", "https:", "javascript:", "@", ":", "?", "#", "%2f", "%5c", "%09", "a"),
        ]
    ),
    max_size=8,
).map("".join)


def _as_browsers_read(text: str) -> str:
    """WHATWG URL, 4.4: they strip the ends, drop tabs and line feeds, and take a backslash for a slash."""
    ends = "".join(map(chr, range(0x21)))
    kept = "".join(letter for letter in text.strip(ends) if letter not in "\t\n\r")
    return kept.replace("\\", "/")


@given(PIECES | st.text(max_size=30))
@example("/\t/evil.example")
@example("/\\evil.example")
@example("//evil.example")
@example("///evil.example")
@example("/.//evil.example")
@example("https:evil.example")
def test_what_is_gone_on_to_is_here_for_every_reader(text: str) -> None:
    path = own_path(text)

    for read in (path, _as_browsers_read(path)):
        where = urlsplit(urljoin(f"{HERE}/halts", read))
        assert (where.scheme, where.netloc) == ("https", "settings.example.com")


@pytest.mark.parametrize("path", ["/", "/halts", "/halts?page=2&of=a%20b", "/a/../b", "/%2f%2fevil.example"])
def test_a_path_of_ours_is_kept_as_it_is(path: str) -> None:
    assert own_path(path) == path


def test_a_path_that_no_page_of_ours_could_have_leads_to_the_first_page() -> None:
    assert own_path("/" + "a" * LONGEST_PATH) == "/"


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\u65e5", "\U0001f600", '"', "%"])
def test_a_path_is_no_longer_than_a_cookie_and_a_header_take(letter: str) -> None:
    seal = Seal([Fernet.generate_key()])
    pending = Pending(state="s" * 43, nonce="n" * 43, verifier="v" * 64, next="")

    for many in (150, 200, 300, 600, 1_999):
        path = own_path("/" + letter * many)
        assert len(quote(path, safe="/%")) <= LONGEST_PATH
        assert len(seal.seal("pending", asdict(replace(pending, next=path)))) <= LARGEST_COOKIE
    assert own_path("/" + letter * 150) == "/" + letter * 150


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (f"{HERE}/halts?page=2", "/halts?page=2"),
        (HERE, "/"),
        ("", "/"),
        (f"{HERE}.evil.example/halts", "/"),
        (f"{HERE}:444/halts", "/"),
        (f"{HERE}@evil.example/halts", "/"),
        (f"{HERE}//evil.example/halts", "/"),
        ("http://settings.example.com/halts", "/"),
    ],
)
def test_the_path_of_an_address_is_that_of_our_own_origin_alone(address: str, path: str) -> None:
    assert path_within(address, HERE) == path


def test_the_query_of_a_page_is_come_back_to() -> None:
    assert next_of("/halts", "page=2") == "/halts?page=2"
    assert next_of("/halts", "") == "/halts"
    assert next_of("//evil.example", "page=2") == "/"
