"""Posts count in accounts, whichever limits they are asked under, and entries are never changed.

Until now an entry belonged to one limit and was changed when its hold ended. Every party and license is an
account from here on; tallies are not taken over, for each is made from the entries when it is asked about.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
phase = "contract"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LENGTHS_US = {1: 1_000_000, 2: 60_000_000, 3: 86_400_000_000, 4: 0}
LICENSE, LICENSEE = 1, 2
HANDED_OVER = 3
HELD = 1


def upgrade() -> None:
    """Makes the new tables, and fills them from what was counted."""
    _widen_reservations()
    op.rename_table("entries", "old_entries")
    op.rename_table("tallies", "old_tallies")
    _create_tables()
    _create_parties()
    _fill()
    op.drop_table("old_entries")
    op.drop_table("old_tallies")


def _widen_reservations() -> None:
    for name, kind, value in (
        ("license_id", sa.Text(), "''"),
        ("access", sa.SmallInteger(), str(HANDED_OVER)),
        ("as_many_as_fit", sa.Boolean(), "false"),
        ("delivered", sa.Boolean(), "false"),
        ("group_id", sa.Text(), "''"),
        ("held", sa.Text(), "'[]'"),
    ):
        op.add_column("reservations", sa.Column(name, kind, nullable=False, server_default=sa.text(value)))
    op.execute("UPDATE reservations SET held = counts WHERE counted_at_us IS NOT NULL")


def _create_tables() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("scope", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("scope", "key", name="accounts_key"),
    )
    op.create_table(
        "tallies",
        sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("window_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("tail_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("counted_at_us", sa.BigInteger, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("access", sa.SmallInteger, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("entries_number", "entries", ["number"])


def _recorded() -> list[sa.Column[Any]]:
    return [
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
    ]


def _create_parties() -> None:
    op.create_table(
        "memberships",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("party_id", sa.Text, nullable=False),
        sa.Column("group_id", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        *_recorded(),
    )
    op.create_index("ix_memberships_party_id", "memberships", ["party_id"])
    op.create_index("ix_memberships_group_id", "memberships", ["group_id"])
    op.create_table(
        "parties",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("party_id", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("vetted_research", sa.Boolean, nullable=False),
        sa.Column("affiliates", sa.Text, nullable=False),
        *_recorded(),
    )
    op.create_index("ix_parties_party_id", "parties", ["party_id"])
    op.create_table(
        "replays",
        sa.Column("principal", sa.String(160), primary_key=True),
        sa.Column("operation", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )


def _fill() -> None:
    connection = op.get_bind()
    accounts: dict[tuple[int, str], int] = {}
    latest = {
        (row.scope, row.key): row.last_us
        for row in connection.execute(
            sa.text("SELECT scope, key, MAX(last_us) AS last_us FROM old_tallies GROUP BY scope, key")
        )
    }
    for row in connection.execute(sa.text("SELECT * FROM reservations ORDER BY number")).mappings().all():
        licenses = sorted({id for scope, id, *_ in json.loads(row["allowances"]) if scope == LICENSE})
        license_id = licenses[0] if licenses else ""
        _rewrite(connection, row, license_id)
        if row["counted_at_us"] is None:
            continue
        owners = {(LICENSEE, row["party_id"]), *((LICENSE, id) for id in licenses)}
        owners |= {(scope, id) for scope, id, *_ in json.loads(row["allowances"])}
        for owner in sorted(owners):
            if owner not in accounts:
                accounts[owner] = _new_account(connection, owner, latest.get(owner, 0))
            _enter(connection, accounts[owner], row)
    connection.execute(
        sa.text(
            "UPDATE accounts SET last_us = (SELECT MAX(e.counted_at_us) FROM entries e"
            " WHERE e.account_id = accounts.id) WHERE last_us = 0"
        )
    )


def _rewrite(connection: sa.Connection, row: Any, license_id: str) -> None:
    """Windows are lengths from here on, and the license has a column of its own."""
    no_room = json.loads(row["no_room"]) if row["no_room"] else None
    if no_room:
        no_room[0] = _with_length(no_room[0])
    allowances = [_with_length(each) for each in json.loads(row["allowances"])]
    connection.execute(
        sa.text(
            "UPDATE reservations SET allowances = :allowances, no_room = :no_room, license_id = :license_id"
            " WHERE number = :number"
        ),
        {
            "allowances": _text(sorted(allowances)),
            "no_room": _text(no_room) if no_room else None,
            "license_id": license_id,
            "number": row["number"],
        },
    )


def _with_length(allowance: list[Any]) -> list[Any]:
    scope, id, window, limit = allowance
    return [scope, id, LENGTHS_US[window], limit]


def _new_account(connection: sa.Connection, owner: tuple[int, str], last_us: int) -> int:
    scope, key = owner
    made = sa.text("INSERT INTO accounts (scope, key, last_us) VALUES (:scope, :key, :last_us) RETURNING id")
    return int(connection.execute(made, {"scope": scope, "key": key, "last_us": last_us}).scalar_one())


def _enter(connection: sa.Connection, account_id: int, row: Any) -> None:
    is_held = row["state"] == HELD
    connection.execute(
        sa.text(
            "INSERT INTO entries (account_id, counted_at_us, number, used, held, access, counts)"
            " VALUES (:account_id, :counted_at_us, :number, :used, :held, :access, :counts)"
        ),
        {
            "account_id": account_id,
            "counted_at_us": row["counted_at_us"],
            "number": row["number"],
            "used": row["posts_settled"],
            "held": row["posts_reserved"] if is_held else 0,
            "access": HANDED_OVER,
            "counts": row["counts"] if is_held else row["settled"],
        },
    )


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def downgrade() -> None:
    """There is no way back: what was counted together cannot be told apart by limit."""
    raise NotImplementedError("restore the copy from before the upgrade")
