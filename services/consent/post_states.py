"""The states of posts as the index has them: which posts have one, and what each says to a question (C5).

Most posts have none and are in no table. States are few, for a post is denied, deleted or withheld in one of
some sets of countries: they are kept once, and an answer is one byte a state.
"""

import numpy as np
from numpy.typing import NDArray

from services.consent.domain.changes import PostPlacement
from services.consent.domain.posts import UNMARKED, PostState
from services.consent.domain.verdicts import Question, reason_of_state
from services.consent.id_table import IdTable

REMEMBERED_TERRITORIES = 256
"""Licenses have few; each costs a byte a state."""

_NOTHING: NDArray[np.uint8] = np.empty(0, np.uint8)


class PostStates:
    """States by post. `put` is the index writer's, `reasons` is for the thread of the event loop."""

    def __init__(self, posts: int, seed: int) -> None:
        """Makes room for `posts`; `seed` as for `IdTable`."""
        self._table = IdTable(posts, seed)
        # Place 0 is the state of whoever is not in the table. Only ever added to, before a post leads there.
        self._states: list[PostState] = [UNMARKED]
        self._places = {UNMARKED: 0}
        self._answers: dict[frozenset[str], NDArray[np.uint8]] = {}

    @property
    def count(self) -> int:
        """Posts that have or had a state."""
        return self._table.count

    @property
    def bytes(self) -> int:
        """Memory of the table."""
        return self._table.bytes

    def with_room(self, more: int) -> "PostStates":
        """Itself, or where `more` posts have no room a larger one with the same in it."""
        table = self._table.with_room(more)
        if table is self._table:
            return self
        larger = PostStates(0, 0)
        larger._table, larger._states, larger._places = table, self._states, self._places
        larger._answers = self._answers
        return larger

    def put(self, placement: PostPlacement) -> None:
        """Sets the states of posts. The one writer's; there must be room."""
        places = np.array([self._place(state) for state in placement.states], np.uint32)
        self._table.put(placement.post_ids, places[placement.places])

    def reasons(self, post_ids: NDArray[np.uint64], question: Question) -> NDArray[np.uint8] | None:
        """A `Reason` for each post (n); None where none has a state, which is the common case."""
        if not self._table.count:
            return None
        places = self._table.find(post_ids)
        if not places.any():
            return None
        # After the lookup, so that every state it met is among them.
        return self._said(question)[places]

    def _said(self, question: Question) -> NDArray[np.uint8]:
        """A `Reason` for each state there is at the time of the call."""
        known, end = self._answers.get(question.territory, _NOTHING), len(self._states)
        if len(known) < end:
            more = [reason_of_state(state, question) for state in self._states[len(known) : end]]
            known = np.concatenate((known, np.array(more, np.uint8)))
            if len(self._answers) >= REMEMBERED_TERRITORIES:
                self._answers.clear()
            # A state says the same of each question about one territory, which is all that it depends on.
            self._answers[question.territory] = known
        return known

    def _place(self, state: PostState) -> int:
        place = self._places.get(state)
        if place is None:
            place = len(self._states)
            self._states.append(state)
            self._places[state] = place
        return place
