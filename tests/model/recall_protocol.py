"""How no recall is missed and none doubled (W5), and no restored consent believed (R5), as a model.

Like `protocol`: small enough to be walked whole, and with guards that can be taken away one by one.

What is left out, and why nothing is lost by it:

- One post, and one release of it: an invariant speaks of one release and one withdrawal. Attempts that
  release nothing are made again without end.
- A question is sent and answered at once, for what comes between is that the answer grows older, and that it
  does afterwards all the same. That consent answers no check from before it arrived is `protocol`'s.
- Each process follows the withdrawals with one task, which moves the fence or scans. Two show every overlap.
- Transactions of licensing are one step each, since all of them lock the head first.
- A restored consent is not written to. That one which is comes to numbers again that it has shown before is
  what epochs are for, and the head that it keeps outside its database.

Consent's log is its writes in the order of commits, a letter each; a revision is a length of it. The last
write says what holds: whether the post may go. A withdrawal is known by the revision that it got.
"""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from tests.model.checker import Step

DENY, ALLOW = "D", "A"


class Action(enum.StrEnum):
    """Everything that can happen."""

    WRITE = "consent is told:"
    RESTORE = "consent is restored to"
    ASK = "ask consent"
    DISBELIEVE = "ask consent: refused as behind"
    WITHHOLD = "conclude: denied"
    MEET_FENCE = "conclude: behind the fence"
    ASK_AGAIN = "ask consent again"
    GIVE_UP = "ask consent again: nothing left"
    RELEASE = "conclude: released"
    DECIDE_ELSEWHERE = "another process decides"
    KILL = "kill the process that decides"
    READ_HEAD = "read the head of the stream at"
    MOVE_FENCE = "move the fence at"
    READ_POSITIONS = "read the positions at"
    LOOK = "look for releases at"
    SCAN = "write recalls and move what is scanned at"
    LOSE = "find that another has scanned at"
    RECALL_ALONE = "write recalls alone at"
    MOVE_ALONE = "move what is scanned alone at"
    DIE = "die following the withdrawals at"


class Invariant(enum.StrEnum):
    """What must hold whatever happens."""

    NONE_MISSED = "W5: what is scanned has led to the recall of every release that it takes back"
    NONE_TWICE = "W5: a withdrawal recalls a release once"
    ALLOWED = "W5: a release is allowed as of the revision that it names"
    NOT_FOR_EVER = "W5: an attempt that met the fence gets an answer that is not behind it, or is refused"
    IN_ORDER = "W5: what is scanned is never past the fence"
    NOT_FROM_BEFORE = (
        "R5: nothing is believed from before what consent had shown to the process or its ledger"
    )


@dataclass(frozen=True)
class Guards:
    """What keeps the invariants; each can be taken away to see what it is for."""

    fence: bool = True
    """No release concludes on an answer from before the fence."""
    fence_read_under_lock: bool = True
    """It is the fence at the conclusion that counts; else the one that stood when consent had answered."""
    fence_never_back: bool = True
    """A head that was read earlier than another, and written later, does not move it."""
    drops_denied: bool = True
    """What is denied when it is asked about again goes no more; else the first answer stands."""
    names_new_revision: bool = True
    """The decision names the revision of the answer that it concludes on; else that of the first one."""
    scan_up_to_fence: bool = True
    """Withdrawals are scanned up to the fence; else up to the end of the stream."""
    looks_after_positions: bool = True
    """Releases are looked for after the fence has been read, in the transaction or before it; else before."""
    scan_compares: bool = True
    """Recalls are written only if what is scanned stands where it stood when they were looked for."""
    recalls_with_scanned: bool = True
    """Recalls and the new position are written together; else one after the other, in either order."""
    newer_than_fence: bool = True
    """An answer from before the fence that was met is refused; else consent is asked once more."""
    mark: bool = True
    """An answer below what the process has seen is refused."""
    mark_from_seen: bool = True
    """A process begins with the highest answer that a decision in its ledger rests on; else with nothing."""
    mark_from_fence: bool = True
    """And with the fence, if that is higher."""

    def without(self, guard: str) -> "Guards":
        """All but one."""
        return replace(self, **{guard: False})


ALL_GUARDS = Guards()


@dataclass(frozen=True)
class Scenario:
    """Which part of all that can happen is walked."""

    writes: int
    """How many consent is told of."""
    followers: tuple[str, ...]
    """Processes that follow the withdrawals."""
    scans: bool
    restores: bool
    """Consent can be restored, once; what has been seen is remembered in this part alone."""


class Attempt(NamedTuple):
    """A decision that is not concluded yet."""

    revision: int
    """Of the answer that it would go on."""
    named: int
    """The revision that its decision would name."""
    allowed: bool
    fence: int
    """As it stood when consent had answered."""
    met: int = -1
    """The fence that it was behind; -1: it has to be concluded."""


class Release(NamedTuple):
    """A decision that has released the post."""

    named: int
    recalled: frozenset[int] = frozenset()
    """The withdrawals that it is recalled for."""


class Following(NamedTuple):
    """How far a follower has come."""

    head: int = -1
    """What the fence is to be moved to; -1: it scans."""
    start: int = -1
    """Where what is scanned stood; -1: not read yet."""
    to: int = -1
    """How far withdrawals are scanned; -1: not settled yet."""
    found: bool | None = None
    """Whether there was a release; None: nobody has looked."""
    recalled: bool = False
    """It has written its recalls, and nothing else."""
    moved: bool = False
    """It has moved what is scanned, and nothing else."""


class State(NamedTuple):
    """Everything that what comes next depends on."""

    log: str = ""
    restored: int | None = None
    """To which revision; None: consent was not restored."""
    fence: int = 0
    scanned: int = 0
    seen: int = 0
    """The highest answer that a decision rests on, as the ledger has it."""
    mark: int = 0
    """Of the process that decides, like the next."""
    shown: int = 0
    """What the mark ought to be: remembered for the invariants alone."""
    attempt: Attempt | None = None
    release: Release | None = None
    following: tuple[Following | None, ...] = ()

    @property
    def head(self) -> int:
        """As of when consent answers."""
        return len(self.log) if self.restored is None else self.restored

    def allows(self, revision: int) -> bool:
        """Whether the post may go, as of a revision."""
        return not self.log[:revision].endswith(DENY)

    def withdrawals(self, after: int, to: int) -> frozenset[int]:
        """Those in (after, to]."""
        return frozenset(number for number in range(after + 1, to + 1) if self.log[number - 1] == DENY)


Steps: TypeAlias = Iterator[Step[State]]


class RecallProtocol:
    """What can happen in a state, and what would be broken by it."""

    def __init__(self, scenario: Scenario, guards: Guards = ALL_GUARDS) -> None:
        self._scenario = scenario
        self._guards = guards

    def initial(self) -> State:
        """Nothing written, nothing read."""
        return State(following=(None,) * len(self._scenario.followers))

    def steps(self, state: State) -> Steps:
        """Everything that can happen next."""
        yield from self._consent(state)
        yield from self._decide(state)
        for number, following in enumerate(state.following):
            yield from self._follow(state, number, following)

    def _consent(self, state: State) -> Steps:
        if state.restored is None and len(state.log) < self._scenario.writes:
            for what in (DENY, ALLOW):
                yield Step(Action.WRITE, what, state._replace(log=state.log + what))
        if state.restored is None and self._scenario.restores:
            for revision in range(len(state.log)):
                yield Step(Action.RESTORE, str(revision), state._replace(restored=revision))

    def _decide(self, state: State) -> Steps:
        attempt = state.attempt
        if attempt is None and state.release is None:
            yield from self._ask(state, None)
        elif attempt is not None and attempt.met >= 0:
            yield from self._ask(state, attempt)
        elif attempt is not None:
            yield self._conclude(state, attempt)
        if self._scenario.restores:
            yield Step(Action.DECIDE_ELSEWHERE, "", state._replace(seen=max(state.seen, state.head)))
        if attempt is not None or self._scenario.restores:
            yield Step(Action.KILL, "", self._started(state._replace(attempt=None)))

    def _started(self, state: State) -> State:
        """Another process, which knows what the ledger knows."""
        if not self._scenario.restores:
            return state
        seen = state.seen if self._guards.mark_from_seen else 0
        fence = state.fence if self._guards.mark_from_fence else 0
        return state._replace(mark=max(seen, fence), shown=max(state.seen, state.fence))

    def _ask(self, state: State, before: Attempt | None) -> Steps:
        revision, met = state.head, before.met if before else -1
        below_fence = revision < met
        if (self._guards.mark and revision < state.mark) or (self._guards.newer_than_fence and below_fence):
            yield Step(Action.DISBELIEVE, "", state._replace(attempt=None))
            return
        broken = _those(
            {
                Invariant.NOT_FROM_BEFORE: revision < state.shown,
                Invariant.NOT_FOR_EVER: below_fence,
            }
        )
        if self._scenario.restores:
            shown = max(state.shown, revision)
            state = state._replace(mark=max(state.mark, revision), shown=shown)
        allowed = state.allows(revision) or (before is not None and not self._guards.drops_denied)
        if before is not None and not allowed:
            yield Step(Action.GIVE_UP, "", state._replace(attempt=None), broken)
            return
        named = revision if before is None or self._guards.names_new_revision else before.named
        attempt = Attempt(revision, named, allowed, state.fence)
        action = Action.ASK if before is None else Action.ASK_AGAIN
        yield Step(action, "", state._replace(attempt=attempt), broken)

    def _conclude(self, state: State, attempt: Attempt) -> Step[State]:
        fence = state.fence if self._guards.fence_read_under_lock else attempt.fence
        concluded = state._replace(attempt=None)
        if self._scenario.restores:
            concluded = concluded._replace(seen=max(state.seen, attempt.revision))
        if not attempt.allowed:
            return Step(Action.WITHHOLD, "", concluded)
        if self._guards.fence and attempt.revision < fence:
            return Step(Action.MEET_FENCE, "", state._replace(attempt=attempt._replace(met=state.fence)))
        broken = _those(
            {
                Invariant.NONE_MISSED: bool(state.withdrawals(attempt.named, state.scanned)),
                Invariant.ALLOWED: not state.allows(attempt.named) or not state.allows(attempt.revision),
            }
        )
        return Step(Action.RELEASE, "", concluded._replace(release=Release(attempt.named)), broken)

    def _follow(self, state: State, number: int, following: Following | None) -> Steps:
        name = self._scenario.followers[number]
        if following is not None:
            yield Step(Action.DIE, name, _with(state, number, None))
        if following is None:
            if state.head != state.fence:
                yield Step(Action.READ_HEAD, name, _with(state, number, Following(head=state.head)))
            yield from self._begin_scan(state, number, name)
        elif following.head >= 0:
            yield self._move_fence(state, number, following.head)
        elif following.found is None or following.start < 0:
            yield from self._prepare(state, number, following)
        else:
            yield from self._scan(state, number, following)

    def _move_fence(self, state: State, number: int, head: int) -> Step[State]:
        to = max(head, state.fence) if self._guards.fence_never_back else head
        moved = _with(state._replace(fence=to), number, None)
        return Step(Action.MOVE_FENCE, self._scenario.followers[number], moved, _out_of_order(moved))

    def _begin_scan(self, state: State, number: int, name: str) -> Steps:
        if not self._scenario.scans:
            return
        if self._guards.looks_after_positions:
            yield from self._read_positions(state, number, Following())
        else:
            looked = Following(found=state.release is not None)
            yield Step(Action.LOOK, name, _with(state, number, looked))

    def _prepare(self, state: State, number: int, following: Following) -> Steps:
        """The second of the two: reading how far to scan, and looking for releases."""
        if following.start < 0:
            yield from self._read_positions(state, number, following)
        else:
            looked = following._replace(found=state.release is not None)
            yield Step(Action.LOOK, self._scenario.followers[number], _with(state, number, looked))

    def _read_positions(self, state: State, number: int, following: Following) -> Steps:
        limit = state.fence if self._guards.scan_up_to_fence else state.head
        for to in range(state.scanned + 1, limit + 1):
            read = following._replace(start=state.scanned, to=to)
            yield Step(Action.READ_POSITIONS, self._scenario.followers[number], _with(state, number, read))

    def _scan(self, state: State, number: int, following: Following) -> Steps:
        name = self._scenario.followers[number]
        if self._guards.recalls_with_scanned:
            if self._guards.scan_compares and state.scanned != following.start:
                yield Step(Action.LOSE, name, _with(state, number, None))
                return
            recalled, broken = _recall(state, following)
            moved = _with(recalled._replace(scanned=following.to), number, None)
            yield Step(Action.SCAN, name, moved, (*broken, *_missed(moved), *_out_of_order(moved)))
            return
        if not following.recalled:
            recalled, broken = _recall(state, following)
            yield self._one_of_two(Action.RECALL_ALONE, recalled, number, following, broken)
        if not following.moved and state.scanned == following.start:
            moved = state._replace(scanned=following.to)
            yield self._one_of_two(Action.MOVE_ALONE, moved, number, following, _missed(moved))

    def _one_of_two(
        self, action: Action, state: State, number: int, following: Following, broken: tuple[Invariant, ...]
    ) -> Step[State]:
        other_done = following.moved if action is Action.RECALL_ALONE else following.recalled
        half = following._replace(recalled=action is Action.RECALL_ALONE, moved=action is Action.MOVE_ALONE)
        return Step(
            action,
            self._scenario.followers[number],
            _with(state, number, None if other_done else half),
            broken,
        )


def _recall(state: State, following: Following) -> tuple[State, tuple[Invariant, ...]]:
    """Writes recalls for the release that was found."""
    release = state.release
    if release is None or not following.found:
        return state, ()
    due = state.withdrawals(max(following.start, release.named), following.to)
    twice = _those({Invariant.NONE_TWICE: bool(due & release.recalled)})
    return state._replace(release=release._replace(recalled=release.recalled | due)), twice


def _missed(state: State) -> tuple[Invariant, ...]:
    release = state.release
    if release is None:
        return ()
    due = state.withdrawals(release.named, state.scanned)
    return _those({Invariant.NONE_MISSED: not due <= release.recalled})


def _out_of_order(state: State) -> tuple[Invariant, ...]:
    return _those({Invariant.IN_ORDER: state.scanned > state.fence})


def _those(broken: dict[Invariant, bool]) -> tuple[Invariant, ...]:
    return tuple(invariant for invariant, is_broken in broken.items() if is_broken)


def _with(state: State, number: int, following: Following | None) -> State:
    every: Iterable[Following | None] = (
        following if at == number else each for at, each in enumerate(state.following)
    )
    return state._replace(following=tuple(every))
