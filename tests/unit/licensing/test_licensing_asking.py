"""Posts by their ids: what was sent, and the batch that it becomes."""

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.asking import PostIds, applicable, probes_in, resolve, without_unknown
from services.licensing.domain.reasons import COARSE, Reason, Verdict, first_of
from tests.support.clock import NOON_US
from tests.support.licensing import TRAINING, Post, a_batch, a_post

ids = st.lists(st.integers(0, 6), min_size=1, max_size=10)


def asked(*post_ids: int) -> PostIds:
    return PostIds.of("license-1", TRAINING, post_ids)


def test_what_was_sent_has_one_byte_form_written_value_by_value() -> None:
    blocks = (b"license-1", struct.pack("<I", TRAINING), struct.pack("<3Q", 7, 0, 2**64 - 1))
    expected = b"".join(struct.pack("<Q", len(block)) + block for block in blocks)

    sent = asked(7, 0, 2**64 - 1)

    assert sent.canonical() == expected
    assert sent.fingerprint() == hashlib.sha256(expected).digest()


@pytest.mark.parametrize(
    ("purpose", "posts", "reason"),
    [(0, 1, "PURPOSE_UNSPECIFIED"), (2, 0, "EMPTY_BATCH"), (2, 10_001, "TOO_MANY_POSTS")],
)
def test_faults_of_the_envelope_are_refused(purpose: int, posts: int, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        PostIds.of("license-1", purpose, range(posts))

    assert refused.value.reason == reason


@settings(max_examples=50, deadline=None)
@given(ids, st.sets(st.integers(1, 6)))
def test_every_post_stands_where_it_was_asked_for_with_its_own_facts(
    post_ids: list[int], known: set[int]
) -> None:
    sent = asked(*post_ids)
    posts = {
        id: a_post(id, 10 + id, language=f"l{id}", embeds=tuple((id, e) for e in range(id))) for id in known
    }
    found = [posts[id] for id in dict.fromkeys(post_ids) if id in known]

    batch, unknown = resolve(sent, a_batch(*found) if found else None)

    expected, seen = [], set[int]()
    for id in post_ids:
        blank = Post(id, 0, kind=0, language="", posted_at_us=0)
        expected.append(posts[id] if id in known and id not in seen else blank)
        seen.add(id)
    assert batch.canonical() == a_batch(*expected).canonical()
    assert unknown.tolist() == [post.author_id == 0 for post in expected]
    assert sent.distinct.tolist() == [id for id in dict.fromkeys(post_ids) if id]


@settings(max_examples=50, deadline=None)
@given(ids, st.sets(st.integers(1, 6)), st.sets(st.integers(1, 6)))
def test_whatever_ids_are_asked_for_no_more_is_denied_than_room_was_held_for(
    post_ids: list[int], known: set[int], allowed: set[int]
) -> None:
    sent = asked(*post_ids)
    found = [a_post(id, 10 + id) for id in dict.fromkeys(post_ids) if id in known]
    batch, unknown = resolve(sent, a_batch(*found) if found else None)

    objections = first_of(applicable(batch.objections(NOON_US, 0), unknown), len(batch))
    consent = np.array([Reason.RELEASED if id in allowed else Reason.CHOICE_DENIES for id in post_ids], "u1")
    reasons = np.where(objections == 0, consent, objections).astype(np.uint8)
    verdicts = COARSE[without_unknown(objections, reasons, unknown)]

    counted = sum(verdict in (Verdict.NOT_COVERED, Verdict.NOT_AVAILABLE) for verdict in verdicts.tolist())
    assert probes_in(verdicts) == counted <= sent.posts
    assert sent.posts == len(set(post_ids) - {0}) + post_ids.count(0)


def test_to_an_unknown_post_nothing_is_objected_that_rests_on_facts_about_it() -> None:
    everything = np.array([True, True])
    unknown = np.array([True, False])

    kept = applicable([(Reason.FAULT_KIND, everything), (Reason.DUPLICATE, everything)], unknown)

    assert [(reason, applies.tolist()) for reason, applies in kept] == [
        (Reason.FAULT_KIND, [False, True]),
        (Reason.DUPLICATE, [True, True]),
    ]


def test_an_unknown_post_is_denied_even_where_consent_would_let_it_go() -> None:
    objections = np.array([0, 0, Reason.DUPLICATE], np.uint8)
    consent = np.array([Reason.RELEASED, Reason.RELEASED, Reason.DUPLICATE], np.uint8)

    reasons = without_unknown(objections, consent, np.array([True, False, True]))

    assert reasons.tolist() == [Reason.POST_UNKNOWN, Reason.RELEASED, Reason.DUPLICATE]


def test_a_probe_is_a_denial_that_tells_something_of_a_post() -> None:
    verdicts = np.array(list(Verdict), np.uint8)

    assert probes_in(verdicts) == 2
