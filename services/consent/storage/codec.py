"""How domain values are written in columns: JSON in one form only, so that equal values are equal text."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.consent.domain.changes import Revision
from services.consent.domain.choices import Choice, Scope, Stance, Standing
from services.consent.domain.outcomes import (
    Erased,
    Halted,
    Imported,
    Objected,
    Published,
    Recorded,
    Rejected,
    Retracted,
)
from services.consent.domain.policies import Regime, Rule
from services.consent.domain.subjects import Facts, Profile, State

NO_TIME = -(2**63)
"""In a column of times: the source gave none."""

Outcome = Recorded | Objected | Imported | Published | Retracted | Halted | Erased


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


def encode_countries(countries: Iterable[str]) -> str:
    """Codes, ascending, separated by commas."""
    return ",".join(sorted(countries))


def decode_countries(stored: str) -> frozenset[str]:
    """Back from `encode_countries`."""
    return frozenset(stored.split(",")) if stored else frozenset()


def encode_times(times_us: Mapping[int, int]) -> str:
    """The times of single changes by their flag."""
    return _json({str(flag): times_us[flag] for flag in sorted(times_us)}) if times_us else "{}"


def decode_times(stored: str) -> dict[int, int]:
    """Back from `encode_times`."""
    return {} if stored == "{}" else {int(flag): time_us for flag, time_us in json.loads(stored).items()}


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
            else [
                facts.jurisdiction,
                facts.states,
                encode_notices(facts.notices).hex(),
                encode_countries(facts.withheld),
            ],
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
    jurisdiction, states, notices, withheld = facts
    served = decode_notices(bytes.fromhex(notices))
    return Profile(Facts(jurisdiction, State(states), served, decode_countries(withheld)), standing)


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
        case Retracted():
            content = ["retracted", outcome.version]
        case Objected():
            content = ["objected", *outcome.recorded]
        case Halted():
            content = ["halted", outcome.halt_id]
        case Erased():
            content = ["erased", outcome.erased_us]
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
        case "objected":
            return Objected(revision, tuple(content))
        case _:
            (number_or_time,) = content
            return _OF_ONE_NUMBER[kind](number_or_time, revision)


_OF_ONE_NUMBER: dict[str, type[Published | Retracted | Halted | Erased]] = {
    "published": Published,
    "retracted": Retracted,
    "halted": Halted,
    "erased": Erased,
}


def _scope(scope: Scope) -> list[str | int]:
    return [scope.licensee, scope.purpose]


_json = json.JSONEncoder(separators=(",", ":")).encode
