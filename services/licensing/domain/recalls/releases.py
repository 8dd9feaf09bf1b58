"""Which posts of a release a withdrawal takes back (W1), and whether they could still go out then (W3)."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.licensing.domain.answers import Revision
from services.licensing.domain.deliveries import Confirmation, read_bitmap
from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.posts import Mask
from services.licensing.domain.recalls.entries import Found
from services.licensing.domain.recalls.recalls import Gap
from services.licensing.domain.recalls.withdrawals import Withdrawal
from services.licensing.domain.released import EVERY_UNRESOLVED, Contents, KeyKind


@dataclass(frozen=True)
class Release:
    """A decision that released something. Times are microseconds since the epoch, UTC."""

    number: int
    """Of its receipt."""
    licensee_id: str
    license_id: str
    license_version: int
    """Under which it was made."""
    purpose: int
    territory: frozenset[str]
    """Of that version."""
    rests_on: Revision
    """The revision of consent's answer."""
    decided_at_us: int
    not_after_us: int
    """The first instant at which its permit was over."""


@dataclass(frozen=True, eq=False)
class Cargo:
    """What a release released, and what is known of its delivery: P posts."""

    contents: Contents
    undelivered: Mask
    """P booleans in the order of `contents.ids`: confirmed as not delivered."""
    confirmed_at_us: int | None
    """None where nothing was confirmed, which is no sign that nothing was delivered."""


def cargo_of(contents: Contents, released: Mask, confirmation: Confirmation | None) -> Cargo:
    """The posts of a decision on N, of which `released` (N booleans) went, as they were confirmed.

    Where the order of the request is not known, a confirmation tells no post from another: all count as
    delivered but where none was. Raises Refusal: what `read_bitmap` raises for a bitmap that was not checked.
    """
    undelivered = np.zeros(len(contents), np.bool_)
    if confirmation is None:
        return Cargo(contents, undelivered, None)
    if contents.is_resolved:
        undelivered = ~read_bitmap(confirmation.bitmap, released)[released]
    elif confirmation.posts == 0:
        undelivered = np.ones(len(contents), np.bool_)
    return Cargo(contents, undelivered, confirmation.confirmed_at_us)


def is_reached(withdrawal: Withdrawal, release: Release) -> bool:
    """Whether the withdrawal takes back anything of such a release, whatever is in it."""
    return withdrawal.reaches(release.licensee_id, release.purpose, release.territory, release.rests_on)


def taken_back(
    withdrawals: Sequence[Withdrawal], release: Release, cargo: Cargo
) -> list[tuple[Withdrawal, Found]]:
    """What each of the withdrawals, which are of subjects or posts and reach it, takes back of a release.

    All in one look at the release, for it may be large, and in it what many have withdrawn.
    """
    keys = [keys_of(each) for each in withdrawals]
    concerned = _concerned({key for some in keys for key in some}, cargo.contents)
    found = []
    for each, some in zip(withdrawals, keys, strict=True):
        columns = [concerned[key] for key in some] or [np.empty(0, np.intp)]
        posts = columns[0] if len(columns) == 1 else np.concatenate(columns)
        if (one := found_of(each, release, cargo, posts)) is not None:
            found.append((each, one))
    return found


def _concerned(
    asked: Set[tuple[KeyKind, int]], contents: Contents
) -> dict[tuple[KeyKind, int], NDArray[np.intp]]:
    """For each of the keys the positions of the posts that hold something of it."""
    concerned: dict[tuple[KeyKind, int], NDArray[np.intp]] = {}
    for kind in {kind for kind, _ in asked}:
        keys = sorted(key for of_kind, key in asked if of_kind is kind)
        posts = contents.posts_with_each(kind, np.array(keys, np.uint64))
        concerned.update({(kind, key): some for key, some in zip(keys, posts, strict=True)})
    return concerned


def found_of(
    withdrawal: Withdrawal, release: Release, cargo: Cargo, concerned: NDArray[np.intp]
) -> Found | None:
    """The posts at the positions `concerned`, without those that were not delivered."""
    if cargo.confirmed_at_us is not None:
        concerned = concerned[~cargo.undelivered[concerned]]
    if not len(concerned):
        return None
    theirs = distinct_sorted(cargo.contents.ids[concerned])
    return Found(release.number, theirs, gap_of(withdrawal, release, cargo))


def gap_of(withdrawal: Withdrawal, release: Release, cargo: Cargo) -> Gap:
    """Whether the release was made, or could still be delivered, when consent had the withdrawal (W3)."""
    received_us = withdrawal.recorded_at_us
    if release.decided_at_us >= received_us:
        return Gap.DECIDED_AFTER
    confirmed = cargo.confirmed_at_us is not None and cargo.confirmed_at_us <= received_us
    return Gap.PERMIT_OPEN if received_us < release.not_after_us and not confirmed else Gap.NONE


def keys_of(withdrawal: Withdrawal) -> list[tuple[KeyKind, int]]:
    """What releases are found by that it may take back; nothing where consent has to be asked again."""
    found = [(KeyKind.CONTRIBUTOR, withdrawal.subject_id)] if withdrawal.subject_id else []
    if not withdrawal.post_id:
        return found
    # Any post may be embedded in a release that does not know its embedded posts: nothing is to be missed.
    return [*found, (KeyKind.POST, withdrawal.post_id), (KeyKind.UNRESOLVED, EVERY_UNRESOLVED)]
