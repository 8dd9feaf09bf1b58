"""The tables of the directory."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, SmallInteger, String, Table

from services.chassis.replays import replay_table

METADATA = MetaData()
POSTS = Table(
    "posts",
    METADATA,
    # Ids are unsigned; a database has their 64 bits as signed numbers.
    Column("post_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("author_id", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("media_flags", SmallInteger, nullable=False),
    Column("posted_at_us", BigInteger, nullable=False),
    Column("language", String(35), nullable=False),
    # Pairs of id and author, each a little-endian uint64.
    Column("embeds", LargeBinary, nullable=False),
)
REPLAYS = replay_table(METADATA)
