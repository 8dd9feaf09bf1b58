"""Decisions put on record by the thousand, as the ledger has them, for what is measured over it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, insert, update

from services.chassis.bulk import Insertion
from services.chassis.database import Database
from services.licensing.domain.posts import Ids
from services.licensing.domain.reasons import Reason
from services.licensing.domain.released import Released
from services.licensing.storage.head import HeadRow, lock_head
from services.licensing.storage.released import write_released
from tests.support.counted import DECISIONS, Made, values

RECEIPT = "r" * 1_000
CONSENT_REVISION = 1
"""On which all releases rest."""
PERMIT_US = 30_000_000
AUTHOR_STEP = np.uint64(12_345_678_901_237)
_HEAD = HeadRow.metadata.tables["head"]
_MANIFESTS = Insertion(
    "manifests",
    {
        "decision_id": "text",
        "root": "bytea",
        "leaves": "integer",
        "contributors": "bytea",
        "post_offsets": "bytea",
        "post_ids": "bytea",
    },
)


class Recorded(NamedTuple):
    """A release with what its manifest has."""

    released: Released
    contributors: bytes
    post_offsets: bytes
    post_ids: bytes


def add_receipts(database: Database, count: int, decided_at_us: int) -> None:
    """Receipts with the next numbers, of one post each, in one transaction."""
    made = Made(decided_at_us, "acme", 2, (Reason.RELEASED,))

    def unit(connection: Connection) -> None:
        first = lock_head(connection).next_number
        more = {"posts_released": 1, "recorded_at_us": decided_at_us}
        numbers = range(first, first + count)
        rows = [values(made, number) | more | {"receipt": f"{RECEIPT}{number}"} for number in numbers]
        connection.execute(insert(DECISIONS), rows)
        connection.execute(update(_HEAD).values(next_number=first + count))

    database.write_now(unit)


def add_releases(database: Database, releases: Sequence[Recorded], decided_at_us: int) -> None:
    """Releases with the next numbers, with manifests (their roots left empty) and columns, likewise."""

    def unit(connection: Connection) -> None:
        first, manifests = lock_head(connection).next_number, list[tuple[object, ...]]()
        more = {
            "consent_epoch": 1,
            "consent_revision": CONSENT_REVISION,
            "not_after_us": decided_at_us + PERMIT_US,
            "recorded_at_us": decided_at_us,
            "receipt": RECEIPT,
        }
        for number, recorded in enumerate(releases, first):
            posts = len(recorded.released)
            made = Made(decided_at_us, "acme", 2, (Reason.RELEASED,) * posts)
            row = values(made, number) | more | {"posts_released": posts}
            connection.execute(insert(DECISIONS), row)
            leaves = len(recorded.contributors) // 8
            manifests.append((row["decision_id"], bytes(32), leaves, *recorded[1:]))
            write_released(connection, number, recorded.released)
        _MANIFESTS.run(connection, manifests)
        connection.execute(update(_HEAD).values(next_number=first + len(releases)))

    database.write_now(unit)


def random_authors(chance: np.random.Generator, count: int, authors: int) -> Ids:
    """Of so many; their ids are as long as a platform's are."""
    return chance.integers(1, authors + 1, count, dtype=np.uint64) * AUTHOR_STEP


def a_release(chance: np.random.Generator, posts: int, authors: int) -> Recorded:
    """Fresh posts of random authors, every tenth with one embedded."""
    ids = chance.integers(1, 2**63, posts, dtype=np.uint64)
    author_ids = random_authors(chance, posts, authors)
    embeds = np.arange(posts) % 10 == 0
    offsets = np.concatenate(([0], np.cumsum(embeds))).astype(np.uint32)
    embedded = int(offsets[-1])
    released = Released(
        ids=ids,
        author_ids=author_ids,
        embed_offsets=offsets,
        embed_ids=chance.integers(1, 2**63, embedded, dtype=np.uint64),
        embed_author_ids=random_authors(chance, embedded, authors),
    )
    by, holding = np.concatenate((author_ids, released.embed_author_ids)), np.concatenate((ids, ids[embeds]))
    order = np.lexsort((holding, by))
    contributors, firsts = np.unique(by[order], return_index=True)
    post_offsets = np.append(firsts, len(by)).astype("<u4")
    return Recorded(released, contributors.tobytes(), post_offsets.tobytes(), holding[order].tobytes())
