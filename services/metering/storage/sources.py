"""Whose the sources of accesses are, in metering's own database (M7)."""

from collections.abc import Iterable

from sqlalchemy import Connection

from services.chassis.bulk import Insertion, Question
from services.metering.domain.seen import Reporter

_OWNERS = Question(
    "SELECT s.source, s.reporter FROM {given} CROSS JOIN sources s WHERE s.source = given.source",
    source="text",
)
_NEW = Insertion("sources", {"source": "text", "reporter": "text", "since_us": "bigint"})


def read_owners(connection: Connection, sources: Iterable[str]) -> dict[str, str]:
    """The reporters of those of the sources that are somebody's."""
    return dict(_OWNERS.ask(connection, [(source,) for source in sources]))


def take_sources(connection: Connection, sources: Iterable[str], reporter: Reporter, now_us: int) -> None:
    """Makes sources that are nobody's the reporter's own, from now on.

    Nobody else takes any while the head is locked: replicas see those of each other.
    """
    if not reporter.is_admin:
        _NEW.run(connection, [(source, reporter.name, now_us) for source in sorted(sources)])
