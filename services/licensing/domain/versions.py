"""Versions of a license: an amendment is a new one, and one at a time is in force (L1).

What is drafted permits nothing. What is activated takes the place of the version before at one instant, at
once or at a time that was set, and no two are ever in force together.
"""

from dataclasses import dataclass, replace

from services.chassis.refusals import Refusal, invalid, precondition
from services.licensing.domain.licenses import License, LicenseState, NextVersion, state_forbids
from services.licensing.domain.pricing.prices import Price
from services.licensing.domain.terms import Terms, digest_of

FURTHEST_AHEAD_US = 366 * 86_400_000_000


@dataclass(frozen=True)
class Version:
    """One version as it is kept for ever. Times are microseconds since the epoch, UTC."""

    version: int
    terms: Terms
    terms_digest: bytes
    created_at_us: int
    created_by: str
    """Kind and party of the principal."""
    reason: str
    effective_from_us: int | None
    """None while it is a draft."""
    withdrawn_at_us: int | None
    """None unless it was withdrawn before it came into force."""


@dataclass(frozen=True)
class Activation:
    """Which drafted version is to be in force, and from when."""

    version: int
    terms_digest: bytes
    effective_at_us: int | None
    """None: at once."""


def amended(
    license: License,
    terms: Terms,
    base_digest: bytes,
    number: int,
    now_us: int,
    *,
    last_price: Price | None,
) -> License:
    """The license with a draft of version `number`, written against the terms that have `base_digest`.

    `last_price` is that of the newest version with a price that was or will be in force, None where none had
    one. A license that never was in force has billed nothing: it may be corrected in every respect.
    Raises Refusal LICENSE_STATE_FORBIDS, AMENDMENT_PENDING, TERMS_DIFFER, AMENDMENT_EMPTY,
    AMENDMENT_CHANGES_LICENSEE, AMENDMENT_CHANGES_BILLING.
    """
    current = license.as_of(now_us)
    if current.state is LicenseState.TERMINATED:
        raise state_forbids(current.state, "be amended")
    if current.next is not None:
        raise precondition(
            "AMENDMENT_PENDING", f"version {current.next.version} is to be activated or withdrawn first"
        )
    if base_digest != current.terms_digest:
        raise terms_differ(current.version)
    digest = digest_of(terms.document())
    if digest == current.terms_digest:
        raise precondition("AMENDMENT_EMPTY", "these are the terms that stand already")
    if current.state is LicenseState.DRAFT:
        return replace(current, version=number, terms=terms, terms_digest=digest)
    _check_same_contract(current.terms, terms, current.terms.price or last_price)
    return replace(current, next=NextVersion(number, terms, digest, None))


def activated(license: License, asked: Activation, now_us: int, reason: str) -> License:
    """The license with a drafted version in force, or waiting for its time.

    Raises Refusal LICENSE_STATE_FORBIDS, VERSION_NOT_DRAFTED, TERMS_DIFFER, ACTIVATION_SCHEDULED,
    ACTIVATION_IN_PAST, ACTIVATION_TOO_FAR_AHEAD.
    """
    current, drafted = license.as_of(now_us), _drafted(license, asked, now_us)
    if asked.effective_at_us is not None:
        _check_ahead(asked.effective_at_us, now_us)
        return replace(current, next=replace(drafted, effective_from_us=asked.effective_at_us))
    # Versions follow one another in time as they do in number, whatever the clock does.
    from_us = max(now_us, current.effective_from_us or now_us, current.state_changed_at_us)
    following = current.with_version(replace(drafted, effective_from_us=from_us))
    begins = current.state is LicenseState.DRAFT
    return replace(following, state_reason=reason) if begins else following


def without_amendment(license: License, version: int, now_us: int) -> License:
    """The license without its next version, or a draft without its time. Raises AMENDMENT_UNKNOWN."""
    current = license.as_of(now_us)
    if current.next is None or current.next.version != version:
        raise precondition(
            "AMENDMENT_UNKNOWN", f"version {version} is no amendment that waits: nothing to withdraw"
        )
    return replace(current, next=None)


def terms_differ(version: int) -> Refusal:
    """The refusal of a digest that is not that of the terms that stand."""
    return precondition(
        "TERMS_DIFFER", f"the terms of version {version} have another digest: read them again"
    )


def _drafted(license: License, asked: Activation, now_us: int) -> NextVersion:
    current, state = license.as_of(now_us), license.effective_state(now_us)
    is_first = current.state is LicenseState.DRAFT
    # An amendment may renew a term that is over, but nothing brings back what was ended.
    if state is LicenseState.TERMINATED or (is_first and state is LicenseState.EXPIRED):
        raise state_forbids(state, "be activated")
    drafted = current.next
    if drafted is not None and drafted.effective_from_us is not None:
        raise precondition("ACTIVATION_SCHEDULED", f"version {drafted.version} has its time already")
    if drafted is None and is_first:
        drafted = NextVersion(current.version, current.terms, current.terms_digest, None)
    if drafted is None or drafted.version != asked.version:
        raise precondition("VERSION_NOT_DRAFTED", f"there is no draft of version {asked.version}")
    if drafted.terms_digest != asked.terms_digest:
        raise terms_differ(drafted.version)
    return drafted


def _check_ahead(effective_at_us: int, now_us: int) -> None:
    if effective_at_us < now_us:
        raise invalid(
            "ACTIVATION_IN_PAST", "this time has passed; without one it is at once", field="effective_at"
        )
    if effective_at_us > now_us + FURTHEST_AHEAD_US:
        raise invalid("ACTIVATION_TOO_FAR_AHEAD", "at most 366 days ahead", field="effective_at")


def _check_same_contract(before: Terms, after: Terms, billed: Price | None) -> None:
    if after.licensee_id != before.licensee_id:
        raise invalid(
            "AMENDMENT_CHANGES_LICENSEE",
            "another licensee needs a license of its own",
            field="terms.licensee_id",
        )
    if billed is None or after.price is None:
        return
    for name in ("currency", "period", "time_zone"):
        if getattr(after.price, name) != getattr(billed, name):
            # Periods of two kinds would overlap, and some hours be billed twice (B4), also where versions
            # without a price lie between.
            raise invalid(
                "AMENDMENT_CHANGES_BILLING",
                f"another {name} needs a license of its own",
                field=f"terms.price.{name}",
            )
