"""When each source last reported, so that whoever assesses knows what may not have come in yet."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from services.chassis.bulk import Insertion
from services.metering.domain.damages.documents import RunningImport
from services.metering.schema.tables import MeteringTable

_reports = MeteringTable.metadata.tables["reports"]

_SINCE = select(_reports.c.source, _reports.c.last_page_us).where(
    _reports.c.last_page_us > bindparam("since_us")
)
_NOTED = Insertion(
    "reports",
    {"source": "text", "last_page_us": "bigint"},
    "ON CONFLICT (source) DO UPDATE SET last_page_us = excluded.last_page_us",
)


def note_reports(connection: Connection, sources: Iterable[str], now_us: int) -> None:
    """A page of these sources has come."""
    _NOTED.run(connection, [(source, now_us) for source in sorted(set(sources))])


def read_running(connection: Connection, since_us: int) -> list[RunningImport]:
    """The sources of which a page came after a time, sorted."""
    found = [RunningImport(*row) for row in connection.execute(_SINCE, {"since_us": since_us})]
    # In the order of the program, whatever the language of the database.
    return sorted(found, key=lambda each: each.source)
