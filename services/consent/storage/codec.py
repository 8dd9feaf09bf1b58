"""How domain values are written in columns: JSON in one form only, so that equal values are equal text."""

import json
from collections.abc import Iterable
from typing import Any

from services.consent.domain.changes import Revision
from services.consent.domain.choices import Choice, Scope, Stance, Standing
from services.consent.domain.outcomes import Imported, Published, Recorded, Rejected
from services.consent.domain.policies import Regime, Rule
from services.consent.domain.subjects import Facts, Profile, State

NO_TIME = -(2**63)
"""In a column of times: the source gave none."""

Outcome = Recorded | Imported | Published


def signed(subject_id: int) -> int:
    """The 64 bits of an unsigned id as a signed number, as databases have them."""
    return subject_id - 2**64 if subject_id >= 2**63 else subject_id


def unsigned(stored: int) -> int:
    """Back from `signed`."""
    return stored + 2**64 if stored < 0 else stored


def encode_notices(notices: Iterable[bytes]) -> bytes:
    """Digests of 32 bytes each, ascending."""
    return b"".join(sorted(notices))


def decode_notices(stored: bytes) -> frozenset[bytes]:
    """Back from `encode_notices`."""
    return frozenset(stored[at : at + 32] for at in range(0, len(stored), 32))


def encode_choices(choices: tuple[Choice, ...]) -> str:
    """The choices that still matter, with the times that later ones are compared with."""
    if not choices:
        # Most subjects have never chosen.
        return "[]"
    return _json([[c.stance, *_scope(c.scope), c.stated_us, c.revision] for c in choices])


def decode_choices(stored: str) -> tuple[Choice, ...]:
    """Back from `encode_choices`."""
    if stored == "[]":
        return ()
    return tuple(
        Choice(Stance(stance), Scope(licensee, purpose), stated_us, revision)
        for stance, licensee, purpose, stated_us, revision in json.loads(stored)
    )


def encode_profile(profile: Profile) -> str:
    """[facts or null, allows, denies]; sets are sorted, so that a profile has one text."""
    facts = profile.facts
    return _json(
        [
            None
            if facts is None
            else [facts.jurisdiction, facts.states, encode_notices(facts.notices).hex()],
            [_scope(allow) for allow in profile.standing.allows],
            [
                [_scope(deny), [_scope(lifter) for lifter in lifters]]
                for deny, lifters in profile.standing.denies
            ],
        ]
    )


def decode_profile(stored: str) -> Profile:
    """Back from `encode_profile`."""
    facts, allows, denies = json.loads(stored)
    standing = Standing(
        tuple(Scope(*allow) for allow in allows),
        tuple((Scope(*deny), tuple(Scope(*lifter) for lifter in lifters)) for deny, lifters in denies),
    )
    if facts is None:
        return Profile(None, standing)
    jurisdiction, states, notices = facts
    return Profile(Facts(jurisdiction, State(states), decode_notices(bytes.fromhex(notices))), standing)


def encode_rules(rules: tuple[Rule, ...]) -> str:
    """A list of [jurisdiction, purpose, regime], in the order in which they were announced."""
    return _json([[rule.jurisdiction, rule.purpose, rule.regime] for rule in rules])


def decode_rules(stored: str) -> tuple[Rule, ...]:
    """Back from `encode_rules`."""
    return tuple(
        Rule(jurisdiction, purpose, Regime(regime)) for jurisdiction, purpose, regime in json.loads(stored)
    )


def encode_outcome(outcome: Outcome) -> bytes:
    """The answer to a write, as it is kept for whoever repeats the request."""
    revision = [outcome.revision.epoch, outcome.revision.number]
    match outcome:
        case Recorded():
            content: list[Any] = ["recorded", outcome.stated_us]
        case Imported():
            rows = [[row.line, row.reason, row.message] for row in outcome.rejected]
            content = ["imported", outcome.accepted, outcome.unchanged, rows]
        case Published():
            content = ["published", outcome.version]
    return _json([revision, *content]).encode()


def decode_outcome(stored: bytes) -> Outcome:
    """Back from `encode_outcome`."""
    (epoch, number), kind, *content = json.loads(stored)
    revision = Revision(epoch, number)
    match kind:
        case "recorded":
            return Recorded(revision, *content)
        case "imported":
            accepted, unchanged, rows = content
            return Imported(accepted, unchanged, tuple(Rejected(*row) for row in rows), revision)
        case _:
            (version,) = content
            return Published(version, revision)


def _scope(scope: Scope) -> list[str | int]:
    return [scope.licensee, scope.purpose]


_json = json.JSONEncoder(separators=(",", ":")).encode
