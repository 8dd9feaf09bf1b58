"""How consent stays fresh (C9, C3, W5), as a model small enough to walk whole, and which guard is for what.

A model, for what breaks such a protocol is an order of steps that no test of running processes meets. A pause
is nothing but other steps coming first. A moment that nobody can see is part of another: an answer on its way
stands for a replica paused after its read, a late release for a permit given earlier and used then.

What is left out, and why nothing is lost by it:

- One check is in flight at a time. An invariant speaks of one release, and checks meet only in reads (which
  begin here without a check as well), in the index, and in activations (which need no check either).
- An index follows reads only, not also the writes of its own process: that would only make it fresher.
- A write is seen by readers at once, before the standby has it, which is worse than PostgreSQL is.
- Time has no end. Only differences matter: times count from the slowest clock, and all that is past is 0.
- The policy is announced from the start. One that a check has not heard of yet is none to it; that the
  acknowledgement of an announcement counts the permit time in is the same sum as that of a deny.

A log is its writes in the order of commits, a letter each. A revision is a length of it, as in the real one,
so that a write which a failover loses leaves its number to another.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from tests.model.checker import Step

Log: TypeAlias = str
DENY, ACTIVATION = "D", "V"

PERMIT, MARGIN = 2, 1
"""Ticks that an answer is good for at most, and that two clocks may differ by."""

A, B, LICENSING = 0, 1, 2
NAMES = ("A", "B", "licensing")


class Action(enum.StrEnum):
    """Everything that can happen."""

    TICK = "tick"
    DENY = "deny at"
    ACKNOWLEDGE = "acknowledge the deny at"
    REPLICATE = "replicate a write to the standby"
    PROMOTE = "promote the standby"
    RECONNECT = "reconnect to the new primary"
    KILL = "kill"
    ARRIVE = "a check arrives at"
    BEGIN_READ = "begin a read at"
    FINISH_READ = "finish the read at"
    ACTIVATE = "activate the policy at"
    MOVE_FENCE = "move the fence and scan"
    RELEASE = "conclude: released"
    WITHHOLD = "conclude: denied"
    REFUSE = "conclude: refused"


class Invariant(enum.StrEnum):
    """What must hold whatever happens."""

    DENY_IS_SEEN = "C9: a check that arrives after the acknowledgement of a deny does not allow"
    DENY_IS_IN_FORCE = "C9: from in_force_after on, by licensing's clock, nothing goes that misses the deny"
    POLICY_APPLIES = "C3: once activated or due the old version gives no answer, once due no release"
    ACTIVATED_ONCE = "C3: an activation is written once"
    RECALL_FINDS_ALL = "W5: what is released after a scan has seen all that the scan went past"
    NUMBERS_STAY = "R5: no answer rests on a write that a failover can lose, and its revision with it"


@dataclass(frozen=True)
class Guards:
    """What keeps the invariants; each can be taken away to see what it is for."""

    head_read: bool = True
    """A check is answered after a read of the head; else from the index as it is."""
    shared_read_after_arrival: bool = True
    """It shares only a read that begins after it has arrived; else one under way as well."""
    synchronous_read: bool = True
    """A read counts when the standby has confirmed it; else an isolated old primary answers too."""
    acknowledge_after_commit: bool = True
    """A deny is acknowledged when the standby has it; else when the primary has."""
    activation_before_answer: bool = True
    """Nothing is answered under a version that is due to be replaced."""
    activate_once: bool = True
    """Who writes an activation looks first, in the same transaction, whether it is there."""
    good_until: bool = True
    """Nothing is concluded from `good_until` on."""
    good_until_capped_by_next_policy: bool = True
    """`good_until` is no later than the next policy's time."""
    both_margins_in_in_force_after: bool = True
    """`in_force_after` counts in how far two replicas may differ, which is twice what licensing allows each:
    it compares its clock with that of the replica that answers, and nobody compares replicas; else once."""
    fence: bool = True
    """Nothing is concluded on a revision below the fence."""

    def without(self, guard: str) -> "Guards":
        """All but one."""
        return replace(self, **{guard: False})


ALL_GUARDS = Guards()


@dataclass(frozen=True)
class Scenario:
    """Which part of all that can happen is walked; all at once would be millions of states."""

    asked: tuple[int, ...]
    """Replicas that get checks. One finds every fault: its neighbour can write, activate, be connected
    elsewhere and have another clock without any, and an index knows nothing of another."""
    time_passes: bool
    denies: bool = True
    effective: int | None = None
    """When the policy takes effect; None: there is none."""


class Stage(enum.IntEnum):
    """How far a check has come."""

    WAITING = 0
    """For a read that begins after it."""
    READING = 1
    """For the one under way."""
    DUE = 2
    """It has to activate the policy, and then to wait for another read."""


class Replica(NamedTuple):
    """A process of consent."""

    indexed: Log | None = None
    """None: it has to read all."""
    on_old: bool = True
    """Connected to the first primary."""
    reading: Log | None = None
    """The snapshot of the read under way."""


class Check(NamedTuple):
    """A check that is not answered yet."""

    replica: int
    stage: Stage
    good_until: int
    """By the clock at its arrival, as is `due`."""
    due: bool
    owed: Log
    """What its answer must have seen: remembered for the invariants alone."""


class Answer(NamedTuple):
    """An answer that is not concluded yet."""

    seen: Log
    """The log up to its revision, as the index had it."""
    good_until: int


class State(NamedTuple):
    """Everything that what comes next depends on."""

    clocks: tuple[int, int, int] = (0, 0, 0)
    effective: int | None = None
    old: Log = ""
    """The first primary's, which may live on alone; empty when nobody is connected to it any more."""
    new: Log = ""
    """The standby's, thereafter the new primary's: what is durable."""
    promoted: bool = False
    replicas: tuple[Replica, Replica] = (Replica(), Replica())
    attempt: Check | Answer | None = None
    pending: int | None = None
    """The replica where the subject waits for the acknowledgement."""
    in_force_after: int | None = None
    """None: the deny is not acknowledged."""
    scanned: Log = ""
    """What the scan for recalls has gone past; the fence is its length."""


Steps: TypeAlias = Iterator[Step[State]]


class Protocol:
    """What can happen in a state, and what would be broken by it."""

    def __init__(self, scenario: Scenario, guards: Guards = ALL_GUARDS) -> None:
        self._scenario = scenario
        self._guards = guards

    def initial(self) -> State:
        """Nothing written, nothing read."""
        return State(effective=self._scenario.effective)

    def steps(self, state: State) -> Steps:
        """Everything that can happen next."""
        if self._scenario.time_passes:
            yield from self._ticks(state)
        yield from _failover(state)
        for replica in (A, B):
            yield from self._deny(state, replica)
            yield from self._activate(state, replica)
            yield from _kill(state, replica)
        for replica in self._scenario.asked:
            yield from self._arrive(state, replica)
            yield from self._read(state, replica)
        yield from self._acknowledge(state)
        yield from self._conclude(state)
        if state.scanned != state.new:
            yield Step(Action.MOVE_FENCE, "", state._replace(scanned=state.new))

    def _ticks(self, state: State) -> Steps:
        for who, name in enumerate(NAMES):
            a, b, licensing = (clock + (who == number) for number, clock in enumerate(state.clocks))
            if max(abs(a - licensing), abs(b - licensing)) <= MARGIN:
                yield Step(Action.TICK, name, _from_the_slowest(state._replace(clocks=(a, b, licensing))))

    def _deny(self, state: State, replica: int) -> Steps:
        """The subject says no, or, as there was no acknowledgement, says so once more."""
        if not self._scenario.denies or state.in_force_after is not None or state.pending == replica:
            return
        written = state if DENY in _log(state, replica) else _write(state, replica, DENY)
        yield Step(Action.DENY, NAMES[replica], written._replace(pending=replica))

    def _acknowledge(self, state: State) -> Steps:
        at = state.pending
        if at is None or (self._guards.acknowledge_after_commit and DENY not in state.new):
            return
        margins = 2 if self._guards.both_margins_in_in_force_after else 1
        last = state.clocks[at] + PERMIT + margins * MARGIN
        yield Step(Action.ACKNOWLEDGE, NAMES[at], state._replace(pending=None, in_force_after=last))

    def _activate(self, state: State, replica: int) -> Steps:
        """For a check that found the policy due, or by itself, on a look at the log that may be long ago."""
        check = _check_at(state, replica)
        for_check = check is not None and check.stage is Stage.DUE
        if state.effective is None or not (for_check or state.clocks[replica] >= state.effective):
            return
        there = ACTIVATION in _log(state, replica)
        writes = not (there and self._guards.activate_once)
        following = _write(state, replica, ACTIVATION) if writes else state
        if check is not None and for_check:
            following = following._replace(attempt=check._replace(stage=Stage.WAITING))
        broken = (Invariant.ACTIVATED_ONCE,) if writes and there else ()
        yield Step(Action.ACTIVATE, NAMES[replica], following, broken)

    def _arrive(self, state: State, number: int) -> Steps:
        if state.attempt is not None:
            return
        now, replica = state.clocks[number], state.replicas[number]
        due = state.effective is not None and now >= state.effective
        owed = DENY if state.in_force_after is not None else ""
        owed += ACTIVATION if due or ACTIVATION in state.new else ""
        joins = replica.reading is not None and not self._guards.shared_read_after_arrival
        check = Check(number, Stage.READING if joins else Stage.WAITING, now + PERMIT, due, owed)
        if replica.indexed is not None and not self._guards.head_read:
            yield self._look(state, Action.ARRIVE, check, replica.indexed)
        else:
            yield Step(Action.ARRIVE, NAMES[number], state._replace(attempt=check))

    def _read(self, state: State, number: int) -> Steps:
        replica, check = state.replicas[number], _check_at(state, number)
        if replica.reading is None:
            following = _with_replica(state, number, replica._replace(reading=_log(state, number)))
            if check is not None and check.stage is Stage.WAITING:
                following = following._replace(attempt=check._replace(stage=Stage.READING))
            yield Step(Action.BEGIN_READ, NAMES[number], following)
        elif self._confirmed(state, replica.reading, replica.on_old):
            known = replica.indexed or ""
            # What is new is what has higher numbers: the index does not look again at those it has.
            index = known + replica.reading[len(known) :]
            following = _with_replica(state, number, replica._replace(indexed=index, reading=None))
            if check is not None and check.stage is Stage.READING:
                yield self._look(following, Action.FINISH_READ, check, index)
            else:
                yield Step(Action.FINISH_READ, NAMES[number], following)

    def _confirmed(self, state: State, snapshot: Log, on_old: bool) -> bool:
        """The read's own commit comes after all that it saw; a promoted standby takes it no more."""
        if not (on_old and self._guards.synchronous_read):
            return True
        return not state.promoted and len(state.new) >= len(snapshot)

    def _look(self, state: State, action: Action, check: Check, seen: Log) -> Step[State]:
        """The index is as fresh as it gets: answers, or finds that the policy has to be activated first."""
        name, replaced = NAMES[check.replica], ACTIVATION in seen
        if check.due and not replaced and self._guards.activation_before_answer:
            return Step(action, name, state._replace(attempt=check._replace(stage=Stage.DUE)))
        answer = Answer(seen, check.good_until)
        if state.effective is not None and not replaced and self._guards.good_until_capped_by_next_policy:
            answer = Answer(seen, min(check.good_until, state.effective))
        return Step(action, name, state._replace(attempt=answer), _broken_by_answer(state, check, seen))

    def _conclude(self, state: State) -> Steps:
        answer = state.attempt
        if not isinstance(answer, Answer):
            return
        late = self._guards.good_until and state.clocks[LICENSING] >= answer.good_until
        behind = self._guards.fence and len(answer.seen) < len(state.scanned)
        following = state._replace(attempt=None)
        # In one step, as under the lock of the head: after a pause before the commit the permit has run out.
        if late or behind:
            yield Step(Action.REFUSE, "", following)
        elif DENY in answer.seen:
            yield Step(Action.WITHHOLD, "", following)
        else:
            yield Step(Action.RELEASE, "", following, _broken_by_release(state, answer))


def _broken_by_answer(state: State, check: Check, seen: Log) -> tuple[Invariant, ...]:
    broken = {
        Invariant.DENY_IS_SEEN: DENY in check.owed and DENY not in seen,
        Invariant.POLICY_APPLIES: ACTIVATION in check.owed and ACTIVATION not in seen,
        Invariant.NUMBERS_STAY: not state.new.startswith(seen),
    }
    return tuple(invariant for invariant, is_broken in broken.items() if is_broken)


def _broken_by_release(state: State, answer: Answer) -> tuple[Invariant, ...]:
    """It has not seen the deny, else it were no release; the new version may allow."""
    now = state.clocks[LICENSING]
    in_force = state.in_force_after is not None and now >= state.in_force_after
    replaced = state.effective is not None and now >= state.effective
    broken = {
        Invariant.DENY_IS_IN_FORCE: in_force,
        Invariant.POLICY_APPLIES: replaced and ACTIVATION not in answer.seen,
        Invariant.RECALL_FINDS_ALL: not set(state.scanned) <= set(answer.seen),
    }
    return tuple(invariant for invariant, is_broken in broken.items() if is_broken)


def _failover(state: State) -> Steps:
    """The standby follows write by write and can take over at any moment; the old primary may live on."""
    if not state.promoted:
        if len(state.new) < len(state.old):
            yield Step(Action.REPLICATE, "", state._replace(new=state.old[: len(state.new) + 1]))
        yield Step(Action.PROMOTE, "", state._replace(promoted=True))
        return
    for number, replica in enumerate(state.replicas):
        if replica.on_old:
            moved = replica._replace(on_old=False, reading=None)
            following = _with_replica(_calls_lost(state, number, Stage.READING), number, moved)
            if not any(other.on_old for other in following.replicas):
                following = following._replace(old="")
            yield Step(Action.RECONNECT, NAMES[number], following)


def _kill(state: State, number: int) -> Steps:
    """The process ends, and another starts in its place."""
    killed = state.replicas[number]._replace(indexed=None, reading=None)
    following = _with_replica(_calls_lost(state, number, *Stage), number, killed)
    if following != state:
        yield Step(Action.KILL, NAMES[number], following)


def _calls_lost(state: State, replica: int, *stages: Stage) -> State:
    """Callers get an error: of a check at one of `stages`, and of the deny, which may yet be durable."""
    check = _check_at(state, replica)
    if check is not None and check.stage in stages:
        state = state._replace(attempt=None)
    return state._replace(pending=None) if state.pending == replica else state


def _check_at(state: State, replica: int) -> Check | None:
    check = state.attempt
    return check if isinstance(check, Check) and check.replica == replica else None


def _log(state: State, replica: int) -> Log:
    """That of the database it is connected to."""
    return state.old if state.replicas[replica].on_old else state.new


def _write(state: State, replica: int, what: str) -> State:
    if state.replicas[replica].on_old:
        return state._replace(old=state.old + what)
    return state._replace(new=state.new + what)


def _with_replica(state: State, number: int, replica: Replica) -> State:
    a, b = state.replicas
    return state._replace(replicas=(replica, b) if number == A else (a, replica))


def _from_the_slowest(state: State) -> State:
    """The same state with times counted from the slowest clock; what is past for every clock is 0."""
    by = min(state.clocks)
    if not by:
        return state
    a, b, licensing = state.clocks
    attempt = state.attempt
    if attempt is not None:
        attempt = attempt._replace(good_until=max(0, attempt.good_until - by))
    state = state._replace(clocks=(a - by, b - by, licensing - by), attempt=attempt)
    if state.effective is not None:
        state = state._replace(effective=max(0, state.effective - by))
    if state.in_force_after is not None:
        state = state._replace(in_force_after=max(0, state.in_force_after - by))
    return state
