"""The answers of the sandbox, kept among the stored answers and nowhere else."""

from services.chassis.database import Database
from services.chassis.replays import ReplayKey, earlier, once
from services.licensing.storage.contract_tables import REPLAYS


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
