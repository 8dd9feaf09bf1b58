"""What the story is played with: the services, the posts, the accounts, and the moves that commands make."""

import csv
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from services.console import choices, subjects
from services.console.connections import Connections
from services.console.credentials import TokenSource
from services.console.demo.narrator import Step
from services.console.demo.papers import NOTICE_DIGEST, PURPOSE
from services.console.demo.world import Account
from services.console.imports import Totals, import_chunks
from services.console.installation import StateFolder
from services.console.options import purpose_number
from services.console.releases import Releasing
from services.console.rows import read_chunks
from sluice_gate.plan import Plan
from sluice_gate.posts import Post, Record
from sluice_gate.reading.forms import PostForm, detect
from sluice_gate.reading.reader import PostReader
from sluice_gate.report import Report


@dataclass
class Stage:
    """Everything at hand. What a chapter finds out and a later one needs is kept in the fields at the end."""

    folder: Path
    """For files of posts and what comes out of them."""
    state: StateFolder
    seed: int
    operator: Connections
    pipeline: TokenSource
    licensing: str
    """Where licensing is, host:port."""
    posts: Path = Path()
    posts_count: int = 0
    """Posts in that file."""
    form: PostForm | None = None
    accounts: list[Account] = field(default_factory=list)
    declined: set[int] = field(default_factory=set)
    """Accounts that opted out."""
    first: "Released | None" = None
    """The first whole release."""
    changed_their_mind: int = 0
    """Who opted out in the middle of the story."""

    def use_posts(self, posts: Path, count: int) -> None:
        """The file that releases are made from, of so many posts; raises GateError if its form is unclear."""
        self.posts, self.posts_count, self.form = posts, count, PostForm(detect(posts))

    async def import_subjects(self, step: Step) -> Totals:
        """Imports every account, as `sluice subjects import` does."""
        file = self._write_csv(
            "subjects.csv",
            subjects.COLUMNS,
            (
                (account.id, account.jurisdiction, account.state, NOTICE_DIGEST if account.noticed else "")
                for account in self.accounts
            ),
        )
        size = file.stat().st_size
        return await import_chunks(
            read_chunks(file, subjects.FORM, subjects.read_subject),
            subjects.destination(self.operator),
            lambda done: step.advance(done, size),
        )

    async def import_choices(self, stance: str, ids: Iterable[int]) -> Totals:
        """Imports a choice of each of `ids`, for everyone and everything, as `sluice choices import` does."""
        now = datetime.now(UTC).isoformat()
        file = self._write_csv(
            f"{stance}.csv",
            choices.COLUMNS,
            ((id, stance, "", "", now, NOTICE_DIGEST, "settings") for id in sorted(ids)),
        )
        return await import_chunks(
            read_chunks(file, choices.FORM, choices.read_choice),
            choices.destination(self.operator),
        )

    async def release(
        self, name: str, license: str, posts: Path, step: Step | None = None, batch_size: int = 1_000
    ) -> "Released":
        """A whole job, as `sluice release` does it."""
        assert self.form is not None
        out = self.folder / f"{name}{posts.suffix}"
        plan = Plan(posts, out, license, purpose_number(PURPOSE), self.form, batch_size=batch_size)

        def on_progress(done: int, size: int, _report: Report) -> None:
            if step is not None:
                step.advance(done, size)

        report = await Releasing(plan, self.licensing, self.pipeline, on_progress).run()
        return Released(out, report, self.form)

    def some_posts(self, count: int) -> Path:
        """A file of the first `count` lines."""
        file = self.folder / f"first-{count}{self.posts.suffix}"
        with self.posts.open("rb") as posts, file.open("wb") as some:
            some.writelines(itertools.islice(posts, count))
        return file

    def _write_csv(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
        path = self.folder / name
        with path.open("w", encoding="ascii", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
        return path


@dataclass(frozen=True)
class Released:
    """A release: its output and its figures."""

    out: Path
    report: Report
    form: PostForm

    def contributors(self) -> Iterator[tuple[int, frozenset[int]]]:
        """For each post in the output its author and everybody whose post is in it, read from the file."""
        return contributors(self.out, self.form)

    def with_anything_of(self, person: int) -> set[int]:
        """Ids of the posts in the output that somebody wrote or contributed to."""
        with closing(PostReader(self.out, self.form)) as reader:
            posts = (record.post for record in reader.read() if isinstance(record, Record))
            return {post.id for post in posts if person in _contributors(post)}

    def posts_by(self) -> Counter[int]:
        """Posts in the output by author."""
        return Counter(author for author, _ in self.contributors())

    def decision_ids(self) -> list[str]:
        """The decisions of the job, in the order of its receipts."""
        receipts = self.out.with_name(f"{self.out.name}.receipts.jsonl")
        with receipts.open("rb") as lines:
            return [str(json.loads(line)["decision_id"]) for line in lines]


def contributors(posts: Path, form: PostForm) -> Iterator[tuple[int, frozenset[int]]]:
    """For each post of a file its author and all who contributed to it; broken lines are passed over."""
    with closing(PostReader(posts, form)) as reader:
        for record in reader.read():
            if isinstance(record, Record):
                yield record.post.author_id, _contributors(record.post)


def _contributors(post: Post) -> frozenset[int]:
    return frozenset({post.author_id, *(author for _, author in post.embeds)})
