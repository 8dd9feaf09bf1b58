"""Backups of the database of licensing, made and put back as an operator would."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Protocol

from tests.support.postgres import PostgresServer


class Backup(Protocol):
    """A copy of a database; `put_back` does not ask whether anybody uses it."""

    def take(self) -> None: ...
    def put_back(self) -> None: ...


class FileBackup:
    """Of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy = path.with_name(f"{path.name}.backup")

    def take(self) -> None:
        """While it is used or not."""
        paths = (self._path, self._copy)
        source, copy = (contextlib.closing(sqlite3.connect(path)) for path in paths)
        with source as read, copy as written:
            read.backup(written)

    def put_back(self) -> None:
        """As another file in its place. What is left of the one before would be read into it."""
        for left in ("-wal", "-shm"):
            self._path.with_name(f"{self._path.name}{left}").unlink(missing_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.fresh")
        fresh.write_bytes(self._copy.read_bytes())
        fresh.replace(self._path)


class ServerBackup:
    """Of a database of a server: a copy of it under another name."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._server = server
        self._name = url.rpartition("/")[2]
        self._copy = f"{self._name}_backup"

    def take(self) -> None:
        """Throws those out who use it, for a moment; they come back."""
        self._copied(self._name, self._copy)

    def put_back(self) -> None:
        """In the place of what is there, from which those are thrown out who use it."""
        self._server.execute(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._copied(self._copy, self._name)

    def _copied(self, source: str, name: str) -> None:
        self._server.execute(f"ALTER DATABASE {source} ALLOW_CONNECTIONS false")
        self._server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"
        )
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY WAL_LOG")
        for each in (source, name):
            self._server.execute(f"ALTER DATABASE {each} ALLOW_CONNECTIONS true")
