"""A PostgreSQL server whose write-ahead log is archived; it is lost, and restored as operators do it.

By a base backup and the archive, which are PostgreSQL's own means (its documentation, 25.3): nothing of the
lost server's folder is used.
"""

import shutil
import subprocess

from tests.support.postgres import PostgresServer, binary

_RESTORING = ("restore_command", "recovery_target_name", "recovery_target_action", "hot_standby")


class ArchivedServer(PostgresServer):
    """It archives from its first start on."""

    def __init__(self) -> None:
        super().__init__({"archive_mode": "on"})
        self._archive, self._backup = self.folder / "archive", self.folder / "backup"
        self._archive.mkdir()
        self._own(self._archive)
        self._settings["archive_command"] = f"test ! -f {self._archive}/%f && cp %p {self._archive}/%f"

    def back_up(self) -> None:
        """Takes a base backup while it is used."""
        places = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-D", str(self._backup)]
        subprocess.run(
            [binary("pg_basebackup"), *places, "--checkpoint=fast", "--wal-method=none", "--no-sync"],
            check=True, stderr=subprocess.DEVNULL, cwd=self.folder, **self._as_nobody,
        )  # fmt: skip

    def mark(self, name: str) -> None:
        """Gives the present a name, to which it can be restored."""
        self.execute(f"SELECT pg_create_restore_point('{name}')")

    def archive_all(self) -> None:
        """Returns when all that was written until now is in the archive."""
        ((segment,),) = self.execute("SELECT pg_walfile_name(pg_switch_wal())")
        query = "SELECT last_archived_wal >= '{}' FROM pg_stat_archiver"
        while not self.execute(query.format(segment))[0][0]:
            continue

    def lose(self) -> None:
        """Its machine burns down."""
        self.kill()
        shutil.rmtree(self._data)

    def restore(self, to: str | None = None) -> None:
        """Serves again, at the same address: all that was archived, or what was before a mark."""
        shutil.copytree(self._backup, self._data)
        (self._data / "recovery.signal").touch()
        self._own(self._data)
        self._data.chmod(0o700)
        for name in _RESTORING:
            self._settings.pop(name, None)
        self._settings |= {"restore_command": f"cp {self._archive}/%f %p", "hot_standby": "off"}
        if to is not None:
            self._settings |= {"recovery_target_name": to, "recovery_target_action": "promote"}
        self.start()


class ArchivedStore:
    """A database of such a server, as a service is told of it."""

    def __init__(self, server: ArchivedServer) -> None:
        self.server = server
        self.url = server.new_database()

    def back_up(self) -> None:
        """While it is used or not."""
        self.server.back_up()

    def restore(self) -> None:
        """All of it, onto a server that was lost."""
        self.server.restore()
