"""Builders for consent: what people said, what is known of them, and what a database of it holds."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.chassis.database import Database
from services.chassis.replays import ReplayKey
from services.consent.domain.batches import Batch
from services.consent.domain.changes import Change, Placement, PostPlacement, Revision
from services.consent.domain.choices import ALL_PURPOSES, EVERYONE, Choice, Draft, Scope, Stance
from services.consent.domain.halts import HaltKind, HaltOrder, HaltScope
from services.consent.domain.policies import Activation, Policy, PolicyBook, PolicyDraft, Regime, Rule
from services.consent.domain.posts import PostMark, PostState
from services.consent.domain.purposes import Purpose
from services.consent.domain.state_changes import ChangeKind, StateChange, StateRow
from services.consent.domain.subjects import NO_STATES, Facts, Profile, State
from services.consent.domain.verdicts import EVERYWHERE, NO_HALTS, Question, Reason
from services.consent.storage.head import lock_group
from tests.support.clock import NOON_US

SCHEMA = Path(__file__).resolve().parents[2] / "services" / "consent" / "schema"
NOTICE = b"\x11" * 32
OTHER_NOTICE = b"\x22" * 32
GENERATIVE = Purpose.AI_TRAINING_GENERATIVE
SHARING = Purpose.THIRD_PARTY_SHARING
EVERYTHING = HaltScope(HaltKind.EVERYTHING)
FIRST_EMBED = 1_000_001
"""The id of the first embed of a batch, where none is said; posts count from 1."""

FactsRow = tuple[int, int, Facts, int | None]


def consent_database(folder: Path) -> Database:
    """A database of consent in `folder`, made or opened again."""
    return consent_database_at(f"sqlite:///{folder / 'consent.db'}")


def consent_database_at(url: str) -> Database:
    """The database at a URL, opened as the service does."""
    return Database.open(url, schema_dir=SCHEMA, name="consent", lock=lock_group)


def a_scope(licensee: str = EVERYONE, purpose: int = ALL_PURPOSES) -> Scope:
    """Everyone and all purposes unless said."""
    return Scope(licensee, purpose)


def an_allow(at: int, revision: int, licensee: str = EVERYONE, purpose: int = ALL_PURPOSES) -> Choice:
    """An allow for everyone and everything unless said."""
    return Choice(Stance.ALLOW, Scope(licensee, purpose), at, revision)


def a_deny(at: int, revision: int, licensee: str = EVERYONE, purpose: int = ALL_PURPOSES) -> Choice:
    """A deny for everyone and everything unless said."""
    return Choice(Stance.DENY, Scope(licensee, purpose), at, revision)


def a_draft(
    stance: Stance = Stance.DENY,
    subject_id: int = 7,
    *,
    licensee: str = EVERYONE,
    purpose: int = ALL_PURPOSES,
    claimed_us: int | None = None,
    notice_digest: bytes = NOTICE,
) -> Draft:
    """Subject 7 denies everything to everyone, unless said."""
    return Draft(subject_id, stance, Scope(licensee, purpose), 1, notice_digest, claimed_us)


def some_facts(
    jurisdiction: str = "US",
    states: State = NO_STATES,
    notices: Iterable[bytes] = (NOTICE,),
    withheld: Iterable[str] = (),
) -> Facts:
    """An ordinary account in the US that was served the notice, unless said."""
    return Facts(jurisdiction, states, frozenset(notices), frozenset(withheld))


def facts_rows(*subject_ids: int, facts: Facts | None = None, as_of_us: int | None = None) -> list[FactsRow]:
    """Lines of an import that describe subjects, all alike."""
    said = some_facts() if facts is None else facts
    return [(line, subject_id, said, as_of_us) for line, subject_id in enumerate(subject_ids, 1)]


def a_change(
    kind: ChangeKind = ChangeKind.DELETE,
    at: int | None = NOON_US,
    *,
    countries: Iterable[str] = (),
    notice: bytes = b"",
) -> StateChange:
    """A deletion at noon, unless said."""
    return StateChange(kind, at, frozenset(countries), notice)


def of_subject(change: StateChange, subject_id: int = 7, line: int = 1) -> StateRow:
    """A line about a subject."""
    return StateRow(line, subject_id, 0, change)


def of_post(change: StateChange, post_id: int = 1, line: int = 1) -> StateRow:
    """A line about a post."""
    return StateRow(line, 0, post_id, change)


def a_halt_order(scope: HaltScope = EVERYTHING, *, recall: bool = False) -> HaltOrder:
    """Everything is to stop, unless said."""
    return HaltOrder(scope, "a test", recall)


def a_policy_draft(
    effective_us: int = NOON_US,
    regime: Regime = Regime.OPT_OUT,
    jurisdictions: Sequence[str] = ("US", "DE"),
    rules: tuple[Rule, ...] | None = None,
) -> PolicyDraft:
    """OPT_OUT for generative training and sharing in the US and Germany, unless said."""
    if rules is None:
        rules = tuple(
            Rule(place, purpose, regime) for place in jurisdictions for purpose in (GENERATIVE, SHARING)
        )
    return PolicyDraft(effective_us, b"\x33" * 32, rules, frozenset({NOTICE}))


def a_policy(regime: Regime = Regime.OPT_OUT, *rules: Rule, version: int = 1) -> Policy:
    """A policy in force."""
    draft = a_policy_draft(regime=regime, rules=rules or None)
    return Policy(version, draft, Activation(NOON_US, version))


def a_question(
    licensee: str = "acme",
    purpose: int = GENERATIVE,
    jurisdictions: frozenset[str] = EVERYWHERE,
    territory: frozenset[str] = EVERYWHERE,
) -> Question:
    """Acme asks for generative training, everywhere, unless said."""
    return Question(licensee, purpose, jurisdictions, territory)


def a_batch(
    *posts: Sequence[int], post_ids: Sequence[int] | None = None, embed_ids: Sequence[int] | None = None
) -> Batch:
    """Posts as (author, authors of embeds ...)."""
    offsets = np.cumsum([0, *(len(post) - 1 for post in posts)], dtype=np.uint32)
    embeds = [embed for post in posts for embed in post[1:]]
    if post_ids is None:
        post_ids = range(1, len(posts) + 1)
    if embed_ids is None:
        embed_ids = range(FIRST_EMBED, FIRST_EMBED + len(embeds))
    return Batch(
        post_ids=np.array(post_ids, np.uint64),
        author_ids=np.array([post[0] for post in posts], np.uint64),
        embed_offsets=offsets,
        embed_ids=np.array(embed_ids, np.uint64),
        embed_author_ids=np.array(embeds, np.uint64),
    )


def a_post_state(marks: PostMark = PostMark.DENIED, withheld: Iterable[str] = ()) -> PostState:
    """A post that was denied on its own, unless said."""
    return PostState(marks, frozenset(withheld))


def a_key(number: int = 1, digest: bytes = b"\x44" * 32, operation: str = "Write") -> ReplayKey:
    """The key of the n-th request of an operator."""
    return ReplayKey("operator:ada", operation, f"00000000-0000-7000-8000-{number:012d}", digest)


def a_placement(profile_ids: Mapping[int, int]) -> Placement:
    """Subjects with their profiles."""
    return Placement(np.array(list(profile_ids), np.uint64), np.array(list(profile_ids.values()), np.int64))


def a_post_placement(states: Mapping[int, PostState]) -> PostPlacement:
    """Posts with their states."""
    distinct = tuple(dict.fromkeys(states.values()))
    places = [distinct.index(state) for state in states.values()]
    return PostPlacement(np.array(list(states), np.uint64), np.array(places, np.uint32), distinct)


def a_whole(
    revision: Revision,
    profiles: Mapping[int, Profile],
    placed: Mapping[int, int],
    policies: Iterable[Policy] = (),
    *,
    halts: frozenset[HaltScope] = NO_HALTS,
    posts: Mapping[int, PostState] | None = None,
) -> Change:
    """The whole history up to a revision."""
    return Change(
        before=None,
        after=revision,
        profiles=profiles,
        subjects=[a_placement(placed)],
        subject_count=len(placed),
        posts=[a_post_placement(posts or {})],
        post_count=len(posts or {}),
        policies=PolicyBook(tuple(policies)),
        halts=halts,
    )


def names(reasons: NDArray[np.uint8]) -> list[str]:
    """Reasons as people read them."""
    return [Reason(reason).name for reason in reasons.tolist()]
