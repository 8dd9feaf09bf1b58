"""Who may receive posts, for people who choose by licensee.

It follows `License` (L1): a version counts where there is, or will be, an instant at which it could be in
force. What an operator has only drafted counts for nothing, and says nothing about anybody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.licensing.domain.licenses import License, Licensee, LicenseState
from services.licensing.domain.terms import Purpose, Terms


@dataclass(frozen=True)
class Recipient:
    """A licensee with a license that is in force, is suspended for now, or will come into force."""

    licensee_id: str
    display_name: str
    purposes: tuple[Purpose, ...]
    """Of all these licenses, ascending."""
    is_active: bool
    """Whether one of them is in force now."""


def recipient_of(licensee: Licensee, licenses: Iterable[License], now_us: int) -> Recipient | None:
    """What people are told of a licensee with these licenses at `now_us`; None where nothing may ever go."""
    purposes, is_active = set[Purpose](), False
    for license in licenses:
        for terms in _versions(license, now_us):
            purposes.update(terms.purposes)
        is_active = is_active or license.in_force(now_us)
    if not purposes:
        return None
    return Recipient(licensee.licensee_id, licensee.display_name, tuple(sorted(purposes)), is_active)


def _versions(license: License, now_us: int) -> Iterator[Terms]:
    """The terms that are in force, or would be if it were resumed, and those that have their time."""
    current = license.as_of(now_us)
    if current.state is LicenseState.TERMINATED:
        return
    following, following_us = current.next, current.next_from_us
    if current.state is not LicenseState.DRAFT and _permits(current.terms, now_us, following_us):
        yield current.terms
    if following is not None and following_us is not None and _permits(following.terms, following_us):
        yield following.terms


def _permits(terms: Terms, from_us: int, until_us: int | None = None) -> bool:
    """Whether some instant of these is inside the term; never, where the terms are not understood (L2)."""
    end_us = terms.term_until_us if until_us is None else min(until_us, terms.term_until_us)
    return terms.understood and max(from_us, terms.term_from_us) < end_us
