"""The entry point of `sluice`. Exit codes: 0 done; 1 refused, failed; 2 wrong usage; 3 stopped, resumable."""

import sys

from services.chassis.refusals import Refusal, precondition
from services.console.app import app
from services.console.output import refuse
from sluice_gate.errors import GateError

REFUSED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells say it


def main() -> None:
    """Runs the command line; a refusal becomes one paragraph, never a stack trace."""
    as_json = "--json" in sys.argv
    try:
        app()
    except Refusal as refusal:
        refuse(refusal, as_json=as_json)
        sys.exit(REFUSED)
    except GateError as error:
        refuse(precondition(error.reason, error.message), as_json=as_json)
        sys.exit(REFUSED)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        refuse(precondition("FILE_UNUSABLE", f"{name}{error.strerror or error}"), as_json=as_json)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
