"""The made-up platform of the demo."""

import json
from pathlib import Path
from typing import Any

from services.console.demo.world import Account, make_accounts, write_posts

NOW_US = 1_760_000_000_000_000


def written(folder: Path, accounts: list[Account], seed: int = 1, count: int = 3_000) -> list[bytes]:
    path = folder / f"{seed}.jsonl"
    assert list(write_posts(path, accounts, count, seed, NOW_US))[-1] == count
    return path.read_bytes().splitlines()


def whole(lines: list[bytes]) -> list[dict[str, Any]]:
    """The posts of the lines that are not torn."""
    return [json.loads(line) for line in lines if line.count(b"{") == line.count(b"}")]


def test_the_same_seed_makes_the_same_world(tmp_path: Path) -> None:
    accounts = make_accounts(200, seed=1)

    assert accounts == make_accounts(200, seed=1)
    assert accounts != make_accounts(200, seed=2)
    assert written(tmp_path, accounts) == written(tmp_path, accounts)
    assert written(tmp_path, accounts) != written(tmp_path, accounts, seed=2)


def test_accounts_have_ids_of_their_own_beyond_what_floats_can_tell_apart() -> None:
    ids = [account.id for account in make_accounts(5_000, seed=1)]

    assert len(set(ids)) == 5_000
    assert min(ids) > 2**53


def test_posts_have_ids_of_their_own_and_none_is_of_the_future(tmp_path: Path) -> None:
    posts = whole(written(tmp_path, make_accounts(200, seed=1)))

    ids = [int(post["id_str"]) for post in posts]
    assert ids == sorted(set(ids))
    assert (max(ids) >> 22) + 1_288_834_974_657 < NOW_US // 1_000


def test_posts_embed_earlier_ones_and_some_are_only_named(tmp_path: Path) -> None:
    posts = whole(written(tmp_path, make_accounts(200, seed=1)))

    reposts = [post for post in posts if "retweeted_status" in post]
    named = [post for post in posts if "quoted_status_id_str" in post and "quoted_status" not in post]
    assert all(post["retweeted_status"]["id"] < post["id"] for post in reposts)
    assert len(reposts) > 100
    assert named


def test_a_few_accounts_write_most_of_the_posts(tmp_path: Path) -> None:
    posts = whole(written(tmp_path, make_accounts(200, seed=1)))

    authors = [post["user"]["id_str"] for post in posts]
    most = sorted((authors.count(author) for author in set(authors)), reverse=True)
    assert sum(most[:20]) > len(posts) / 2


def test_now_and_then_a_line_is_torn(tmp_path: Path) -> None:
    lines = written(tmp_path, make_accounts(50, seed=1), count=100_000)

    assert len(lines) == 100_000
    assert 0 < len(lines) - len(whole(lines)) < 20
