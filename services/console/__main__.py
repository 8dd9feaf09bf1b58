"""The entry point of `sluice`. Exit codes: 0 done; 1 refused, failed; 2 wrong usage; 3 stopped, resumable."""

import contextlib
import os
import sys

from services.chassis.stopping import interrupted_when_told

REFUSED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells say it


def main() -> None:
    """Runs the command line; a refusal becomes one paragraph, and Ctrl-C an exit code, at any moment."""
    try:
        # Nobody else is kept alive by having no handler of SIGTERM.
        with interrupted_when_told() if os.getpid() == 1 else contextlib.nullcontext():
            _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _run() -> None:
    # Inside, for loading takes long enough to be interrupted.
    from services.chassis.refusals import Refusal, precondition  # noqa: PLC0415
    from services.console.app import app  # noqa: PLC0415
    from services.console.output import log_beside, refuse  # noqa: PLC0415

    log_beside()
    try:
        app(prog_name="sluice")
    except Refusal as error:
        refusal = error
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        refusal = precondition("FILE_UNUSABLE", f"{name}{error.strerror or error}")
    except Exception as error:
        # Only now, for most commands do without the gate, and it takes long to load.
        from sluice_gate.errors import GateError  # noqa: PLC0415

        if not isinstance(error, GateError):
            raise
        refusal = precondition(error.reason, error.message)
    refuse(refusal, as_json="--json" in sys.argv)
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()
