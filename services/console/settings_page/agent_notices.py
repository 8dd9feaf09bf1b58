"""The notice that an agent is shown before they say yes for many (C1)."""

from dataclasses import dataclass

from services.chassis.dialing import Peer
from services.console.settings_page.outlook import policies_of, standing_of
from services.console.settings_page.texts import Text, Texts


@dataclass(frozen=True)
class Notice:
    """A notice of a policy."""

    policy: int
    """The version that accepts it."""
    text: Text


async def policy_in_force(consent: Peer, subject_id: int) -> int:
    """The version that a subject's posts are under; 0 where none is in force. Raises Refusal."""
    return (await standing_of(consent, subject_id, [])).policy_version


async def notice_in_force(consent: Peer, subject_id: int, texts: Texts, language: str) -> Notice | None:
    """The one to show now; None where this page has none that the policy accepts. Raises Refusal."""
    version = await policy_in_force(consent, subject_id)
    policy = (await policies_of(consent, version)).in_force if version else None
    text = texts.notice(policy.notice_digests, language) if policy else None
    return Notice(version, text) if text else None
