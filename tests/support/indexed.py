"""Releases in licensing's ledger, to be found again by their contributors and posts."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from services.chassis.database import Database
from services.licensing.domain.manifests import manifest_of
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import Reason
from services.licensing.domain.released import EVERY_UNRESOLVED, KeyKind, released_of
from services.licensing.storage.head import lock_head, take_number
from services.licensing.storage.ledger_tables import ManifestRow
from services.licensing.storage.released import write_released
from tests.support.clock import NOON_US
from tests.support.counted import DECISIONS, Made, values

MANIFESTS = ManifestRow.metadata.tables["manifests"]


@dataclass(frozen=True)
class Post:
    """A post of a decision."""

    id: int
    author: int
    embeds: tuple[tuple[int, int], ...] = ()
    """(id, author) of each."""
    released: bool = True


@dataclass(frozen=True)
class Release:
    """A decision, as it is recorded."""

    posts: tuple[Post, ...]
    resolved: bool = True
    """False: as a release of the program recorded it that kept the manifest alone."""
    licensee_id: str = "acme"
    purpose: int = 2
    decided_at_us: int = NOON_US

    @property
    def released(self) -> list[Post]:
        return [post for post in self.posts if post.released]

    def keys(self, kind: KeyKind) -> set[int]:
        """By what it is found."""
        posts = self.released
        if kind is KeyKind.UNRESOLVED:
            return {EVERY_UNRESOLVED} if posts and not self.resolved else set()
        if kind is KeyKind.CONTRIBUTOR:
            return {p.author for p in posts} | {author for p in posts for _, author in p.embeds}
        embedded = {id for p in posts for id, _ in p.embeds} if self.resolved else set()
        return {p.id for p in posts} | embedded


@dataclass
class Remembered:
    """The slow index: a set of numbers for each key."""

    numbers: dict[tuple[KeyKind, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    last: int = 0

    def add(self, releases: Sequence[Release]) -> None:
        for release in releases:
            self.last += 1
            for kind in KeyKind:
                for key in release.keys(kind):
                    self.numbers[kind, key].add(self.last)

    def keys(self, kind: KeyKind) -> list[int]:
        return sorted(key for of_kind, key in self.numbers if of_kind is kind)

    def find(self, kind: KeyKind, keys: Sequence[int]) -> list[list[int]]:
        return [sorted(self.numbers.get((kind, key), ())) for key in keys]


def batch_of(posts: Sequence[Post]) -> Batch:
    """A request for these posts."""
    embeds = [embed for post in posts for embed in post.embeds]
    offsets = np.cumsum([0, *(len(post.embeds) for post in posts)])
    return Batch.of(
        license_id="license-1",
        purpose=2,
        languages=["en"],
        ids=np.array([post.id for post in posts], np.uint64),
        author_ids=np.array([post.author for post in posts], np.uint64),
        kinds=np.ones(len(posts), np.uint8),
        media_flags=np.zeros(len(posts), np.uint8),
        posted_at_us=np.full(len(posts), NOON_US),
        language_indexes=np.zeros(len(posts), np.uint8),
        embed_offsets=offsets,
        embed_ids=np.array([id for id, _ in embeds], np.uint64),
        embed_author_ids=np.array([author for _, author in embeds], np.uint64),
    )


def some_releases(chance: random.Random, count: int, authors: int = 12, posts: int = 6) -> list[Release]:
    """Small ones, of ids that meet again, some of them at the ends of what an id can be."""
    ids = [1, 2**63 - 1, 2**63, 2**64 - 1, *range(1000, 1000 + authors)]

    def a_post(id: int) -> Post:
        embeds = tuple(
            (chance.randrange(1, 40), chance.choice(ids)) for _ in range(chance.choice([0, 0, 1, 3]))
        )
        return Post(id, chance.choice(ids), embeds, released=chance.random() < 0.8)

    return [
        Release(
            tuple(a_post(id) for id in chance.sample(range(1, 60), chance.randint(1, posts))),
            resolved=chance.random() < 0.8,
            licensee_id=chance.choice(["acme", "beta"]),
            purpose=chance.choice([2, 5]),
            decided_at_us=NOON_US + number * 1_000_000,
        )
        for number in range(count)
    ]


def record_releases(database: Database, releases: Sequence[Release]) -> list[str]:
    """Writes them into the ledger, each with the next number; their decision ids."""

    def unit(connection: Connection) -> list[str]:
        lock_head(connection)
        return [_record(connection, release) for release in releases]

    return database.write_now(unit)


def _record(connection: Connection, release: Release) -> str:
    reasons = [Reason.RELEASED if post.released else Reason.CHOICE_DENIES for post in release.posts]
    made = Made(release.decided_at_us, release.licensee_id, release.purpose, tuple(reasons))
    number = take_number(connection)
    more: dict[str, Any] = {
        "posts_released": len(release.released),
        "recorded_at_us": release.decided_at_us,
        "receipt": f"header.claims-of-{number}.signature",
    }
    row = values(made, number) | more
    connection.execute(insert(DECISIONS), row)
    batch, mask = batch_of(release.posts), np.array([post.released for post in release.posts])
    manifest = manifest_of(batch, mask, bytes(32))
    connection.execute(
        insert(MANIFESTS),
        {
            "decision_id": row["decision_id"],
            "root": manifest.root,
            "leaves": len(manifest),
            "contributors": manifest.contributors.tobytes(),
            "post_offsets": manifest.post_offsets.tobytes(),
            "post_ids": manifest.post_ids.tobytes(),
        },
    )
    if release.resolved and mask.any():
        write_released(connection, number, released_of(batch, mask))
    return str(row["decision_id"])
