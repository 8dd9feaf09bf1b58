"""Kills at random moments: who dies, and how far the job is then."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.commands import Command, Ending
from tests.support.running_jobs import RunningJob, books_of
from tests.support.waiting import until

CLIENT = "client"
LATEST = 0.9
"""The last shot falls while there is still something to do."""


@dataclass(frozen=True, order=True)
class Shot:
    """One kill."""

    share: float
    """When: the files of the job have so large a part of the bytes of an undisturbed one."""
    victim: str
    """The client or a service."""


def a_shot(victim: str, seed: object) -> Shot:
    """At a moment that follows from the seed; the start of the process, before anything is written, too."""
    return Shot(random.Random(f"{victim} {seed}").uniform(0, LATEST), victim)


async def run_under_fire(job: RunningJob, shots: Sequence[Shot], undisturbed_size: int) -> Ending:
    """Runs the job to its end; resumed when it was shot, while it rides out what happens to services.

    What always adds up must do so at each shot.
    """
    command = await job.begin()
    for shot in sorted(shots):
        await until(
            lambda: command.has_ended or job.size >= shot.share * undisturbed_size,  # noqa: B023 - awaited here
            f"the job was at {shot.share:.0%}",
        )
        command = await _fire(job, shot, command)
        books_of(job.fleet).check(at_rest=False)
    return await command.ending()


async def _fire(job: RunningJob, shot: Shot, command: Command) -> Command:
    """Kills the victim; the process that the job runs in then."""
    if shot.victim == CLIENT:
        assert (await command.killed()).status < 0, "the job had ended before"
        return await job.begin()
    assert not command.has_ended, f"the job had ended before: {(await command.ending()).err}"
    job.fleet.kill(shot.victim)
    return command
