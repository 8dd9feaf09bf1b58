"""The steps of a schema, in their order: what each of them does, and which processes can live with it.

A revision says its phase. What adds and what tunes leaves processes of the release before as they are; what
takes away waits until none of them is left. Up to the baseline revisions were written before phases were kept
apart: a first installation gets them together, and no release serves without them.
"""

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from alembic.script import Script, ScriptDirectory

from services.chassis.refusals import precondition


class Phase(enum.StrEnum):
    """What a step does to processes that do not know it, and what they need it for."""

    EXPAND = "expand"
    """Adds only. Earlier releases go on; this one needs it."""
    TUNE = "tune"
    """Adds what makes things faster, such as an index. Every release runs with it and without it."""
    CONTRACT = "contract"
    """Takes away or tightens. This release runs without it; earlier ones do not run with it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One revision of a schema."""

    revision: str
    position: int
    """From 1 on, the same in every release that has the step."""
    phase: Phase
    sentence: str
    """What it does, in a line for whoever runs it."""
    in_baseline: bool
    ends_baseline: bool
    in_transaction: bool
    """Otherwise it commits as it goes, and can be run again from its start whatever it had come to."""
    script: Script = field(repr=False, compare=False)

    @property
    def is_needed(self) -> bool:
        """Whether this release cannot serve without it."""
        return self.in_baseline or self.phase is Phase.EXPAND

    @property
    def waits(self) -> bool:
        """Whether it is run only when somebody says that no process of an earlier release is left."""
        return self.phase is Phase.CONTRACT and not self.in_baseline

    @property
    def raises_floor(self) -> bool:
        """Whether a process that does not know it cannot run on what it leaves."""
        return self.phase is Phase.CONTRACT or self.ends_baseline


class Schema:
    """The steps that this release knows, in one line from an empty database to the newest."""

    def __init__(self, scripts: ScriptDirectory, steps: tuple[Step, ...]) -> None:
        self.scripts = scripts
        self.steps = steps
        self._by_revision = {step.revision: step for step in steps}

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Reads `folder`/versions/*.py; raises ValueError for a revision that says no phase.

        Raises Refusal (precondition, SCHEMA_BROKEN) for one that takes away and commits as it goes.
        """
        scripts = ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
        line = list(scripts.iterate_revisions("heads", None, implicit_base=True))[::-1]
        ends = [at for at, script in enumerate(line) if getattr(script.module, "is_baseline", False)]
        baseline = ends[-1] if ends else -1
        return cls(scripts, tuple(_step(script, at, baseline) for at, script in enumerate(line)))

    @property
    def position(self) -> int:
        """Of the newest step."""
        return len(self.steps)

    def knows(self, revision: str) -> bool:
        """Whether the revision is one of these steps."""
        return revision in self._by_revision

    def after(self, revision: str) -> tuple[Step, ...]:
        """The steps that come after a known one."""
        return self.steps[self._by_revision[revision].position :]

    def floor_at(self, revision: str) -> str:
        """The oldest revision that a process may have as its newest, on a database at a known one."""
        floor = self.steps[0].revision
        for step in self.steps[: self._by_revision[revision].position]:
            if step.raises_floor:
                floor = step.revision
        return floor


def _step(script: Script, at: int, baseline: int) -> Step:
    phase = getattr(script.module, "phase", None)
    if phase is None:
        raise ValueError(f"revision {script.revision} does not say its phase")
    in_transaction = getattr(script.module, "in_transaction", True)
    if phase == Phase.CONTRACT and not in_transaction:
        # Before its commit it is looked who uses the database; what commits as it goes has no such moment.
        message = f"revision {script.revision} takes something away: it has to be run in a transaction"
        raise precondition("SCHEMA_BROKEN", message)
    return Step(
        revision=script.revision,
        position=at + 1,
        phase=Phase(phase),
        sentence=" ".join(script.doc.split()),
        in_baseline=at <= baseline,
        ends_baseline=at == baseline,
        in_transaction=in_transaction,
        script=script,
    )
