"""The answers of the sandbox, kept among the stored answers and nowhere else."""

from sqlalchemy import Connection, bindparam, delete, func, select

from services.chassis.database import Database
from services.chassis.ids import earliest_uuid7
from services.chassis.replays import ReplayKey, earlier, once
from services.licensing.storage.contract_tables import REPLAYS

_KEY = REPLAYS.c
_NEXT_PRINCIPAL = select(func.min(_KEY.principal)).where(_KEY.principal > bindparam("after"))
_OLD = (
    select(_KEY.request_id)
    .where(_KEY.principal == bindparam("of"), _KEY.operation == bindparam("in_operation"))
    .where(_KEY.request_id < bindparam("before"))
    .limit(bindparam("at_most"))
)
_FORGET = delete(REPLAYS).where(
    _KEY.principal == bindparam("of"),
    _KEY.operation == bindparam("in_operation"),
    _KEY.request_id == bindparam("id"),
)


class SandboxAnswers:
    """Answers by request, in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def earlier(self, key: ReplayKey) -> bytes | None:
        """The answer of before, None if there is none. Raises Refusal REQUEST_ID_REUSED."""
        return await self._database.read(lambda connection: earlier(connection, REPLAYS, key))

    async def keep(self, key: ReplayKey, answer: bytes, at_us: int) -> bytes:
        """Keeps an answer; gives the one that is kept now, which is another's if that was first.

        Raises Refusal REQUEST_ID_REUSED.
        """
        return await self._database.write(
            lambda connection: once(connection, REPLAYS, key, at_us, lambda: answer)
        )

    async def forget(self, operation: str, before_us: int, limit: int) -> int:
        """Takes away at most `limit` answers to requests whose id is of before `before_us`; how many."""
        old = await self._database.read(lambda connection: _old(connection, operation, before_us, limit))
        if old:
            await self._database.write(lambda connection: connection.execute(_FORGET, old), weight=len(old))
        return len(old)


def _old(connection: Connection, operation: str, before_us: int, limit: int) -> list[dict[str, str]]:
    """Keys of old answers, found caller by caller in the primary key, which begins with the caller."""
    found: list[dict[str, str]] = []
    before, of = earliest_uuid7(before_us), ""
    while len(found) < limit:
        of = connection.execute(_NEXT_PRINCIPAL, {"after": of}).scalar_one()
        if of is None:
            break
        given = {"of": of, "in_operation": operation, "before": before, "at_most": limit - len(found)}
        ids = connection.execute(_OLD, given).scalars()
        found += [{"of": of, "in_operation": operation, "id": id} for id in ids]
    return found
