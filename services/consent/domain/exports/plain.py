"""The export that leaves nothing out: every record of the dossier as JSON (C11).

Ids and revisions are strings, for they have 64 bits and many readers of JSON keep 53.
"""

from typing import Any

from services.consent.domain.choices import EVERYONE
from services.consent.domain.dossiers import (
    ChoiceRecord,
    Dossier,
    FactsRecord,
    method_word,
    purpose_word,
    rfc3339,
)
from services.consent.domain.policies import Policy, Rule
from services.consent.domain.subjects import State

FORMAT = "sluice.consent.export/v1"


def plain(dossier: Dossier) -> dict[str, Any]:
    """Everything in the dossier, each kind by revision or version; of an erased subject what is left."""
    return {
        "format": FORMAT,
        "subject_id": str(dossier.subject_id),
        "as_of": {"epoch": str(dossier.epoch), "revision": str(dossier.revision)},
        "taken_at": rfc3339(dossier.taken_us),
        "erased_at": _time(dossier.erased_us),
        "choices": [_choice(record) for record in dossier.in_order()],
        "standing": [str(revision) for revision in sorted(dossier.standing)],
        "facts": [_facts(record) for record in sorted(dossier.facts, key=lambda facts: facts.revision)],
        "policies": [_policy(policy) for policy in sorted(dossier.policies, key=lambda each: each.version)],
    }


def _choice(record: ChoiceRecord) -> dict[str, Any]:
    one = record.licensee != EVERYONE
    return {
        "revision": str(record.revision),
        "stance": record.stance.name.lower(),
        # Two fields: no licensee's id can be mistaken for everyone, not even one that says so.
        "licensee_scope": "one" if one else "everyone",
        "licensee_id": record.licensee if one else None,
        "purpose": purpose_word(record.purpose),
        "method": method_word(record.method),
        "notice_digest": record.notice_digest.hex() or None,
        "claimed_at": _time(record.claimed_us),
        "stated_at": rfc3339(record.stated_us),
        "recorded_at": rfc3339(record.recorded_us),
        "recorded_by": record.recorded_by,
    }


def _facts(record: FactsRecord) -> dict[str, Any]:
    return {
        "revision": str(record.revision),
        "jurisdiction": record.jurisdiction or None,
        "states": [str(state.name).lower() for state in State if state & record.states],
        "notices": _digests(record.notices),
        "withheld": sorted(record.withheld),
        "occurred_at": rfc3339(record.occurred_us),
        "recorded_at": rfc3339(record.recorded_us),
        "recorded_by": record.recorded_by,
    }


def _policy(policy: Policy) -> dict[str, Any]:
    draft, activation, retraction = policy.draft, policy.activation, policy.retraction
    return {
        "version": str(policy.version),
        "effective_at": rfc3339(draft.effective_us),
        "text_digest": draft.text_digest.hex(),
        "rules": [
            _rule(rule) for rule in sorted(draft.rules, key=lambda rule: (rule.jurisdiction, rule.purpose))
        ],
        "notices": _digests(draft.notices),
        "activated_at": None if activation is None else rfc3339(activation.activated_us),
        "activation_revision": None if activation is None else str(activation.revision),
        "retracted_at": None if retraction is None else rfc3339(retraction.retracted_us),
        "retraction_revision": None if retraction is None else str(retraction.revision),
    }


def _rule(rule: Rule) -> dict[str, str]:
    return {
        "jurisdiction": rule.jurisdiction,
        "purpose": purpose_word(rule.purpose),
        "regime": rule.regime.name.lower(),
    }


def _digests(digests: frozenset[bytes]) -> list[str]:
    return sorted(digest.hex() for digest in digests)


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(time_us)
