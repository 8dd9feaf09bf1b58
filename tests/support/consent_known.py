"""What may be known of a contributor, for the tests of what is explained by it."""

from collections.abc import Sequence

from hypothesis import strategies as st

from services.consent.domain.choices import Choice
from services.consent.domain.dossiers import ChoiceRecord, FactsRecord
from services.consent.domain.explanations import Known
from services.consent.domain.halts import Halt, HaltScope
from services.consent.domain.policies import Policy, Regime
from services.consent.domain.posts import UNMARKED, PostState
from services.consent.domain.subjects import Facts
from tests.support.clock import NOON_US
from tests.support.consent import a_halt_order, a_policy, some_facts
from tests.support.consent_worlds import facts, halts, histories, policies, post_states

OF_FACTS, OF_POST, OF_HALTS = 100, 200, 300
"""Revisions of the records of the subject and the post, and of the first halt."""


def recorded(choice: Choice) -> ChoiceRecord:
    """Of a choice what decides, and the rest made up."""
    return ChoiceRecord(
        revision=choice.revision,
        stance=choice.stance,
        licensee=choice.scope.licensee,
        purpose=choice.scope.purpose,
        method=1,
        notice_digest=b"",
        claimed_us=None,
        stated_us=choice.stated_us,
        recorded_us=NOON_US,
        recorded_by="subject:7",
    )


def described(told: Facts) -> FactsRecord:
    """The record of a description."""
    return FactsRecord(
        revision=OF_FACTS,
        jurisdiction=told.jurisdiction,
        states=told.states,
        notices=told.notices,
        withheld=told.withheld,
        occurred_us=NOON_US,
        recorded_us=NOON_US,
        recorded_by="pipeline:accounts",
    )


def known(
    *choices: Choice,
    told: Facts | None = None,
    policy: Policy | None = None,
    stopped: Sequence[HaltScope] = (),
    post: PostState = UNMARKED,
) -> Known:
    """Nothing but the choices, unless said; each record has a revision of its own."""
    orders = tuple(
        Halt(OF_HALTS + number, a_halt_order(scope), NOON_US, "operator:ada")
        for number, scope in enumerate(stopped)
    )
    return Known(
        facts=None if told is None else described(told),
        choices=tuple(map(recorded, choices)),
        policy=policy,
        halts=orders,
        post=post,
        post_revision=OF_POST if post != UNMARKED else 0,
    )


def ordinary(*choices: Choice, regime: Regime = Regime.OPT_OUT, **fields: object) -> Known:
    """Of someone in the US who was served the notice."""
    return known(*choices, **({"told": some_facts(), "policy": a_policy(regime, version=50)} | fields))  # type: ignore[arg-type]


@st.composite
def knowledge(draw: st.DrawFn) -> Known:
    """Anything at all."""
    policy = draw(policies)
    return known(
        *draw(histories()),
        told=draw(st.none() | facts),
        policy=policy,
        stopped=sorted(draw(halts)),
        post=draw(st.just(UNMARKED) | post_states),
    )


def facts_of(told: Known) -> Facts | None:
    """What the record of the subject says."""
    if (record := told.facts) is None:
        return None
    return Facts(record.jurisdiction, record.states, record.notices, record.withheld)
