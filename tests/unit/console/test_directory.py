"""`sluice directory`, against a directory that answers as it is told."""

from pathlib import Path

from services.directory.domain.posts import Post
from services.directory.rpc.columns import columns_of, posts_of
from sluice.directory.v1 import directory_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.scripted import Script

POSTED_US = 1_769_860_800_000_000
GOOD = (
    '{"id": "%d", "author_id": "7", "kind": "post", "created_at": "2026-01-31T12:00:00Z", "language": "en"}\n'
)


def test_files_are_taken_in_and_what_cannot_be_is_listed(script: Script, cli: Cli, tmp_path: Path) -> None:
    faulty = pb.PutPostsResponse(posts_kept=1, faults=[pb.PostFault(position=1, fault="it has the id 0")])
    script.answer("PutPosts", faulty, pb.PutPostsResponse(posts_kept=1))
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(GOOD % 11 + "{broken\n" + GOOD % 0)
    two.write_text(GOOD % 12)

    answer = cli.json("directory", "import", one, two, status=1)

    assert answer["kept"] == 2
    assert [(each["file"], each["line"], each["reason"]) for each in answer["rejected"]] == [
        (str(one), 2, "LINE_BROKEN"),
        (str(one), 3, "POST_FAULTY"),
    ]
    assert answer["rejected"][1]["message"] == "it has the id 0"
    sent = [post for request in script.asked["PutPosts"] for post in posts_of(request)]
    assert sent == [Post(id, 7, 1, 0, POSTED_US, "en", ()) for id in (11, 0, 12)]


def test_a_wrong_file_is_noticed_before_anything_is_sent(script: Script, cli: Cli, tmp_path: Path) -> None:
    good, wrong = tmp_path / "good.jsonl", tmp_path / "wrong.json"
    good.write_text(GOOD % 11)
    wrong.write_text("[1, 2]\n")

    assert cli.refusal("directory", "import", good, wrong)["reason"] == "JSON_ARRAY"
    assert script.asked["PutPosts"] == []


def test_what_is_known_of_a_post_is_shown(script: Script, cli: Cli) -> None:
    answer = pb.GetPostsResponse(
        posts=columns_of([Post(2**64 - 1, 7, 3, 1, POSTED_US, "en", ((5, 0), (6, 8)))])
    )
    answer.as_of.FromMicroseconds(POSTED_US)
    script.answer("GetPosts", answer)

    said = cli("directory", "show", 2**64 - 1)
    told = cli.json("directory", "show", 2**64 - 1)

    assert "5 by nobody at hand, 6 by 8" in said
    assert (told["id"], told["kind"], told["posted_at"]) == (
        "18446744073709551615",
        "quote",
        "2026-01-31T12:00:00.000000Z",
    )


def test_a_post_that_is_not_known_is_said_to_be_so(script: Script, cli: Cli) -> None:
    script.answer("GetPosts", pb.GetPostsResponse(posts=columns_of([])))

    assert cli.refusal("directory", "show", 5)["reason"] == "POST_UNKNOWN"
