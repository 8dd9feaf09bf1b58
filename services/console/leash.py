"""Runs a module in this process and ties its life to the process that started it (Linux).

Where a supervisor is killed outright, nobody else would tell its services to drain: they would keep the ports
and the databases from the next start.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def hold(parent: int) -> None:
    """Asks for SIGTERM when `parent` (a process id) ends; ends this process at once if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the supervisor is gone")


if __name__ == "__main__":
    parent_pid, module = int(sys.argv[1]), sys.argv[2]
    hold(parent_pid)
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
