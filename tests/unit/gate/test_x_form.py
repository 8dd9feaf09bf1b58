"""The raw X form: what is read of a post and of the posts inside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from sluice_gate.posts import Broken, Post, Record
from sluice_gate.reading.forms import Format, PostForm
from sluice_gate.reading.reader import PostReader
from sluice_gate.reading.values import IMAGE, OTHER_MEDIA, POST, QUOTE, REPLY, REPOST, VIDEO, Unreadable
from sluice_gate.reading.x_form import post_of

TIME = "Tue Apr 19 00:02:06 +0000 2016"


def a_status(id: int = 10, author: int = 1, **more: Any) -> dict[str, Any]:
    user = {"id_str": str(author), "id": author}
    return {"id_str": str(id), "id": id, "user": user, "created_at": TIME, "lang": "en", **more}


def test_a_post_of_its_own_is_read_with_exact_ids() -> None:
    status = a_status(2**63 + 1, 2**53 + 1)
    status["id"] = float(2**63 + 1)

    post = post_of(status)

    assert post == Post(2**63 + 1, 2**53 + 1, POST, 0, "en", 1_461_024_126_000_000, ())


@pytest.mark.parametrize(
    ("marks", "kind"),
    [
        ({"retweeted_status": a_status(11), "in_reply_to_status_id_str": "5"}, REPOST),
        ({"in_reply_to_user_id_str": "5", "is_quote_status": True, "quoted_status": a_status(11)}, REPLY),
        ({"in_reply_to_user_id_str": None, "is_quote_status": True, "quoted_status": a_status(11)}, QUOTE),
        ({"is_quote_status": False, "retweeted_status": None}, POST),
    ],
)
def test_the_kind_goes_by_precedence_M5(marks: dict[str, Any], kind: int) -> None:  # noqa: N802
    assert post_of(a_status(**marks)).kind == kind


def test_media_are_what_the_extended_entities_say() -> None:
    photo, video, gif = ({"type": kind} for kind in ("photo", "video", "animated_gif"))

    disguised = a_status(entities={"media": [photo]}, extended_entities={"media": [video, gif]})
    plain = a_status(entities={"media": [photo]})

    assert post_of(disguised).media_flags == VIDEO + OTHER_MEDIA
    assert post_of(plain).media_flags == IMAGE


def test_embeds_are_found_at_any_depth_C6() -> None:  # noqa: N802
    innermost = a_status(13, 4)
    quote = a_status(12, 3, is_quote_status=True, quoted_status_id_str="13", quoted_status=innermost)
    reposted = a_status(11, 2, is_quote_status=True, quoted_status_id_str="12", quoted_status=quote)

    post = post_of(a_status(retweeted_status=reposted, is_quote_status=True))

    assert post.embeds == ((11, 2), (12, 3), (13, 4))


def test_a_post_that_is_only_named_has_an_unnamed_author_C6() -> None:  # noqa: N802
    quote = a_status(12, 3, is_quote_status=True, quoted_status_id=2**60)

    post = post_of(a_status(is_quote_status=True, quoted_status_id_str="12", quoted_status=quote))

    assert post.embeds == ((12, 3), (2**60, 0))


def test_a_post_that_is_named_in_one_place_and_at_hand_in_another_has_its_author() -> None:
    reposted = a_status(11, 2, is_quote_status=True, quoted_status_id=12, quoted_status=a_status(12, 3))

    post = post_of(a_status(retweeted_status=reposted, is_quote_status=True, quoted_status_id=12))

    assert post.embeds == ((11, 2), (12, 3))


@pytest.mark.parametrize(
    "status",
    [
        a_status(is_quote_status=True),
        a_status(is_quote_status=True, retweeted_status=a_status(11, 3)),
        a_status(retweeted_status=a_status(11, 3, is_quote_status=True)),
    ],
)
def test_a_quote_of_nothing_that_is_known_cannot_be_released_C6(status: dict[str, Any]) -> None:  # noqa: N802
    assert (0, 0) in post_of(status).embeds


def test_an_embedded_post_without_a_user_has_an_unnamed_author_C6() -> None:  # noqa: N802
    reposted = a_status(11)
    del reposted["user"]

    assert post_of(a_status(retweeted_status=reposted)).embeds == ((11, 0),)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ([], "not a JSON object"),
        ({"user": {"id_str": "1"}, "created_at": TIME}, "id is missing"),
        ({"id": 1.5e18, "user": {"id_str": "1"}, "created_at": TIME}, "id is not a number"),
        ({"id": True, "user": {"id_str": "1"}, "created_at": TIME}, "id is not a number"),
        (a_status(2**64), "id is not an unsigned 64-bit number"),
        (a_status(user={"id_str": "\u0661"}), "author is not a number"),
        (a_status(user="me"), "user is not an object"),
        (a_status(retweeted_status="x"), "retweeted_status is not an object"),
        (a_status(lang="en\nfr"), "language is not a language tag"),
        (a_status(lang="x" * 36), "language is not a language tag"),
        (a_status(created_at=None), "time is not in a known form"),
        (a_status(created_at="Tue Feb 30 00:02:06 +0000 2016"), "time names a day that does not exist"),
    ],
)
def test_what_cannot_be_read_says_why_without_quoting_it(status: Any, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        post_of(status)


def test_more_embeds_than_a_request_can_hold_break_the_line() -> None:
    status = a_status(1000)
    for id in range(100, 165):
        status = a_status(id, is_quote_status=True, quoted_status=status)

    with pytest.raises(Unreadable, match="more than 64 embedded posts"):
        post_of(status)


def test_a_broken_line_stops_nothing_and_is_named(tmp_path: Path) -> None:
    good = json.dumps(a_status()).encode()
    lines = [good + b"\r\n", b"\n", b"{broken\n", b'{"a": NaN}\n', b"\xff\n", b"[" * 100_000 + b"\n", good]
    posts = tmp_path / "posts.jsonl"
    posts.write_bytes(b"\xef\xbb\xbf" + b"".join(lines))

    reader = PostReader(posts, PostForm(Format.X_API))
    found = list(reader.read())

    assert reader.preamble == b"\xef\xbb\xbf"
    assert [entry.raw for entry in found if isinstance(entry, Record)] == [lines[0], lines[6]]
    assert [(entry.line, entry.reason.split(":")[0]) for entry in found if isinstance(entry, Broken)] == [
        (3, "not JSON"),
        (4, "NaN and Infinity are not JSON"),
        (5, "not UTF-8"),
        (6, "nested too deep"),
    ]


def test_a_line_over_the_limit_is_broken_and_never_held(tmp_path: Path) -> None:
    good = json.dumps(a_status()).encode() + b"\n"
    posts = tmp_path / "posts.jsonl"
    posts.write_bytes(good + b"x" * 5_000 + b"\n" + good)

    found = list(PostReader(posts, PostForm(Format.X_API), limit=500).read())

    assert [(type(entry), entry.line) for entry in found] == [(Record, 1), (Broken, 2), (Record, 3)]
    assert isinstance(found[1], Broken)
    assert (found[1].start, found[1].end, found[1].reason) == (len(good), len(good) + 5_001, "too long")
