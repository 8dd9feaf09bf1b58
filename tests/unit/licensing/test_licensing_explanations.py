"""All reasons of a post, against a slow reading of the rules, and the one that counts among them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.documents import read_terms
from services.licensing.domain.explanations import judge, with_room
from services.licensing.domain.judging import as_if_active
from services.licensing.domain.licenses import License, LicenseState, NextVersion
from services.licensing.domain.reasons import Reason
from services.licensing.domain.terms import ContentKind, Purpose
from services.licensing.domain.versions import Version
from tests.support.clock import NOON_US
from tests.support.licensing import DAY_US, TRAINING, Post, a_batch, a_license, a_post, any_posts

MARGIN_US = 1_000_000
OF_CONSENT = [Reason.RELEASED, Reason.SUBJECT_MINOR, Reason.CHOICE_DENIES, Reason.WITHHELD]
COVERED = {"en", "de"}

licenses = st.builds(
    a_license,
    st.sampled_from([LicenseState.ACTIVE, LicenseState.SUSPENDED]),
    kinds=st.sampled_from([frozenset(ContentKind), frozenset({ContentKind.POST})]),
    languages=st.sampled_from([frozenset({"*"}), frozenset(COVERED)]),
    purposes=st.sampled_from([frozenset({Purpose(TRAINING)}), frozenset({Purpose.AI_INDEX})]),
    posted_from_us=st.sampled_from([None, NOON_US - 1]),
)
batches = st.lists(st.tuples(any_posts(), st.sampled_from(OF_CONSENT)), min_size=1, max_size=8)


def all_reasons(posts: list[Post], place: int, license: License, said: Reason) -> set[Reason]:
    """Every denial of one post, rule by rule."""
    post, terms = posts[place], license.terms
    language = post.language.lower().partition("-")[0]
    checks = {
        Reason.FAULT_ID: 0 in {post.id, *(id for id, _ in post.embeds)},
        Reason.FAULT_KIND: post.kind not in {1, 2, 3, 4} or post.media_flags > 7,
        Reason.FAULT_TIME: not 0 < post.posted_at_us <= NOON_US + MARGIN_US,
        Reason.DUPLICATE: post.id in {earlier.id for earlier in posts[:place]},
        Reason.LICENSE_NOT_ACTIVE: license.state is not LicenseState.ACTIVE,
        Reason.PURPOSE_NOT_LICENSED: TRAINING not in terms.purposes,
        Reason.KIND_NOT_LICENSED: post.kind not in terms.kinds,
        Reason.LANGUAGE_NOT_LICENSED: "*" not in terms.languages and language not in COVERED,
        Reason.TIME_NOT_LICENSED: terms.posted_from_us is not None
        and post.posted_at_us < terms.posted_from_us,
        said: said is not Reason.RELEASED,
    }
    return {reason for reason, applies in checks.items() if applies}


def as_set(bits: int) -> set[Reason]:
    return {Reason(number) for number in range(64) if bits >> number & 1}


def test_every_reason_has_a_bit_of_64() -> None:
    assert all(0 < reason < 64 for reason in Reason if reason is not Reason.UNSPECIFIED)


@given(license=licenses, posts_and_consent=batches, is_room=st.booleans())
def test_all_reasons_are_those_that_the_rules_give_one_by_one(
    license: License, posts_and_consent: list[tuple[Post, Reason]], is_room: bool
) -> None:
    posts = [post for post, _ in posts_and_consent]
    consent = np.array([said for _, said in posts_and_consent], np.uint8)

    reasons, sets = with_room(judge(a_batch(*posts), license, consent, NOON_US, MARGIN_US), is_room=is_room)

    may_go = Reason.RELEASED if is_room else Reason.NO_ROOM
    for place, (_, said) in enumerate(posts_and_consent):
        assert as_set(int(sets[place])) == (all_reasons(posts, place, license, said) or {may_go})
        assert Reason(reasons[place]) in as_set(int(sets[place]))


def test_a_license_whose_terms_nobody_understands_denies_by_every_rule() -> None:
    license = a_license()
    unknown = replace(license, terms=read_terms(b'{"colour":"blue"}', license.terms_digest, "licensee-1"))

    judged = judge(a_batch(), unknown, np.array([Reason.RELEASED], np.uint8), NOON_US, MARGIN_US)

    assert Reason(judged.reasons[0]) is Reason.LICENSE_NOT_ACTIVE
    assert as_set(int(judged.all_reasons[0])) >= {Reason.LICENSE_NOT_ACTIVE, Reason.PURPOSE_NOT_LICENSED}


def test_an_answer_for_fewer_posts_than_were_asked_about_explains_nothing() -> None:
    one = np.array([Reason.RELEASED], np.uint8)

    with pytest.raises(Refusal, match="PEER_ANSWER_INVALID"):
        judge(a_batch(a_post(1), a_post(2)), a_license(), one, NOON_US, MARGIN_US)


def test_a_version_that_is_named_is_judged_as_if_it_were_active_and_in_its_own_term() -> None:
    draft = a_license(LicenseState.DRAFT)
    over = a_license(LicenseState.DRAFT, term_until_us=NOON_US - DAY_US)

    assert not draft.in_force(NOON_US)
    assert as_if_active(draft, first_of(draft)).in_force(NOON_US)
    assert not as_if_active(draft, first_of(over)).in_force(NOON_US)


def test_nothing_follows_the_version_that_is_judged() -> None:
    over = a_license(term_until_us=NOON_US - DAY_US)
    following = NextVersion(2, over.terms, over.terms_digest, NOON_US - 1)
    license = replace(a_license(), next=following)

    assert not license.in_force(NOON_US)
    assert as_if_active(license, first_of(license)).in_force(NOON_US)


def first_of(license: License) -> Version:
    """The version that a license has."""
    return Version(license.version, license.terms, license.terms_digest, NOON_US, "", "", None, None)
