"""The compiled index: the state of every subject and post in memory, and a whole batch answered at once.

One thread applies changes, in order, while the event loop reads, without a lock. What readers go by is one
`View`, swapped as a whole: a change first adds its profiles, then stores for each of its subjects where their
profile is (one store, see `id_table`), and only then publishes a view with its revision. A reader of revision
r therefore sees every change up to r whole; of a change beyond r, which is committed too, it may see some
subjects already, and each of them as before or as after. A change that is broken off can be applied again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import unavailable
from services.consent.domain.batches import Batch
from services.consent.domain.changes import Change, Revision
from services.consent.domain.halts import HaltScope
from services.consent.domain.policies import PolicyBook
from services.consent.domain.purposes import PURPOSES
from services.consent.domain.verdicts import NO_HALTS, Question, Reason, is_halted, reasons_of_posts
from services.consent.id_table import IdTable
from services.consent.places import Places
from services.consent.post_states import PostStates
from services.consent.profiles import Answers, Profiles

UNNAMED_ID = 0


class GapError(Exception):
    """A change does not begin at the revision that the index has reached."""


@dataclass(frozen=True)
class View:
    """The index as of one revision."""

    revision: Revision
    policies: PolicyBook
    halts: frozenset[HaltScope]
    subjects: IdTable
    profiles: Profiles
    answers: Answers
    posts: PostStates
    lineage: int
    """Of the history that this is a revision of."""

    def under(self, halts: frozenset[HaltScope] | None) -> Self:
        """The same with other halts; as it is for None."""
        return self if halts is None else replace(self, halts=halts)

    async def prepare(self, question: Question) -> None:
        """Compiles an answer that is asked for the first time where that takes long, beside other calls."""
        if question.purpose in PURPOSES and not is_halted(question, self.halts):
            await self.answers.prepare(question, self.policies.in_force(), self.halts)

    def reasons(self, question: Question, batch: Batch) -> NDArray[np.uint8]:
        """One `Reason` a post (n), under the policy in force. For the thread of the event loop only."""
        posts = len(batch.author_ids)
        if question.purpose not in PURPOSES:
            return np.full(posts, Reason.NO_POLICY, np.uint8)
        if is_halted(question, self.halts):
            return np.full(posts, Reason.HALTED, np.uint8)
        contributors = np.concatenate((batch.author_ids, batch.embed_author_ids))
        places = self.subjects.find(contributors)
        # After the lookup, so that every profile it met is in the answer.
        reasons = self.answers.to(question, self.policies.in_force(), self.halts)[places]
        reasons[contributors == UNNAMED_ID] = Reason.CONTRIBUTOR_UNNAMED
        own = self.posts.reasons(np.concatenate((batch.post_ids, batch.embed_ids)), question)
        if own is not None:
            reasons = np.where(own == Reason.ALLOWED, reasons, own)
        return reasons_of_posts(reasons[:posts], reasons[posts:], batch.embed_offsets)


class Index:
    """Holds the current view. `apply` is for one thread at a time, the rest anyone's."""

    def __init__(self, seed: int) -> None:
        """`seed`: 64 random bits, see `IdTable`."""
        self._seed = seed
        self._view: View | None = None
        self._places = Places(Profiles())

    @property
    def revision(self) -> Revision | None:
        """How far the index has come; None before it was read for the first time."""
        return None if self._view is None else self._view.revision

    @property
    def lineage(self) -> int:
        """Of the history that the index follows; 0 before it was read for the first time."""
        return 0 if self._view is None else self._view.lineage

    def view(self) -> View:
        """Raises Refusal (unavailable, INDEX_EMPTY) before the index was read for the first time (C10)."""
        if self._view is None:
            raise unavailable("INDEX_EMPTY", "consent is reading its database")
        return self._view

    def prepare(self, change: Change) -> Callable[[], None]:
        """Reads one stretch of the history, the next in order, or the whole; the call returned takes it in.

        Raises GapError, and ValueError for a change that contradicts the index; it is then as it was.
        """
        if change.before is None:
            return self._started_over(change)
        if change.before != self.revision:
            raise GapError(f"the index is at {self.revision}, the change begins at {change.before}")
        whole = replace(change, subjects=tuple(change.subjects), posts=tuple(change.posts))
        return lambda: self._take(whole)

    def apply(self, change: Change) -> None:
        """Takes a change in at once."""
        self.prepare(change)()

    def _take(self, change: Change) -> None:
        view = self.view()
        if change.before != view.revision:
            raise GapError(f"the index is at {view.revision}, the change begins at {change.before}")
        self._places.add(change.profiles)
        subjects, posts = _filled(view.subjects, view.posts, self._places, change)
        self._publish(
            View(*_rest(change, view), subjects, view.profiles, view.answers, posts, change.lineage)
        )

    def _started_over(self, change: Change) -> Callable[[], None]:
        profiles = Profiles()
        places = Places(profiles)
        places.add(change.profiles)
        empty = IdTable(change.subject_count, self._seed), PostStates(change.post_count, self._seed)
        subjects, posts = _filled(*empty, places, change)
        view = View(*_rest(change, None), subjects, profiles, Answers(profiles), posts, change.lineage)

        def take() -> None:
            self._places = places
            self._publish(view)

        return take

    def _publish(self, view: View) -> None:
        if self._places.wasteful:
            # Into columns of its own: the view before it stays whole for who reads it.
            self._places, new_places = self._places.tidied(view.subjects.used(len(view.profiles)))
            subjects, tidy = view.subjects.renumbered(new_places), self._places.profiles
            view = replace(view, subjects=subjects, profiles=tidy, answers=Answers(tidy))
        self._view = view


def _filled(
    subjects: IdTable, posts: PostStates, places: Places, change: Change
) -> tuple[IdTable, PostStates]:
    """The tables with what the change says; in place, or in larger ones."""
    subjects = subjects.with_room(change.subject_count)
    for placement in change.subjects:
        subjects.put(placement.subject_ids, places.of(placement.profile_ids))
    posts = posts.with_room(change.post_count)
    for post_placement in change.posts:
        posts.put(post_placement)
    return subjects, posts


def _rest(change: Change, view: View | None) -> tuple[Revision, PolicyBook, frozenset[HaltScope]]:
    """What is swapped as a whole."""
    policies, halts = (PolicyBook(), NO_HALTS) if view is None else (view.policies, view.halts)
    return (
        change.after,
        policies if change.policies is None else change.policies,
        halts if change.halts is None else change.halts,
    )
