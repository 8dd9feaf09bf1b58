"""Whether what the ledger has of one decision hangs together: receipt, leaf, attempt, manifest, settlement.

Everything is worked out anew from the decision, and compared with what was stored when it was made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.chassis.refusals import Refusal
from services.licensing.domain.audits.findings import Difference
from services.licensing.domain.canonical import rfc3339
from services.licensing.domain.decisions import Decision
from services.licensing.domain.deliveries import Confirmation, Settlement, read_bitmap
from services.licensing.domain.log.trees import receipt_leaf_hash
from services.licensing.domain.manifests import Manifest, stored_root
from services.licensing.domain.receipts import RECEIPT_VERSION, verdicts_digest
from services.licensing.domain.releases import counts_of
from services.licensing.domain.terms import purpose_name

NOTHING = "nothing"

SALTED = ("request_digest", "resolved_digest")
"""Claims over what the caller sent, which the ledger does not keep: only who has it can compare them."""


@dataclass(frozen=True, eq=False)
class Entry:
    """What the ledger has of one decision, as of one moment."""

    decision: Decision
    manifest: Manifest | None
    settlement: Settlement | None
    confirmation: Confirmation | None
    permit_until_us: int | None
    """None where no permit is open."""
    attempt_decision_id: str | None
    """Which decision the attempt of its reservation concluded; None where no such attempt has ended so."""
    is_pending: bool
    """Metering is still to be told something about its reservation."""

    @property
    def name(self) -> str:
        """The decision, in words."""
        return f"decision {self.decision.decision_id}"


def check_number(entry: Entry, expected: int) -> Iterator[Difference]:
    """Whether it has the number that comes after the one before it."""
    if entry.decision.number != expected:
        yield Difference(entry.name, f"number {expected}", f"number {entry.decision.number}")


def check_receipt(entry: Entry, signed: Mapping[str, Any] | None) -> Iterator[Difference]:
    """Whether its receipt says what was decided.

    `signed` are the claims of the receipt; None where no key of ours has signed it.
    """
    if signed is None:
        yield Difference(entry.name, "a receipt that a key of ours has signed", "a receipt that none has")
        return
    claims = claims_of(entry)
    if "verdicts_digest" in signed:
        # Only in receipts of licensees, and not in the first of them.
        claims["verdicts_digest"] = verdicts_digest(entry.decision.salt, entry.decision.verdicts).hex()
    for name in sorted(claims.keys() | signed.keys() - set(SALTED)):
        if claims.get(name, NOTHING) != signed.get(name, NOTHING):
            expected, found = (str(each.get(name, NOTHING)) for each in (claims, signed))
            yield Difference(f"{entry.name}, {name} in its receipt", expected, found)


def claims_of(entry: Entry) -> dict[str, Any]:
    """What its receipt has to say, as far as the ledger knows."""
    decision, hold = entry.decision, entry.decision.hold
    # A licensee's receipt says nothing of consent.
    told = not decision.asker.is_licensee
    revision = decision.consent_revision if told else None
    return {
        "v": RECEIPT_VERSION,
        "decision_id": decision.decision_id,
        "number": decision.number,
        "principal_kind": decision.asker.principal_kind,
        "principal": decision.asker.principal,
        "request_id": decision.asker.request_id,
        "licensee_id": decision.licensee_id,
        "license_id": decision.license_id,
        "license_version": decision.license_version,
        "terms_digest": decision.terms_digest.hex(),
        "purpose": purpose_name(decision.purpose),
        "outcome": decision.outcome.name,
        "policy_version": decision.policy_version if told else None,
        "consent_epoch": revision and revision.epoch,
        "consent_revision": revision and revision.number,
        "reservation_id": hold and hold.reservation_id,
        "counted_at": hold and rfc3339(hold.counted_at_us),
        "counts": counts_of(decision.verdicts),
        # One of nothing released has no leaves, and is one all the same.
        "manifest_root": NOTHING if entry.manifest is None else entry.manifest.root.hex(),
        "manifest_leaves": NOTHING if entry.manifest is None else len(entry.manifest),
        "decided_at": rfc3339(decision.decided_at_us),
        "not_after": None if decision.not_after_us is None else rfc3339(decision.not_after_us),
        "trace_id": decision.trace_id or None,
    }


def check_leaf(entry: Entry, leaf: bytes | None, *, is_due: bool) -> Iterator[Difference]:
    """Whether the log has its receipt, at its number.

    `leaf` is the leaf hash there, None where the log has not come so far; `is_due` if it should have.
    """
    expected = receipt_leaf_hash(entry.decision.receipt)
    if leaf is None and is_due:
        yield Difference(entry.name, "its receipt in the log", "no leaf yet")
    elif leaf not in (None, expected):
        yield Difference(f"{entry.name}, its leaf in the log", expected.hex(), bytes(leaf or b"").hex())


def check_manifest(entry: Entry) -> Iterator[Difference]:
    """Whether its manifest is whole, and of the posts that were released."""
    manifest = entry.manifest
    if manifest is None:
        yield Difference(entry.name, "a manifest", NOTHING)
        return
    root = stored_root(manifest)
    if root != manifest.root:
        yield Difference(f"{entry.name}, the root of its manifest", root.hex(), manifest.root.hex())
    posts = len(np.unique(manifest.post_ids))
    if posts != entry.decision.posts_released:
        yield Difference(
            f"{entry.name}, posts in its manifest", str(entry.decision.posts_released), str(posts)
        )


def check_attempt(entry: Entry) -> Iterator[Difference]:
    """Whether what was released was held by the attempt that concluded it."""
    decision = entry.decision
    if decision.hold is None:
        if decision.posts_released:
            yield Difference(entry.name, "a reservation for what it released", NOTHING)
    elif entry.attempt_decision_id != decision.decision_id:
        concluded = entry.attempt_decision_id or NOTHING
        subject = f"attempt {decision.hold.reservation_id}, what it concluded"
        yield Difference(subject, entry.name, concluded)


def check_settlement(entry: Entry, now_us: int, grace_us: int) -> Iterator[Difference]:
    """Whether a release, and only a release, has one settlement in time.

    It may stay open for `grace_us` after its permit ended: until licensing has looked.
    """
    decision, settlement, permit = entry.decision, entry.settlement, entry.permit_until_us
    yield from _check_confirmation(entry)
    if decision.not_after_us is None:
        if settlement or permit is not None or decision.posts_released:
            yield Difference(entry.name, "no permit and no settlement, for nothing went", _standing(entry))
    elif (settlement is None) == (permit is None):
        yield Difference(entry.name, "an open permit or a settlement, one of them", _standing(entry))
    elif settlement is None:
        if permit != decision.not_after_us:
            yield Difference(f"{entry.name}, end of its permit", str(decision.not_after_us), str(permit))
        elif entry.confirmation is not None:
            yield Difference(entry.name, "settled, for it was confirmed", "an open permit")
        elif now_us > decision.not_after_us + grace_us:
            yield Difference(entry.name, f"settled since {rfc3339(decision.not_after_us)}", "an open permit")
    else:
        yield from _check_settled(entry, settlement, decision.not_after_us)


def _check_settled(entry: Entry, settlement: Settlement, not_after_us: int) -> Iterator[Difference]:
    confirmation = entry.confirmation
    if confirmation is not None and confirmation.confirmed_at_us < not_after_us:
        due = f"{confirmation.posts} posts, as confirmed in time"
        is_due = not settlement.by_expiry and settlement.posts == confirmation.posts
    else:
        due = f"{entry.decision.posts_released} posts, when the permit was over"
        is_due = (
            settlement.by_expiry
            and settlement.posts == entry.decision.posts_released
            and settlement.settled_at_us >= not_after_us
        )
    if not is_due:
        how = "by expiry" if settlement.by_expiry else "as confirmed"
        found = f"{settlement.posts} posts {how} at {rfc3339(settlement.settled_at_us)}"
        yield Difference(f"{entry.name}, its settlement", due, found)


def _check_confirmation(entry: Entry) -> Iterator[Difference]:
    confirmation = entry.confirmation
    if confirmation is None:
        return
    try:
        posts = int(np.count_nonzero(read_bitmap(confirmation.bitmap, entry.decision.released)))
    except Refusal as refusal:
        yield Difference(f"{entry.name}, its confirmation", "one of posts that it released", refusal.message)
        return
    if posts != confirmation.posts:
        yield Difference(f"{entry.name}, posts confirmed", str(posts), str(confirmation.posts))


def _standing(entry: Entry) -> str:
    permit = "an open permit" if entry.permit_until_us is not None else "no permit"
    settlement = f"a settlement of {entry.settlement.posts} posts" if entry.settlement else "no settlement"
    return f"{permit} and {settlement}, {entry.decision.posts_released} posts released"
