"""Which posts of a release a withdrawal takes back, beside an oracle that looks at each post (W1, W3)."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.licensing.domain.answers import Revision
from services.licensing.domain.deliveries import Confirmation
from services.licensing.domain.recalls.entries import Found
from services.licensing.domain.recalls.recalls import Gap
from services.licensing.domain.recalls.releases import (
    Cargo,
    Release,
    cargo_of,
    is_reached,
    keys_of,
    taken_back,
)
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal, halted_purposes
from services.licensing.domain.released import EVERY_UNRESOLVED, KeyKind, Unresolved, released_of
from services.licensing.domain.terms import Purpose
from tests.support.clock import NOON_US
from tests.support.indexed import Post, batch_of

ids = st.sampled_from([1, 2, 3, 2**63, 2**64 - 1])
revisions = st.builds(Revision, st.integers(1, 2), st.integers(1, 4))
places = st.sampled_from([(), ("*",), ("DE",), ("US-CA",), ("US", "FR")])
purposes = st.frozensets(st.sampled_from([1, 2, 8]))


@st.composite
def any_releases(draw: st.DrawFn) -> tuple[Release, Cargo, list[tuple[Post, bool]]]:
    """A release, and its released posts with whether each was confirmed as not delivered."""
    posts = [
        Post(id, draw(ids), tuple(draw(st.lists(st.tuples(ids, ids), max_size=2))), draw(st.booleans()))
        for id in draw(st.lists(ids, min_size=1, max_size=4, unique=True))
    ]
    released = np.array([post.released for post in posts])
    delivered = np.array([post.released and draw(st.booleans()) for post in posts])
    confirmation = Confirmation(
        np.packbits(delivered, bitorder="little").tobytes(), int(delivered.sum()), NOON_US + 1
    )
    is_confirmed = draw(st.booleans())
    contents = released_of(batch_of(posts), released)
    release = Release(
        number=7,
        licensee_id=draw(st.sampled_from(["acme", "beta"])),
        license_id="license-1",
        license_version=1,
        purpose=draw(st.sampled_from([1, 2, 8])),
        territory=frozenset(draw(places)),
        rests_on=draw(revisions),
        decided_at_us=NOON_US,
        not_after_us=NOON_US + 30,
    )
    cargo = cargo_of(contents, released, confirmation if is_confirmed else None)
    kept = [
        (post, is_confirmed and not arrived)
        for post, arrived in zip(posts, delivered, strict=True)
        if post.released
    ]
    return release, cargo, kept


any_withdrawals = st.builds(
    Withdrawal,
    revisions,
    st.sampled_from(list(Cause)).map(int),
    st.integers(NOON_US - 2, NOON_US + 40),
    subject_id=st.just(0) | ids,
    post_id=st.just(0) | ids,
    licensee_id=st.sampled_from(["", "acme"]),
    purposes=purposes,
    countries=st.frozensets(st.sampled_from(["DE", "US", "XX", "BR"]), max_size=2),
)


def holds(post: Post, withdrawal: Withdrawal) -> bool:
    authors, ids = {post.author} | {a for _, a in post.embeds}, {post.id} | {i for i, _ in post.embeds}
    by_subject = withdrawal.subject_id != 0 and withdrawal.subject_id in authors
    return by_subject or (withdrawal.post_id != 0 and withdrawal.post_id in ids)


def includes(territory: frozenset[str], countries: frozenset[str]) -> bool:
    """As consent's C5 has it, one country at a time."""
    everywhere = not territory or "*" in territory
    return any(
        everywhere or country in ("XX", "XY") or country in {place[:2] for place in territory}
        for country in countries
    )


def only(withdrawal: Withdrawal, release: Release, cargo: Cargo) -> Found | None:
    """What it alone takes back."""
    if not is_reached(withdrawal, release):
        return None
    return next((found for _, found in taken_back([withdrawal], release, cargo)), None)


@settings(max_examples=60)
@given(any_releases(), st.lists(any_withdrawals, max_size=4, unique_by=lambda each: each))
def test_what_many_take_back_of_a_release_is_what_each_of_them_does(
    case: tuple[Release, Cargo, list[tuple[Post, bool]]], withdrawals: list[Withdrawal]
) -> None:
    release, cargo, _ = case
    reaching = [each for each in withdrawals if is_reached(each, release)]

    found = {each: one.post_ids.tolist() for each, one in taken_back(reaching, release, cargo)}

    alone = {each: one for each in reaching if (one := only(each, release, cargo)) is not None}
    assert found == {each: one.post_ids.tolist() for each, one in alone.items()}


@settings(max_examples=150)
@given(any_releases(), any_withdrawals)
def test_what_is_taken_back_is_what_a_look_at_each_post_finds(
    case: tuple[Release, Cargo, list[tuple[Post, bool]]], withdrawal: Withdrawal
) -> None:
    release, cargo, posts = case
    earlier = (release.rests_on.epoch, release.rests_on.number) < (
        withdrawal.revision.epoch,
        withdrawal.revision.number,
    )
    reached = (
        earlier
        and withdrawal.licensee_id in ("", release.licensee_id)
        and (not withdrawal.purposes or release.purpose in withdrawal.purposes)
        and (not withdrawal.countries or includes(release.territory, withdrawal.countries))
    )

    found = only(withdrawal, release, cargo)

    theirs = sorted(
        post.id for post, undelivered in posts if reached and holds(post, withdrawal) and not undelivered
    )
    assert (found.post_ids.tolist() if found else []) == theirs


A_RELEASE = Release(7, "acme", "license-1", 1, 2, frozenset({"*"}), Revision(1, 3), NOON_US, NOON_US + 30)
A_WITHDRAWAL = Withdrawal(Revision(1, 4), Cause.CHOICE, NOON_US + 10, subject_id=5)
TWO_POSTS = released_of(batch_of([Post(1, 5), Post(2, 5)]), np.ones(2, np.bool_))


def gap(withdrawn_us: int, confirmed_us: int | None = None) -> Gap:
    cargo = Cargo(TWO_POSTS, np.zeros(2, np.bool_), confirmed_us)
    found = only(replace(A_WITHDRAWAL, recorded_at_us=withdrawn_us), A_RELEASE, cargo)
    assert found is not None
    return found.gap


def test_a_permit_that_was_open_and_not_confirmed_is_a_gap_until_it_ends() -> None:
    assert gap(NOON_US + 1) is Gap.PERMIT_OPEN
    assert gap(NOON_US + 29) is Gap.PERMIT_OPEN
    assert gap(NOON_US + 30) is Gap.NONE


def test_a_confirmation_closes_the_gap_only_if_it_came_before_the_withdrawal() -> None:
    assert gap(NOON_US + 10, confirmed_us=NOON_US + 10) is Gap.NONE
    assert gap(NOON_US + 10, confirmed_us=NOON_US + 11) is Gap.PERMIT_OPEN


def test_what_was_decided_at_the_instant_of_the_withdrawal_or_later_was_decided_after() -> None:
    assert gap(NOON_US) is Gap.DECIDED_AFTER
    assert gap(NOON_US - 1, confirmed_us=NOON_US) is Gap.DECIDED_AFTER


def test_a_release_of_a_restored_consent_lies_behind_withdrawals_of_the_epoch_before() -> None:
    cargo = Cargo(TWO_POSTS, np.zeros(2, np.bool_), None)
    later = replace(A_RELEASE, rests_on=Revision(2, 1))

    assert only(A_WITHDRAWAL, later, cargo) is None
    assert only(replace(A_WITHDRAWAL, revision=Revision(2, 2)), A_RELEASE, cargo) is not None


def test_a_withdrawal_of_a_single_post_is_looked_for_in_all_that_do_not_know_their_embedded_posts() -> None:
    of_post = replace(A_WITHDRAWAL, subject_id=0, post_id=9, cause=int(Cause.POST_DELETED))

    assert keys_of(of_post) == [(KeyKind.POST, 9), (KeyKind.UNRESOLVED, EVERY_UNRESOLVED)]
    assert keys_of(A_WITHDRAWAL) == [(KeyKind.CONTRIBUTOR, 5)], "contributors are known of every release"


def test_a_single_post_takes_back_all_posts_of_a_release_that_may_embed_it() -> None:
    manifest = Unresolved(np.array([5], np.uint64), np.array([0, 2], np.uint32), np.array([1, 2], np.uint64))
    of_post = replace(A_WITHDRAWAL, subject_id=0, post_id=9, cause=int(Cause.POST_DELETED))
    nothing_known = np.zeros(2, np.bool_)

    unresolved = only(of_post, A_RELEASE, Cargo(manifest, nothing_known, None))
    resolved = only(of_post, A_RELEASE, Cargo(TWO_POSTS, nothing_known, None))

    assert unresolved is not None
    assert unresolved.post_ids.tolist() == [1, 2]
    assert resolved is None, "it knows that it does not embed it"


def test_of_posts_whose_order_is_not_known_a_confirmation_tells_only_that_none_arrived() -> None:
    manifest = Unresolved(np.array([5], np.uint64), np.array([0, 2], np.uint32), np.array([1, 2], np.uint64))
    released = np.ones(2, np.bool_)

    some = cargo_of(manifest, released, Confirmation(b"\x01", 1, NOON_US))
    none = cargo_of(manifest, released, Confirmation(b"\x00", 0, NOON_US))

    assert (some.undelivered.tolist(), none.undelivered.tolist()) == ([False, False], [True, True])


def test_a_halt_of_sharing_stops_what_needs_it_and_a_halt_of_another_purpose_that_alone() -> None:
    assert halted_purposes(Purpose.THIRD_PARTY_SHARING) == frozenset(Purpose) - {Purpose.VETTED_RESEARCH}
    assert halted_purposes(Purpose.AI_INDEX) == {Purpose.AI_INDEX}
