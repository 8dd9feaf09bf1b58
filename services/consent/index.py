"""The compiled index: the state of every subject in memory, and a whole batch answered from it at once.

The thread that writes the database applies changes in the order of commits, while the event loop reads,
without a lock. What readers go by is one `View`, swapped as a whole: a change first adds its profiles, then
stores for each of its subjects where their profile is (one store, see `subject_table`), and only then
publishes a view with its revision. A reader of revision r therefore sees every change up to r whole; of a
change beyond r, which is committed too, it may see some subjects already, and each of them as before or as
after. Profiles that nobody has any more are left behind in an old view from time to time.

A change that does not follow on the one before is a gap: something was committed that the index was not told.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import unavailable
from services.consent.domain.batches import Batch
from services.consent.domain.changes import Change, Contents, Revision
from services.consent.domain.policies import PolicyBook
from services.consent.domain.purposes import PURPOSES
from services.consent.domain.verdicts import Question, Reason, reasons_of_posts
from services.consent.places import Places
from services.consent.profiles import Answers, Profiles
from services.consent.subject_table import SubjectTable

UNNAMED_ID = 0


class GapError(Exception):
    """A change does not begin at the revision that the index has reached."""


@dataclass(frozen=True)
class View:
    """The index as of one revision."""

    revision: Revision
    policies: PolicyBook
    table: SubjectTable
    profiles: Profiles
    answers: Answers

    def reasons(self, question: Question, batch: Batch) -> NDArray[np.uint8]:
        """One `Reason` a post (n), under the policy in force. For the thread of the event loop only."""
        posts = len(batch.author_ids)
        if question.purpose not in PURPOSES:
            return np.full(posts, Reason.NO_POLICY, np.uint8)
        contributors = np.concatenate((batch.author_ids, batch.embed_author_ids))
        places = self.table.find(contributors)
        # After the lookup, so that every profile it met is in the answer.
        reasons = self.answers.to(question, self.policies.in_force())[places]
        reasons[contributors == UNNAMED_ID] = Reason.CONTRIBUTOR_UNNAMED
        return reasons_of_posts(reasons[:posts], reasons[posts:], batch.embed_offsets)


class Index:
    """Holds the current view. `replace` and `apply` are the database writer's, the rest is anyone's."""

    def __init__(self, seed: int) -> None:
        """`seed`: 64 random bits, see `SubjectTable`."""
        self._seed = seed
        self._view: View | None = None
        self._places = Places(Profiles())
        # Apart from the view, so that a change being applied cannot undo a `distrust` from another thread.
        self._trusted = False

    @property
    def revision(self) -> Revision | None:
        """How far the index has come; None while it is not to be trusted."""
        view = self._view if self._trusted else None
        return None if view is None else view.revision

    def view(self) -> View:
        """Raises Refusal (unavailable, INDEX_STALE) while the index is not to be trusted (C10)."""
        # Trust first: a view read before it might be the one that was just replaced.
        view = self._view if self._trusted else None
        if view is None:
            raise unavailable("INDEX_STALE", "consent is reading its database anew")
        return view

    def replace(self, contents: Contents) -> None:
        """Starts over from the database."""
        profiles = Profiles()
        self._places = Places(profiles)
        for profile_id, profile in contents.profiles.items():
            self._places.add(profile_id, profile)
        table = SubjectTable(len(contents.placement.subject_ids), self._seed)
        self._places.put(table, contents.placement)
        self._view = View(contents.revision, contents.policies, table, profiles, Answers(profiles))
        self._trusted = True

    def apply(self, change: Change) -> None:
        """Takes one committed change, the next in order; does nothing while it is not to be trusted anyway.

        Raises GapError, and ValueError for a change that contradicts the index; it must then be replaced.
        """
        view = self._view
        if view is None or not self._trusted:
            return
        if change.before != view.revision:
            raise GapError(f"the index is at {view.revision}, the change begins at {change.before}")
        for profile_id, profile in (change.profiles or {}).items():
            self._places.add(profile_id, profile)
        table = view.table
        if change.placement is not None:
            if table.count + len(change.placement.subject_ids) > table.room:
                table = table.grown(len(change.placement.subject_ids))
            self._places.put(table, change.placement)
        for profile_id in change.dropped:
            self._places.drop(profile_id)
        policies = view.policies if change.policies is None else change.policies
        view = View(change.after, policies, table, view.profiles, view.answers)
        self._view = self._tidied(view) if self._places.wasteful else view

    def distrust(self) -> None:
        """No more answers until `replace`."""
        self._trusted = False

    def _tidied(self, view: View) -> View:
        """The same without the profiles that nobody has: the view before it stays whole for who reads it."""
        profiles = Profiles()
        self._places, new_places = self._places.moved_to(profiles)
        table = view.table.renumbered(new_places)
        return View(view.revision, view.policies, table, profiles, Answers(profiles))
