"""The platform's policy: the regime of each purpose in each jurisdiction, in versions that take effect (C3).

A version is announced with a time and takes effect by an activation of its own, unless it is retracted
before; the one activated last is in force. What no rule names is never freer for it: an unlisted jurisdiction
is OPT_IN, an unlisted purpose goes nowhere.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.chassis.refusals import invalid, not_found, precondition
from services.consent.domain.purposes import PURPOSES

LONGEST_NOTICE_DAYS = 366
"""From announcement to effect. Versions take effect in their order, so one with a mistyped year would hold
every later one up until then."""
_LONGEST_NOTICE_US = LONGEST_NOTICE_DAYS * 86_400_000_000


class Regime(enum.IntEnum):
    """Numbers of `sluice.consent.v1.Regime`; NONE is ours: no policy for the purpose is in effect."""

    NONE = 0
    OPT_IN = 1
    OPT_OUT = 2
    PROHIBITED = 3


@dataclass(frozen=True)
class Rule:
    """The regime of one purpose in one jurisdiction."""

    jurisdiction: str
    """Country, or country and subdivision: "US", "US-CA"."""
    purpose: int
    regime: Regime


@dataclass(frozen=True)
class PolicyDraft:
    """A policy as it was handed in."""

    effective_us: int
    """From when it applies, microseconds UTC."""
    text_digest: bytes
    rules: tuple[Rule, ...]
    notices: frozenset[bytes] = frozenset()
    """SHA-256 digests of the notices that inform a subject well enough for OPT_OUT."""


@dataclass(frozen=True)
class Activation:
    """When a version took effect in fact."""

    activated_us: int
    revision: int


@dataclass(frozen=True)
class Retraction:
    """When a version was retracted."""

    retracted_us: int
    revision: int


@dataclass(frozen=True)
class Policy:
    """An announced version."""

    version: int
    """From 1; those that are not retracted are in the order of effective times."""
    draft: PolicyDraft
    activation: Activation | None = None
    """None until it has taken effect."""
    retraction: Retraction | None = None
    """None unless it was retracted before it took effect."""
    _regimes: Mapping[tuple[str, int], Regime] = field(init=False, repr=False, compare=False)
    _purposes: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        regimes = {(rule.jurisdiction, rule.purpose): rule.regime for rule in self.draft.rules}
        object.__setattr__(self, "_regimes", regimes)
        object.__setattr__(self, "_purposes", frozenset(rule.purpose for rule in self.draft.rules))

    def regime(self, jurisdiction: str, purpose: int) -> Regime:
        """The rule of the subdivision, else of the country, else OPT_IN; NONE for a purpose without rules."""
        if purpose not in self._purposes:
            return Regime.NONE
        country = jurisdiction.partition("-")[0]
        fallback = self._regimes.get((country, purpose), Regime.OPT_IN)
        return self._regimes.get((jurisdiction, purpose), fallback)

    def informed(self, notices: frozenset[bytes]) -> bool:
        """Whether a subject who was served `notices` may count as informed (OPT_OUT)."""
        return not notices.isdisjoint(self.draft.notices)


@dataclass(frozen=True)
class PolicyBook:
    """Every version announced so far, in the order of versions."""

    policies: tuple[Policy, ...] = ()

    def in_force(self) -> Policy | None:
        """The version activated last; None before the first."""
        activated = [policy for policy in self.policies if policy.activation is not None]
        return activated[-1] if activated else None

    def due(self, now_us: int) -> tuple[Policy, ...]:
        """The versions whose time has come and that are not yet activated, in the order to activate them."""
        return tuple(policy for policy in self._waiting() if policy.draft.effective_us <= now_us)

    def next_change_us(self) -> int | None:
        """The effective time of the next version that is not activated, microseconds UTC."""
        return min((policy.draft.effective_us for policy in self._waiting()), default=None)

    def latest_effective_us(self) -> int | None:
        """The effective time of the newest version that stands; a further one must lie after it."""
        standing = [policy for policy in self.policies if policy.retraction is None]
        return standing[-1].draft.effective_us if standing else None

    def check_retract(self, version: int, now_us: int) -> None:
        """Refuses to retract what is not announced, or what answers may have been given under.

        Raises Refusal POLICY_UNKNOWN, POLICY_IN_EFFECT, POLICY_RETRACTED.
        """
        policy = next((policy for policy in self.policies if policy.version == version), None)
        if policy is None:
            raise not_found("POLICY_UNKNOWN", "there is no such version of the policy")
        if policy.retraction is not None:
            raise precondition("POLICY_RETRACTED", "the version was retracted already")
        # By the clock too: from its time on nothing is answered under the version before it.
        if policy.activation is not None or policy.draft.effective_us <= now_us:
            raise precondition("POLICY_IN_EFFECT", "the time of the version has come; publish another one")

    def _waiting(self) -> tuple[Policy, ...]:
        return tuple(
            policy for policy in self.policies if policy.activation is None and policy.retraction is None
        )


def check_policy(draft: PolicyDraft, latest_effective_us: int | None, now_us: int) -> None:
    """Refuses a policy that changes the past or the order of versions, or says two things at once.

    Raises Refusal POLICY_RULES_OVERLAP, PURPOSE_UNKNOWN, PURPOSE_WITHOUT_REGIME, POLICY_IN_THE_PAST,
    POLICY_TOO_FAR_AHEAD, POLICY_OUT_OF_ORDER.
    """
    _check_rules(draft.rules)
    if draft.effective_us < now_us:
        raise invalid(
            "POLICY_IN_THE_PAST", "a policy cannot take effect in the past", field="policy.effective_at"
        )
    if draft.effective_us > now_us + _LONGEST_NOTICE_US:
        message = f"a policy takes effect within {LONGEST_NOTICE_DAYS} days of its announcement"
        raise invalid("POLICY_TOO_FAR_AHEAD", message, field="policy.effective_at")
    if latest_effective_us is not None and draft.effective_us <= latest_effective_us:
        raise precondition(
            "POLICY_OUT_OF_ORDER",
            "a policy takes effect after every version announced before it that is not retracted",
        )


def _check_rules(rules: tuple[Rule, ...]) -> None:
    seen: set[tuple[str, int]] = set()
    for number, rule in enumerate(rules):
        where = f"policy.rules[{number}]"
        traits = PURPOSES.get(rule.purpose)
        if traits is None:
            raise invalid("PURPOSE_UNKNOWN", "the purpose is not in the table of purposes", field=where)
        if not traits.choosable:
            # Taken and then not applied, a PROHIBITED would be a promise that nothing keeps.
            raise invalid("PURPOSE_WITHOUT_REGIME", "regimes do not apply to this purpose", field=where)
        if (rule.jurisdiction, rule.purpose) in seen:
            message = "two rules name the same jurisdiction and purpose"
            raise invalid("POLICY_RULES_OVERLAP", message, field=where)
        seen.add((rule.jurisdiction, rule.purpose))
