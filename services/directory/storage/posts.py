"""Posts in SQL, on SQLite or PostgreSQL."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.directory.domain.posts import Post
from services.directory.storage.tables import POSTS, REPLAYS

AT_ONCE = 1_000
"""Ids in one statement."""
_KNOWN = select(POSTS).where(POSTS.c.post_id.in_(bindparam("ids", expanding=True)))
_Upsert: TypeAlias = sqlite.Insert | postgresql.Insert
_WRITERS: dict[str, Callable[[Table], _Upsert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_COUNT_BYTES = 4


class PostStore:
    """Satisfies `shelf.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, posts: Sequence[Post], key: ReplayKey, at_us: int) -> int:
        """Writes posts, each in place of what stood under its id; what `Database.write` and `once` raise."""

        def write(connection: Connection) -> bytes:
            return once(connection, REPLAYS, key, at_us, lambda: _write(connection, posts))

        answer = await self._database.write(write, weight=max(1, len(posts)))
        return int.from_bytes(answer, "little")

    async def known(self, ids: Sequence[int]) -> list[Post]:
        """Those of the posts that there are, all as of one moment; what `Database.read` raises."""
        return await self._database.read(lambda connection: _read(connection, ids))


def _write(connection: Connection, posts: Sequence[Post]) -> bytes:
    statement = _WRITERS[connection.dialect.name](POSTS)
    written = {column.name: statement.excluded[column.name] for column in POSTS.c if not column.primary_key}
    upsert = statement.on_conflict_do_update(index_elements=[POSTS.c.post_id], set_=written)
    if posts:
        connection.execute(upsert, [_row(post) for post in posts])
    return len(posts).to_bytes(_COUNT_BYTES, "little")


def _read(connection: Connection, ids: Sequence[int]) -> list[Post]:
    found: list[Post] = []
    for start in range(0, len(ids), AT_ONCE):
        some = [_signed(id) for id in ids[start : start + AT_ONCE]]
        found += [_post(row) for row in connection.execute(_KNOWN, {"ids": some})]
    return found


def _row(post: Post) -> dict[str, Any]:
    return {
        "post_id": _signed(post.id),
        "author_id": _signed(post.author_id),
        "kind": post.kind,
        "media_flags": post.media_flags,
        "posted_at_us": post.posted_at_us,
        "language": post.language,
        "embeds": b"".join(struct.pack("<QQ", id, author_id) for id, author_id in post.embeds),
    }


def _post(row: Row[Any]) -> Post:
    return Post(
        id=_unsigned(row.post_id),
        author_id=_unsigned(row.author_id),
        kind=row.kind,
        media_flags=row.media_flags,
        posted_at_us=row.posted_at_us,
        language=row.language,
        embeds=tuple(struct.iter_unpack("<QQ", row.embeds)),
    )


def _signed(id: int) -> int:
    return id - 2**64 if id >= 2**63 else id


def _unsigned(stored: int) -> int:
    return stored + 2**64 if stored < 0 else stored
