"""The programs of the services in their other modes: run to the end, for what they say."""

import subprocess
import sys
from collections.abc import Mapping

from services.chassis.refusals import precondition


def run_program(service: str, arguments: list[str], environment: Mapping[str, str]) -> str:
    """What the service's own program says on standard output, run to its end in another mode.

    Raises Refusal (precondition): that of the program, or PROGRAM_FAILED with the end of what it said.
    """
    # -P: a folder called `services` wherever people happen to stand is not ours.
    command = [sys.executable, "-P", "-m", f"services.{service}", *arguments]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode == 0:
        return done.stdout.strip()
    last = (done.stderr.strip().splitlines() or [""])[-1]
    reason, colon, message = last.partition(": ")
    if colon and reason.isupper():
        raise precondition(reason, message)
    raise precondition("PROGRAM_FAILED", f"{service} ended with exit code {done.returncode}: {last}")
