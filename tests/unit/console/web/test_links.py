"""Links that sign somebody in once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.console.web.links import GOOD_FOR_US, Links
from tests.support.clock import ManualClock


@pytest.fixture
def links(tmp_path: Path) -> Links:
    return Links(tmp_path / "links", ManualClock())


def _clock(links: Links) -> ManualClock:
    assert isinstance(links.clock, ManualClock)
    return links.clock


def _take(links: Links, code: str) -> str:
    with links.taking(code) as token:
        return token


def _is_none(links: Links, code: str) -> bool:
    with pytest.raises(Refusal, match="LINK_USED"):
        _take(links, code)
    return True


def test_a_link_gives_its_token_once_and_leaves_nothing(links: Links) -> None:
    code = links.make("a token")

    assert _take(links, code) == "a token"
    assert _is_none(links, code)
    assert list(links.folder.iterdir()) == []


def test_of_several_who_follow_a_link_at_once_one_comes_in(links: Links) -> None:
    code = links.make("a token")

    def follow(_: int) -> str:
        try:
            return _take(links, code)
        except Refusal:
            return ""

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(follow, range(8)))

    assert sorted(came)[-2:] == ["", "a token"]


def test_a_link_by_which_nobody_could_come_in_can_be_followed_again(links: Links) -> None:
    code = links.make("a token")

    with pytest.raises(Refusal, match="PEER_UNAVAILABLE"), links.taking(code):
        # Meanwhile it is nobody else's.
        assert _is_none(links, code)
        raise unavailable("PEER_UNAVAILABLE", "consent does not answer")

    assert _take(links, code) == "a token"


def test_a_link_leads_nowhere_after_an_hour(links: Links) -> None:
    code = links.make("a token")
    _clock(links).advance(GOOD_FOR_US)

    assert _is_none(links, code)
    assert list(links.folder.iterdir()) == []


def test_links_that_nobody_followed_are_gone_when_another_is_made(links: Links) -> None:
    links.make("a token")
    (links.folder / "left.taken").write_text('{"token": "of one who died", "until_us": 1}')
    _clock(links).advance(GOOD_FOR_US)

    code = links.make("another")

    assert len(list(links.folder.iterdir())) == 1
    assert _take(links, code) == "another"


@pytest.mark.parametrize("code", ["", "..", "../../etc/passwd", "\0", "\u00e9", "x" * 100])
def test_a_code_that_nobody_made_leads_nowhere(links: Links, code: str) -> None:
    links.make("a token")

    assert _is_none(links, code)


def test_links_lie_where_nobody_else_reads_them_and_do_not_say_their_code(links: Links) -> None:
    code = links.make("a token")

    (file,) = links.folder.iterdir()

    assert stat.S_IMODE(links.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code not in file.name
    assert code not in file.read_text()
