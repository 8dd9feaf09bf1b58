"""A made-up platform of a few accounts, known to consent, with a file of their posts."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.chassis.clock import SystemClock
from services.console import choices, subjects
from services.console.demo.world import Account, make_accounts, write_posts
from tests.support.fleet import NOTICE, Fleet

STATED_AT = "2024-01-01T00:00:00Z"


@dataclass(frozen=True)
class Platform:
    """Posts, and those who wrote them."""

    posts: Path
    accounts: list[Account]


async def a_platform(fleet: Fleet, folder: Path, *, posts: int, accounts: int, seed: int) -> Platform:
    """Posts by accounts, of which every tenth opted out; one line in the middle is torn."""
    platform = _made_up(folder, posts, accounts, seed)
    await fleet.import_subjects(
        _csv(
            folder / "subjects.csv",
            subjects.COLUMNS,
            (
                (account.id, account.jurisdiction, account.state, NOTICE if account.noticed else "")
                for account in platform.accounts
            ),
        )
    )
    await fleet.import_choices(
        _csv(
            folder / "choices.csv",
            choices.COLUMNS,
            ((account.id, "deny", "", "", STATED_AT, "", "settings") for account in platform.accounts[::10]),
        )
    )
    return platform


async def known_subjects(fleet: Fleet, file: Path, count: int) -> None:
    """Has consent know subjects 1 to `count`, in the US, who chose nothing: their posts may go."""
    rows = ((number, "US", "", NOTICE) for number in range(1, count + 1))
    await fleet.import_subjects(_csv(file, subjects.COLUMNS, rows))


def _made_up(folder: Path, posts: int, accounts: int, seed: int) -> Platform:
    folder.mkdir(parents=True)
    platform = Platform(folder / "posts.jsonl", make_accounts(accounts, seed))
    for _ in write_posts(platform.posts, platform.accounts, posts, seed, SystemClock().now_us()):
        continue
    lines = platform.posts.read_bytes().splitlines(keepends=True)
    lines[posts // 2] = lines[posts // 2][:40] + b"\n"
    platform.posts.write_bytes(b"".join(lines))
    return platform


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path
