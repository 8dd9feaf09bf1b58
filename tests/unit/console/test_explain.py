"""`sluice license explain --post`, of posts that are in a file and of others."""

import json
from pathlib import Path

import numpy as np
import pytest

from sluice.licensing.v1.explanation_service_pb2 import ExplainReleaseResponse
from sluice.licensing.v1.reason_pb2 import Reason
from tests.support.command_line import Cli
from tests.support.scripted import Script

POST = {
    "id": "101",
    "author_id": 1,
    "created_at": "2026-01-31T12:00:00Z",
    "kind": "post",
    "language": "en",
}
RELEASED = ExplainReleaseResponse(
    reasons=bytes([Reason.REASON_RELEASED]),
    all_reasons=np.array([1 << Reason.REASON_RELEASED], "<u8").tobytes(),
    license_version=1,
)


@pytest.fixture
def command(tmp_path: Path) -> list[object]:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps(POST) + "\n", encoding="utf-8")
    return ["license", "explain", "acme", posts, "--purpose", "ai_input"]


def test_a_post_that_is_not_in_the_file_is_said_to_be_missing_beside_those_that_are(
    script: Script, cli: Cli, command: list[object]
) -> None:
    script.answer("ExplainRelease", RELEASED)

    asked = [*command, "--post", "101", "--post", "999", "--post", "998"]
    rows = cli.json(*asked)
    noted = json.loads(cli.err.splitlines()[-1])
    said = cli(*asked)

    assert [row["post_id"] for row in rows] == ["101"]
    assert noted == {"missing": ["998", "999"]}
    assert said.splitlines()[-1].split() == ["1", "101", "released"]
    assert "Not in posts.jsonl, or not readable there: post 998, 999." in cli.err


def test_where_none_of_the_posts_is_in_the_file_there_is_no_answer(cli: Cli, command: list[object]) -> None:
    assert cli(*command, "--post", "999", status=1) == ""
    assert "POST_UNKNOWN: not in posts.jsonl, or not readable there: post 999" in cli.err
