"""The export that leaves nothing out: every record of the dossier as JSON (C11).

Ids and revisions are strings, for they have 64 bits and many readers of JSON keep 53.
"""

from typing import Any

from services.consent.domain.choices import EVERYONE
from services.consent.domain.dossiers import (
    ChoiceRecord,
    Dossier,
    FactsRecord,
    SignalRecord,
    method_word,
    purpose_word,
    rfc3339,
)
from services.consent.domain.policies import Policy, Rule
from services.consent.domain.state_changes import ChangeKind
from services.consent.domain.subjects import State
from services.consent.domain.withdrawals import Recorded

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
        "facts": [_facts(record) for record in sorted(dossier.facts, key=_by_revision)],
        "signals": [_signal(record) for record in sorted(dossier.signals, key=_of_signal)],
        "withdrawals": [_withdrawal(each) for each in sorted(dossier.withdrawals, key=_by_revision)],
        "policies": [_policy(policy) for policy in sorted(dossier.policies, key=lambda each: each.version)],
    }


def _choice(record: ChoiceRecord) -> dict[str, Any]:
    return {
        "revision": str(record.revision),
        "stance": record.stance.name.lower(),
        **_licensee(record.licensee),
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
        "change": ChangeKind(record.kind).name.lower() if record.kind else "description",
        "jurisdiction": record.jurisdiction or None,
        "states": [str(state.name).lower() for state in State if state & record.states],
        "notices": _digests(record.notices),
        "withheld": sorted(record.withheld),
        "occurred_at": rfc3339(record.occurred_us),
        "recorded_at": rfc3339(record.recorded_us),
        "recorded_by": record.recorded_by,
    }


def _signal(record: SignalRecord) -> dict[str, Any]:
    return {"revision": str(record.revision), "source": record.source, "signal": record.signal.value}


def _withdrawal(recorded: Recorded) -> dict[str, Any]:
    withdrawal = recorded.withdrawal
    return {
        "revision": str(recorded.revision),
        "cause": withdrawal.cause.name.lower(),
        **_licensee(withdrawal.licensee),
        "purposes": [purpose_word(purpose) for purpose in withdrawal.purposes],
        "countries": list(withdrawal.countries),
        "recorded_at": rfc3339(recorded.recorded_us),
    }


def _licensee(licensee: str) -> dict[str, str | None]:
    """In two fields: no licensee's id can be mistaken for everyone, not even one that says so."""
    one = licensee != EVERYONE
    return {"licensee_scope": "one" if one else "everyone", "licensee_id": licensee if one else None}


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


def _by_revision(record: FactsRecord | Recorded) -> int:
    return record.revision


def _of_signal(record: SignalRecord) -> tuple[int, str, str]:
    """Signals that were sent together share a revision."""
    return record.revision, record.source, record.signal.value


def _digests(digests: frozenset[bytes]) -> list[str]:
    return sorted(digest.hex() for digest in digests)


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(time_us)
