"""The texts of a platform for its settings page, and policies that name them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.console.settings_page.texts import Texts
from sluice.consent.v1 import policy_pb2
from tests.support.clock import ManualClock

POLICY_TEXT = "What we do with your posts.\n\nWe pass some of them on, as this policy says.\n"
NOTICES = {
    "en": "We may let others train AI with your posts.\n\nYou can say no at any time.\n",
    "de": "Andere dürfen vielleicht KI mit deinen Beiträgen trainieren.\n\nDu kannst jederzeit nein sagen.\n",
}


def digest_of(text: str) -> bytes:
    """As a policy lists it."""
    return hashlib.sha256(text.encode()).digest()


def some_texts(folder: Path) -> Texts:
    """A folder with the policy and the notices, as a page reads it."""
    folder.mkdir(exist_ok=True)
    (folder / "policy-2026.en.txt").write_text(POLICY_TEXT)
    for language, text in NOTICES.items():
        (folder / f"notice-2026.{language}.txt").write_text(text)
    return Texts.read(folder)


def a_page_policy(
    clock: ManualClock,
    regimes: Mapping[int, policy_pb2.Regime],
    *,
    in_us: int = 0,
    notices: Sequence[bytes] = tuple(map(digest_of, NOTICES.values())),
) -> policy_pb2.Policy:
    """A policy for the US, by purpose, whose texts are those of `some_texts`; in effect after `in_us`."""
    rules = [
        policy_pb2.PolicyRule(jurisdiction="US", purpose=purpose, regime=regime)  # type: ignore[arg-type]
        for purpose, regime in regimes.items()
    ]
    policy = policy_pb2.Policy(text_digest=digest_of(POLICY_TEXT), rules=rules, notice_digests=notices)
    policy.effective_at.FromMicroseconds(clock.now_us() + in_us)
    return policy
