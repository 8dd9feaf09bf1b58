"""Walks every state that a model can reach, the nearest first, so that no trace to a fault is shorter.

It knows nothing of what it walks: a model is an initial state and a function from a state to its steps. There
is no bound on depth or number, for a walk that found nothing says something only if it left nothing out.
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


class Step(NamedTuple, Generic[S]):
    """One thing that can happen next."""

    action: str
    who: str
    """Tells apart those who can do it; empty where there is one."""
    state: S
    """What it leads to."""
    broken: tuple[str, ...] = ()
    """The invariants that it breaks."""


class Exploration(NamedTuple):
    """What a walk has found."""

    states: int
    taken: Counter[str]
    """How often each action was taken."""
    broken: str
    """The first invariant found broken; empty if none is."""
    trace: tuple[str, ...]
    """The steps to it, the breaking one last."""

    def in_words(self) -> str:
        """What is broken and how it comes to that, step by step."""
        if not self.broken:
            return "nothing broken"
        return f"broken in {len(self.trace)} steps: {self.broken}\n  " + "\n  ".join(self.trace)


def explore(initial: S, steps: Callable[[S], Iterable[Step[S]]], sought: str | None = None) -> Exploration:
    """Walks until the invariant `sought` (None: any) is broken, or until every state has been seen."""
    came_by: dict[S, tuple[S, Step[S]] | None] = {initial: None}
    taken: Counter[str] = Counter()
    ahead = deque([initial])
    while ahead:
        state = ahead.popleft()
        for step in steps(state):
            taken[step.action] += 1
            for invariant in step.broken:
                if sought in (None, invariant):
                    return Exploration(
                        len(came_by), taken, invariant, (*_trace(came_by, state), _label(step))
                    )
            if step.state not in came_by:
                came_by[step.state] = (state, step)
                ahead.append(step.state)
    return Exploration(len(came_by), taken, "", ())


def _trace(came_by: dict[S, tuple[S, Step[S]] | None], state: S) -> tuple[str, ...]:
    backwards: list[str] = []
    while (link := came_by[state]) is not None:
        state, step = link
        backwards.append(_label(step))
    return tuple(reversed(backwards))


def _label(step: Step[S]) -> str:
    return f"{step.action} {step.who}".rstrip()
