"""Batches: what the envelope may not be, what is wrong with single posts, and the one byte form."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import Reason
from tests.support.clock import NOON_US
from tests.support.licensing import (
    TRAINING,
    Post,
    a_batch,
    a_post,
    batches_of_posts,
    canonical_request,
    columns_of,
)

MARGIN_US = 1_000_000


def faults_by_hand(posts: Sequence[Post], now_us: int) -> list[int]:
    """The rule for each post, one by one."""
    seen: set[int] = set()
    faults = []
    for post in posts:
        if post.id == 0 or any(id == 0 for id, _ in post.embeds):
            fault = Reason.FAULT_ID
        elif post.kind not in {1, 2, 3, 4} or post.media_flags > 7:
            fault = Reason.FAULT_KIND
        elif not 0 < post.posted_at_us <= now_us + MARGIN_US:
            fault = Reason.FAULT_TIME
        elif post.id in seen:
            fault = Reason.DUPLICATE
        else:
            fault = Reason.UNSPECIFIED
        seen.add(post.id)
        faults.append(int(fault))
    return faults


@given(batches_of_posts)
def test_faults_in_columns_are_the_faults_of_single_posts(posts: list[Post]) -> None:
    faults = a_batch(*posts).faults(NOON_US, MARGIN_US)

    assert faults.tolist() == faults_by_hand(posts, NOON_US)


def test_of_posts_with_one_id_the_first_keeps_its_chance() -> None:
    batch = a_batch(a_post(7, author_id=1), a_post(8), a_post(7, author_id=2), a_post(7, author_id=1))

    faults = batch.faults(NOON_US, MARGIN_US)

    assert faults.tolist() == [0, 0, Reason.DUPLICATE, Reason.DUPLICATE]


def test_a_time_ahead_by_the_margin_is_none_and_one_microsecond_more_is_a_fault() -> None:
    batch = a_batch(
        a_post(1, posted_at_us=NOON_US + MARGIN_US), a_post(2, posted_at_us=NOON_US + MARGIN_US + 1)
    )

    assert batch.faults(NOON_US, MARGIN_US).tolist() == [0, Reason.FAULT_TIME]


def test_a_post_without_a_time_is_at_fault() -> None:
    assert a_batch(a_post(posted_at_us=0)).faults(NOON_US, MARGIN_US).tolist() == [Reason.FAULT_TIME]


def test_an_embed_without_id_is_its_posts_fault_alone() -> None:
    batch = a_batch(a_post(1), a_post(2, embeds=((5, 50), (0, 51))), a_post(3, embeds=((6, 52),)), a_post(4))

    assert batch.faults(NOON_US, MARGIN_US).tolist() == [0, Reason.FAULT_ID, 0, 0]


def test_an_embed_without_author_is_no_fault_of_form() -> None:
    assert a_batch(a_post(embeds=((5, 0),))).faults(NOON_US, MARGIN_US).tolist() == [0]


@given(batches_of_posts)
def test_the_canonical_request_is_the_published_one(posts: list[Post]) -> None:
    batch = a_batch(*posts)

    assert batch.canonical() == canonical_request(posts)
    assert batch.fingerprint() == sha256(canonical_request(posts)).digest()


def test_the_order_and_repetition_of_a_language_list_do_not_change_the_request() -> None:
    columns = columns_of([a_post(1, language="de"), a_post(2, language="en")])
    columns |= {"languages": ["fr", "en", "de", "en"], "language_indexes": np.array([2, 3], np.uint8)}

    batch = Batch.of(license_id="license-1", purpose=TRAINING, **columns)

    assert batch.languages == ("de", "en")
    assert batch.canonical() == a_batch(a_post(1, language="de"), a_post(2, language="en")).canonical()


@pytest.mark.parametrize(
    "other",
    [
        a_batch(license_id="license-2"),
        a_batch(purpose=3),
        a_batch(a_post(2)),
        a_batch(a_post(author_id=12)),
        a_batch(a_post(kind=2)),
        a_batch(a_post(media_flags=1)),
        a_batch(a_post(language="de")),
        a_batch(a_post(posted_at_us=NOON_US)),
        a_batch(a_post(embeds=((5, 50),))),
        a_batch(a_post(), a_post()),
    ],
)
def test_whatever_differs_is_another_request(other: Batch) -> None:
    assert other.fingerprint() != a_batch().fingerprint()


@given(batches_of_posts, st.data())
def test_taking_posts_is_a_batch_of_those_posts(posts: list[Post], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.booleans(), min_size=len(posts), max_size=len(posts)))
    left = [post for post, is_chosen in zip(posts, chosen, strict=True) if is_chosen]

    taken = a_batch(*posts).take(np.array(chosen))

    assert len(taken) == len(left)
    assert taken.canonical() == canonical_request(left)


def test_columns_as_bytes_are_the_same_batch() -> None:
    posts = [a_post(2**64 - 1, embeds=((2**63, 9),)), a_post(2, language="de")]
    columns = columns_of(posts)
    languages = columns.pop("languages")

    batch = Batch.of_bytes(
        license_id="license-1",
        purpose=TRAINING,
        languages=languages,
        **{name: column.tobytes() for name, column in columns.items()},
    )

    assert batch.canonical() == canonical_request(posts)


def test_an_unset_purpose_is_refused_and_an_unknown_one_is_not() -> None:
    with pytest.raises(Refusal, match="PURPOSE_UNSPECIFIED"):
        a_batch(purpose=0)

    assert a_batch(purpose=99).purpose == 99


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(Refusal, match="EMPTY_BATCH"):
        Batch.of(license_id="license-1", purpose=TRAINING, **columns_of([]))


@pytest.mark.parametrize(
    ("column", "content"),
    [
        ("author_ids", b"\0" * 15),
        ("author_ids", b"\0" * 8),
        ("kinds", b"\1\1\1"),
        ("media_flags", b""),
        ("posted_at_us", b"\0" * 24),
        ("language_indexes", b"\0"),
        ("language_indexes", b"\0\1"),
        ("embed_offsets", b"\0" * 8),
        ("embed_offsets", b"\1\0\0\0" + b"\0" * 8),
        ("embed_offsets", b"\0" * 8 + b"\1\0\0\0"),
        ("embed_offsets", b"\0" * 4 + b"\1\0\0\0" + b"\0" * 4),
        ("embed_author_ids", b"\0" * 8),
    ],
)
def test_a_column_that_does_not_fit_is_named(column: str, content: bytes) -> None:
    columns = columns_of([a_post(1), a_post(2)])
    languages = columns.pop("languages")
    contents = {name: values.tobytes() for name, values in columns.items()} | {column: content}

    with pytest.raises(Refusal, match="COLUMN_LENGTHS") as refused:
        Batch.of_bytes(license_id="license-1", purpose=TRAINING, languages=languages, **contents)

    assert refused.value.violations[0].field == f"columns.{column}"


def test_embeds_that_belong_to_no_post_are_refused() -> None:
    columns = columns_of([a_post(1, embeds=((5, 50),)), a_post(2)]) | {
        "embed_offsets": np.array([1, 1, 1], np.uint32)
    }

    with pytest.raises(Refusal, match="COLUMN_LENGTHS"):
        Batch.of(license_id="license-1", purpose=TRAINING, **columns)


def many(posts: int) -> list[Post]:
    return [a_post(id) for id in range(1, posts + 1)]


def test_ten_thousand_posts_pass_and_one_more_is_refused() -> None:
    assert len(a_batch(*many(10_000))) == 10_000

    with pytest.raises(Refusal, match="TOO_MANY_POSTS"):
        a_batch(*many(10_001))


def test_a_hundred_thousand_embeds_pass_and_one_more_is_refused() -> None:
    embeds = tuple((id, 9) for id in range(1, 100_001))

    assert len(a_batch(a_post(embeds=embeds)).embed_ids) == 100_000

    with pytest.raises(Refusal, match="TOO_MANY_EMBEDS"):
        a_batch(a_post(embeds=(*embeds, (7, 9))))


def test_256_languages_pass_and_one_more_is_refused() -> None:
    posts = [a_post(n + 1, language=f"x-{n}") for n in range(256)]
    one_more = columns_of(posts) | {"languages": [f"x-{n}" for n in range(257)]}

    assert len(a_batch(*posts).languages) == 256

    with pytest.raises(Refusal, match="TOO_MANY_LANGUAGES"):
        Batch.of(license_id="license-1", purpose=TRAINING, **one_more)


def test_a_language_cannot_pass_for_two() -> None:
    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        a_batch(a_post(1, language="en\nde"), a_post(2, language="fr"))
