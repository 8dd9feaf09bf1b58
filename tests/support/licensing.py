"""Builders for licensing: posts, batches, terms and licenses, ordinary unless said."""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

import services.licensing
from services.chassis.database import Database
from services.licensing.domain.licenses import License, LicenseState, draft
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.posts import Batch
from services.licensing.domain.terms import (
    Allowance,
    AllowanceSubject,
    ContentKind,
    Purpose,
    Template,
    Terms,
    Window,
)
from services.licensing.domain.versions import Activation, activated
from services.licensing.storage.head import lock_group
from services.licensing.storage.known import remembering
from tests.support.clock import NOON_US

DAY_US = 86_400_000_000
SCHEMA = Path(services.licensing.__file__).with_name("schema")
TRAINING = int(Purpose.AI_TRAINING_GENERATIVE)


@dataclass(frozen=True)
class Post:
    """One post, as the slow oracles of tests read it."""

    id: int = 1
    author_id: int = 11
    kind: int = 1
    media_flags: int = 0
    language: str = "en"
    posted_at_us: int = NOON_US - DAY_US
    embeds: tuple[tuple[int, int], ...] = ()
    """(id, author id) of each."""


def a_post(id: int = 1, author_id: int = 11, **changes: Any) -> Post:
    """A post of yesterday in English without embeds."""
    return Post(id=id, author_id=author_id, **changes)


def a_batch(*posts: Post, license_id: str = "license-1", purpose: int = TRAINING) -> Batch:
    """These posts (one, unless said) for generative training."""
    return Batch.of(license_id=license_id, purpose=purpose, **columns_of(posts or (a_post(),)))


def columns_of(posts: Sequence[Post]) -> dict[str, Any]:
    """The columns of a batch, made post by post."""
    languages = sorted({post.language for post in posts})
    embeds = [embed for post in posts for embed in post.embeds]
    offsets = list(itertools.accumulate((len(post.embeds) for post in posts), initial=0))
    return {
        "ids": np.array([post.id for post in posts], np.uint64),
        "author_ids": np.array([post.author_id for post in posts], np.uint64),
        "kinds": np.array([post.kind for post in posts], np.uint8),
        "media_flags": np.array([post.media_flags for post in posts], np.uint8),
        "posted_at_us": np.array([post.posted_at_us for post in posts], np.int64),
        "languages": languages,
        "language_indexes": np.array([languages.index(post.language) for post in posts], np.uint8),
        "embed_offsets": np.array(offsets, np.uint32),
        "embed_ids": np.array([id for id, _ in embeds], np.uint64),
        "embed_author_ids": np.array([author_id for _, author_id in embeds], np.uint64),
    }


def canonical_request(posts: Sequence[Post], license_id: str = "license-1", purpose: int = TRAINING) -> bytes:
    """R of docs/receipt-format.md, written value by value."""
    languages: list[str] = []
    for post in posts:
        if post.language not in languages:
            languages.append(post.language)
    offsets = itertools.accumulate((len(post.embeds) for post in posts), initial=0)
    blocks = [
        license_id.encode(),
        struct.pack("<I", purpose),
        b"".join(struct.pack("<Q", post.id) for post in posts),
        b"".join(struct.pack("<Q", post.author_id) for post in posts),
        bytes(post.kind for post in posts),
        bytes(post.media_flags for post in posts),
        b"".join(struct.pack("<q", post.posted_at_us) for post in posts),
        "\n".join(languages).encode(),
        bytes(languages.index(post.language) for post in posts),
        b"".join(struct.pack("<I", offset) for offset in offsets),
        b"".join(struct.pack("<Q", id) for post in posts for id, _ in post.embeds),
        b"".join(struct.pack("<Q", author_id) for post in posts for _, author_id in post.embeds),
    ]
    return b"".join(struct.pack("<Q", len(block)) + block for block in blocks)


def some_terms(**changes: Any) -> Terms:
    """All kinds and languages for generative training, for a year around noon."""
    terms = Terms(
        licensee_id="licensee-1",
        template=Template.COMMERCIAL,
        purposes=frozenset({Purpose.AI_TRAINING_GENERATIVE}),
        kinds=frozenset(ContentKind),
        languages=frozenset({"*"}),
        author_jurisdictions=frozenset({"*"}),
        territory=frozenset({"*"}),
        posted_from_us=None,
        posted_before_us=None,
        term_from_us=NOON_US - 180 * DAY_US,
        term_until_us=NOON_US + 180 * DAY_US,
        allowances=(Allowance(AllowanceSubject.LICENSE, Window.ROLLING_DAY, 1_000_000),),
        obligations=Obligations(recall_deadline_days=30, no_reidentification=True),
        contract_digest=a_digest("the contract"),
    )
    return replace(terms, **changes)


def a_license(state: LicenseState = LicenseState.ACTIVE, **changes: Any) -> License:
    """license-1, active, with `some_terms` changed as said."""
    return replace(draft("license-1", some_terms(**changes), NOON_US - DAY_US), state=state)


def put_into_force(license: License, now_us: int = NOON_US, reason: str = "signed") -> License:
    """The license with its drafted version activated at once."""
    drafted = license.next or license
    return activated(license, Activation(drafted.version, drafted.terms_digest, None), now_us, reason)


def a_digest(text: str = "") -> bytes:
    """Some 32 bytes, others for another text."""
    return sha256(text.encode()).digest()


ids = st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1))
"""Post and author ids that often repeat and are sometimes 0."""


@st.composite
def any_posts(draw: st.DrawFn) -> Post:
    """Posts with and without faults."""
    return Post(
        id=draw(ids),
        author_id=draw(ids),
        kind=draw(st.sampled_from([1, 2, 3, 4, 0, 5, 255])),
        media_flags=draw(st.sampled_from([0, 1, 7, 8, 255])),
        language=draw(st.sampled_from(["en", "EN", "en-GB", "de", "", "und", "zh-Hant"])),
        posted_at_us=draw(st.sampled_from([NOON_US, NOON_US - 1, 0]) | st.integers(-(2**63), 2**63 - 1)),
        embeds=tuple(draw(st.lists(st.tuples(ids, ids), max_size=3))),
    )


batches_of_posts = st.lists(any_posts(), min_size=1, max_size=12)


def licensing_database(folder: Path) -> Database:
    """An empty database of licensing, migrated, in `folder`."""
    return licensing_database_at(f"sqlite:///{folder / 'licensing.db'}")


def licensing_database_at(url: str, *, alone: bool = False) -> Database:
    """The database at a URL, opened as the service does, or as who accepts a restore."""
    return Database.open(
        url,
        schema_dir=SCHEMA,
        name="licensing",
        lock=None if alone else lock_group,
        options=remembering(),
        alone=alone,
    )
