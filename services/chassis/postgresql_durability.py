"""What becomes of a commit of a PostgreSQL server: durable, and with a standby where one is relied on.

A server can be told otherwise at any time, also while a commit waits, and then lets it go as if nothing were:
where there is a standby, nothing is acknowledged on the strength of a look from before the wait.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from services.chassis.postgresql_sessions import Session, warned
from services.chassis.refusals import Refusal, precondition

# As they are here and now: all of these can be changed while the server runs. A session takes them in between
# two statements, and says when.
SETTINGS = """
SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('synchronous_standby_names') AS synchronous_standby_names, pg_conf_load_time() AS loaded
"""
MARK = "SELECT pg_logical_emit_message(true, 'sluice', '')"
"""A transaction that only reads waits for nobody; this one leaves a record in the log, and nothing else."""


class Durability:
    """What one process demands of its servers; any thread."""

    def __init__(self, *, standby_required: bool) -> None:
        self.has_standby = standby_required
        """Whether commits wait for a standby, and are acknowledged nowhere else: it is required, or they
        have been seen to. For good, since what was acknowledged has waited for it."""

    def check(self, session: Session) -> datetime:
        """Tells when the server took in what it goes by.

        Raises Refusal DURABILITY_OFF where it may forget what it acknowledges from now on.
        """
        settings = session.cursor(row_factory=dict_row).execute(SETTINGS).fetchone()
        assert settings is not None
        check_settings(settings, had_standby=self.has_standby)
        if settings["synchronous_standby_names"]:
            self.has_standby = True
        loaded: datetime = settings["loaded"]
        return loaded

    def look(self, session: Session) -> datetime:
        """As `check`; to those who wait it is one more way of being out of reach (psycopg.Error)."""
        try:
            return self.check(session)
        except Refusal as refusal:
            raise psycopg.OperationalError(str(refusal)) from refusal

    def look_again(self, session: Session, loaded: datetime) -> None:
        """After a commit; `loaded` is what the look before it told.

        Raises psycopg.OperationalError where the server may have stopped waiting for the standby meanwhile,
        be it only for a moment: the outcome is not known.
        """
        try:
            now = self.look(session)
        except psycopg.Error as error:
            # Whatever it is, it says nothing of the commit: none that asks for the same again.
            raise psycopg.OperationalError(f"not known to have waited: {error}") from error
        if now != loaded:
            raise psycopg.OperationalError("not known to have waited: the settings were read anew")


def commit_a_mark(session: Session) -> None:
    """Returns when the standby has all that came before; raises psycopg.Error."""
    with warned(session) as warnings:
        session.execute(MARK)
    if warnings:
        raise psycopg.OperationalError(f"not confirmed: {warnings[0]}")


def check_settings(settings: Mapping[Any, Any], *, had_standby: bool) -> None:
    """Raises Refusal DURABILITY_OFF where the server may forget what it has acknowledged.

    To do without a standby is for those who start without one, and demand none: where commits have waited for
    one, a failover to it would take back all that it was not waited for.
    """
    standby = settings["synchronous_standby_names"]
    # Without a standby, "local" is all there is.
    weak = {"off", "local"} if standby else {"off"}
    forbidden = [
        ("fsync", {"off"}),
        ("full_page_writes", {"off"}),
        ("synchronous_commit", weak),
        ("synchronous_standby_names", {""} if had_standby else set[str]()),
    ]
    for name, values in forbidden:
        if settings[name] in values:
            message = (
                f"the database server runs with {name}={settings[name]}: it may lose what is acknowledged"
            )
            raise precondition("DURABILITY_OFF", message)
