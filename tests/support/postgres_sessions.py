"""What the sessions of a server are at."""

import time

from tests.support.postgres import PostgresServer

NAMES = "synchronous_standby_names"
PATIENCE_SECONDS = 120
"""Ends what hangs: where others have the processors, a few hundred writes and a killed server take 20."""


def holds(server: PostgresServer, condition: str) -> bool:
    """Whether it is so of any session."""
    return bool(server.execute(f"SELECT 1 FROM pg_stat_activity WHERE {condition}"))


def wait_until(server: PostgresServer, condition: str) -> None:
    """Asks the server until it says yes; each question takes it a while."""
    patience_ends = time.monotonic() + PATIENCE_SECONDS
    while not holds(server, condition):
        assert time.monotonic() < patience_ends, condition


def reload(server: PostgresServer, command: str, setting: str, value: str) -> None:
    """Changes a setting while the server runs, and returns when sessions have it, and the checkpointer has.

    It is the checkpointer that has commits wait for a standby where none waited before.
    """
    server.execute(f"ALTER SYSTEM {command}")
    server.execute("SELECT pg_reload_conf()")
    wait_until(server, f"current_setting('{setting}') = '{value}'")
    # Before it makes one it reads what it has been told to read.
    server.execute("CHECKPOINT")


def cut_off(server: PostgresServer) -> None:
    """From now on commits wait for a standby that nobody is."""
    reload(server, f"SET {NAMES} = 'elsewhere'", NAMES, "elsewhere")
