"""A profile of PostgreSQL may be as long as it comes: the index by content has digests of it alone.

That of a unique constraint takes 2,704 bytes, which is less than the denies for 128 licensees with long
names; and a deny is never refused (C1). That a content has one id is kept by whoever writes, under the head
row. A process of the release before goes on as it did.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
phase = "contract"
is_baseline = True


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_profiles_content", "profiles", ["content"], postgresql_using="hash")
        op.drop_constraint("profiles_content_key", "profiles", type_="unique")
