"""Writes that are safe to repeat: the first answer to a request id is kept and given again.

The answer is stored in the transaction that does the work, so that a crash leaves both or neither.
"""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Insert,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    insert,
    select,
)

from services.chassis.identity import current_principal
from services.chassis.ids import check_request_id
from services.chassis.refusals import request_id_reused


@dataclass(frozen=True)
class ReplayKey:
    """Whose request this is, and what it says."""

    principal: str
    """Kind and party of the caller: another caller's request id is another request."""
    operation: str
    """Name of the RPC."""
    request_id: str
    digest: bytes
    """SHA-256 of the whole request in its deterministic form."""


class Write(Protocol):
    """A request that changes something."""

    request_id: str

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:  # noqa: N802
        """The wire form."""
        ...


def replay_key(operation: str, request: Write) -> ReplayKey:
    """Whose request is being handled and what it says; the id may be of any form."""
    principal = current_principal()
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    return ReplayKey(f"{principal.kind}:{principal.party}", operation, request.request_id, digest)


def checked_replay_key(operation: str, request: Write, now_us: int) -> ReplayKey:
    """The same; raises Refusal REQUEST_ID_MALFORMED, REQUEST_ID_TOO_OLD, REQUEST_ID_IN_FUTURE."""
    check_request_id(request.request_id, now_us)
    return replay_key(operation, request)


def replay_table(metadata: MetaData) -> Table:
    """The table of stored answers, as each service has it in its own database."""
    return Table(
        "replays",
        metadata,
        Column("principal", String(160), primary_key=True),
        Column("operation", String(64), primary_key=True),
        Column("request_id", String(36), primary_key=True),
        Column("digest", LargeBinary(32), nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("at_us", BigInteger, nullable=False),
    )


def once(
    connection: Connection, table: Table, key: ReplayKey, at_us: int, produce: Callable[[], bytes]
) -> bytes:
    """The stored answer to `key`, or what `produce` does and says now, stored with it.

    Raises Refusal REQUEST_ID_REUSED when the id came with other content before, and whatever `produce` raises
    (then nothing is stored, and the id is free).
    """
    if (stored := earlier(connection, table, key)) is not None:
        return stored
    answer = produce()
    row = {**_names(key), "digest": key.digest, "answer": answer, "at_us": at_us}
    connection.execute(_statements(table)[1], [row])
    return answer


def earlier(connection: Connection, table: Table, key: ReplayKey) -> bytes | None:
    """The stored answer to `key`, None if there is none yet; raises Refusal REQUEST_ID_REUSED."""
    given = {f"for_{name}": value for name, value in _names(key).items()}
    row = connection.execute(_statements(table)[0], given).one_or_none()
    if row is None:
        return None
    if row.digest != key.digest:
        raise request_id_reused()
    return bytes(row.answer)


def _names(key: ReplayKey) -> dict[str, str]:
    return {"principal": key.principal, "operation": key.operation, "request_id": key.request_id}


@functools.cache
def _statements(table: Table) -> tuple[Select[Any], Insert]:
    """To find an answer and to keep one; built once, for building them costs more than running them."""
    named = (table.c.principal, table.c.operation, table.c.request_id)
    find = select(table.c.digest, table.c.answer).where(
        *(column == bindparam(f"for_{column.name}") for column in named)
    )
    return find, insert(table)
