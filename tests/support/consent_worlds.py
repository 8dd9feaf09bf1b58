"""Random worlds for consent: people who chose, posts with states, a policy, halts, and a question."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from services.consent.domain.batches import Batch
from services.consent.domain.choices import Choice, Scope, Stance
from services.consent.domain.halts import HaltKind, HaltScope
from services.consent.domain.policies import Policy, Regime, Rule
from services.consent.domain.posts import UNMARKED, PostMark, PostState
from services.consent.domain.purposes import Purpose
from services.consent.domain.state_changes import ChangeKind, StateChange
from services.consent.domain.subjects import Facts, State
from services.consent.domain.verdicts import Question, Reason
from tests.support.consent import EVERYTHING, GENERATIVE, NOTICE, OTHER_NOTICE, SHARING, a_batch, a_policy
from tests.support.consent_truth import slow_post, slow_reason

Contributor = tuple[int, int]
"""Ids of a post, top-level or embedded, and its author; 0 is not known."""

OF_POSTS = (
    ChangeKind.DELETE,
    ChangeKind.UNDELETE,
    ChangeKind.WITHHELD,
    ChangeKind.DENY,
    ChangeKind.UNDENY,
)
OF_SUBJECTS = tuple(kind for kind in ChangeKind if kind < ChangeKind.DENY)
"""Kinds of changes that posts and accounts have."""

scopes = st.builds(
    Scope,
    st.sampled_from(["", "acme", "other"]),
    st.sampled_from([0, SHARING, GENERATIVE, Purpose.AI_INDEX]),
)
countries = st.frozensets(st.sampled_from(["DE", "FR", "US", "XX"]), max_size=2)
facts = st.builds(
    Facts,
    st.sampled_from(["US", "US-CA", "DE", "FR", ""]),
    st.builds(State, st.sampled_from([0, 0, 0, 0, 1, 2, 4, 8, 16, 31])),
    st.frozensets(st.sampled_from([NOTICE, OTHER_NOTICE])),
    st.just(frozenset[str]()) | countries,
)
post_states = st.builds(PostState, st.builds(PostMark, st.integers(0, 3)), countries)
policies = st.none() | st.builds(
    lambda regimes: a_policy(Regime.OPT_OUT, *(Rule(j, p, regime) for (j, p), regime in regimes.items())),
    st.dictionaries(
        st.tuples(st.sampled_from(["US", "US-CA", "DE"]), st.sampled_from([SHARING, GENERATIVE])),
        st.sampled_from([Regime.OPT_IN, Regime.OPT_OUT, Regime.OPT_OUT, Regime.PROHIBITED]),
        min_size=1,
    ),
)
halt_scopes = st.one_of(
    st.just(EVERYTHING),
    st.builds(HaltScope, st.just(HaltKind.LICENSEE), st.sampled_from(["acme", "third"])),
    st.builds(
        HaltScope,
        st.just(HaltKind.PURPOSE),
        st.sampled_from([str(int(each)) for each in (SHARING, GENERATIVE, Purpose.VETTED_RESEARCH)]),
    ),
    st.builds(HaltScope, st.just(HaltKind.JURISDICTION), st.sampled_from(["US", "US-CA", "FR"])),
)
halts = st.just(frozenset[HaltScope]()) | st.frozensets(halt_scopes, max_size=2)
questions = st.builds(
    Question,
    st.sampled_from(["acme", "other", "third"]),
    st.sampled_from([SHARING, GENERATIVE, Purpose.AI_INDEX, Purpose.VETTED_RESEARCH]),
    st.sampled_from(
        [frozenset({"*"}), frozenset({"*"}), frozenset({"US"}), frozenset({"US-CA", "DE"}), frozenset()]
    ),
    st.sampled_from([frozenset({"*"}), frozenset(), frozenset({"US-CA"}), frozenset({"FR", "JP"})]),
)


@st.composite
def histories(draw: st.DrawFn, most: int = 5) -> list[Choice]:
    """Choices in the order of revisions, from 1, stated in any order."""
    said = draw(st.lists(st.tuples(st.sampled_from(Stance), scopes, st.integers(0, 5)), max_size=most))
    return [Choice(stance, scope, at, number) for number, (stance, scope, at) in enumerate(said, 1)]


class World(NamedTuple):
    """Everything that decides, and posts to ask about."""

    people: Mapping[int, tuple[Facts | None, Sequence[Choice]]]
    marked: Mapping[int, PostState]
    policy: Policy | None
    halts: frozenset[HaltScope]
    question: Question
    posts: Sequence[Sequence[Contributor]]

    def batch(self, *posts: Sequence[Contributor]) -> Batch:
        """Of those posts."""
        return a_batch(
            *([author for _, author in post] for post in posts),
            post_ids=[post[0][0] for post in posts],
            embed_ids=[post_id for post in posts for post_id, _ in post[1:]],
        )

    def truth(self, post: Sequence[Contributor]) -> Reason:
        """The reason of a post, the slow way."""
        return slow_post(self._of_contributor(*contributor) for contributor in post)

    def _of_contributor(self, post_id: int, author_id: int) -> Reason:
        told, said = self.people.get(author_id, (None, ()))
        state = self.marked.get(post_id, UNMARKED)
        reason = slow_reason(said, told, self.question, self.policy, halts=self.halts, post=state)
        unnamed = author_id == 0 and reason is Reason.SUBJECT_UNKNOWN
        return Reason.CONTRIBUTOR_UNNAMED if unnamed else reason


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few people and posts, and questions about them and others."""
    people = draw(
        st.dictionaries(st.integers(1, 2**64 - 1), st.tuples(st.none() | facts, histories(4)), max_size=8)
    )
    marked = draw(st.dictionaries(st.integers(1, 2**64 - 1), post_states, max_size=4))
    # An embed whose id is not known has the id 0.
    contributor = st.tuples(st.sampled_from([*marked, 0, 1, 2]), st.sampled_from([*people, 0, 2**63]))
    posts = draw(st.lists(st.lists(contributor, min_size=1, max_size=4), max_size=12))
    return World(people, marked, draw(policies), draw(halts), draw(questions), posts)


def changes_of(
    kinds: Sequence[ChangeKind], times: st.SearchStrategy[int | None]
) -> st.SearchStrategy[StateChange]:
    """Changes of state of these kinds, each with what belongs to it."""

    def change(kind: ChangeKind, at: int | None, named: frozenset[str], notice: bytes) -> StateChange:
        return StateChange(
            kind,
            at,
            named if kind is ChangeKind.WITHHELD else frozenset(),
            notice if kind is ChangeKind.NOTICE_SERVED else b"",
        )

    return st.builds(
        change, st.sampled_from(kinds), times, countries, st.sampled_from([NOTICE, OTHER_NOTICE])
    )
