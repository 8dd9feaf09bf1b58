"""Runs Envoy in the foreground and drains it when it is told to stop, which Envoy by itself does not.

Told to stop (SIGTERM), it takes no new connections, finishes the calls that run, and ends. Its administration
is a Unix socket in the folder that this process goes to: a path without a folder is never too long for one.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from services.console.leash import hold

ADMIN_SOCKET = "gateway.admin"
DRAIN_SECONDS = 5.0
POLL_SECONDS = 0.05
RUNNING_CALLS = "http.gateway.downstream_rq_active"


class _Admin(http.client.HTTPConnection):
    """One connection to the administration of the Envoy that runs here."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DRAIN_SECONDS)
        self.sock.connect(ADMIN_SOCKET)


def main(folder: str, command: list[str]) -> int:
    """Runs the command in the folder until it ends; its exit code."""
    os.chdir(folder)
    Path(ADMIN_SOCKET).unlink(missing_ok=True)
    parent = os.getpid()
    process = subprocess.Popen(command, preexec_fn=lambda: hold(parent))  # noqa: PLW1509, S603 - no threads here
    signal.signal(signal.SIGTERM, lambda *_: _drain(process))
    return process.wait()


def _drain(process: "subprocess.Popen[bytes]") -> None:
    try:
        _ask("POST", "/drain_listeners")
        deadline = time.monotonic() + DRAIN_SECONDS
        while _running_calls() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"The gateway ends without draining: {error}\n")
    process.terminate()


def _running_calls() -> int:
    """Calls under way; the metric is there as soon as the first listener is."""
    said = _ask("GET", f"/stats?filter=^{RUNNING_CALLS}$")
    return int(said.rpartition(":")[2] or 0)


def _ask(method: str, path: str) -> str:
    admin = _Admin("gateway")
    try:
        admin.request(method, path)
        return admin.getresponse().read().decode().strip()
    finally:
        admin.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
