"""More is on record of a license: what each change did to which version; and whose each version is."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
phase = "expand"

# NULL is what is not known: of changes from before, and of those that a process of the release before writes
# while this one runs already.
_NEW = (
    ("step", sa.Integer()),
    ("subject_version", sa.Integer()),
    ("effective_from_us", sa.BigInteger()),
)

_STATE_BEFORE = (
    "(SELECT p.state FROM license_history AS p"
    " WHERE p.license_id = license_history.license_id AND p.ordinal = license_history.ordinal - 1)"
)
# The version that was drafted, came into force, or was withdrawn at the very time of the change.
_AT_ONCE = (
    "(SELECT max(v.version) FROM license_versions AS v"
    " WHERE v.license_id = license_history.license_id AND v.{time} = license_history.changed_at_us)"
)
_DRAFTED, _BEGUN, _WITHDRAWN = (
    _AT_ONCE.format(time=time) for time in ("created_at_us", "effective_from_us", "withdrawn_at_us")
)

# What the rows tell for certain, the surest first. Steps as they are stored: 1 drafted, 2 amended,
# 3 activated, 5 withdrawn, 6 suspended, 7 resumed, 8 terminated; and states: 2 active, 3 suspended,
# 5 terminated.
# When a time was set, and which one was withdrawn, they do not tell.
_TOLD = (
    ("1", "version", "ordinal = 1"),
    ("8", "version", "state = 5"),
    ("6", "version", f"state = 3 AND {_STATE_BEFORE} <> 3"),
    ("7", "version", f"state = 2 AND {_STATE_BEFORE} = 3"),
    ("2", _DRAFTED, f"{_DRAFTED} IS NOT NULL"),
    ("3", "version", f"{_BEGUN} = version"),
    ("5", _WITHDRAWN, f"{_WITHDRAWN} IS NOT NULL"),
)


_WAITS = (
    "EXISTS (SELECT 1 FROM licenses AS l WHERE l.license_id = license_versions.license_id AND l.state = 5"
    " AND l.next_version = license_versions.version{condition})"
)
_ENDED_AT = (
    "(SELECT l.state_changed_at_us FROM licenses AS l WHERE l.license_id = license_versions.license_id)"
)

# What waited when its license was terminated never comes into force: an amendment is withdrawn with it, and a
# first version has no time any more.
_ENDED = (
    f"UPDATE license_versions SET withdrawn_at_us = {_ENDED_AT}"  # noqa: S608
    f" WHERE {_WAITS.format(condition=' AND l.next_version <> l.version')}",
    f"UPDATE license_versions SET effective_from_us = NULL WHERE {_WAITS.format(condition='')}",  # noqa: S608
    "UPDATE licenses SET next_version = NULL, next_terms = NULL, next_digest = NULL, next_from_us = NULL"
    " WHERE state = 5",
)


# A process of an earlier release may have created licenses after versions had a table of their own.
_MISSING = (
    "INSERT INTO license_versions (license_id, version, terms, terms_digest, created_at_us, created_by,"
    " reason, effective_from_us, withdrawn_at_us)"
    " SELECT l.license_id, l.version, l.terms, l.terms_digest, l.created_at_us, h.changed_by, '',"
    " l.effective_from_us, NULL"
    " FROM licenses AS l JOIN license_history AS h ON h.license_id = l.license_id AND h.ordinal = 1"
    " WHERE NOT EXISTS (SELECT 1 FROM license_versions AS v WHERE v.license_id = l.license_id)"
)

# Until now all versions of a license were one licensee's.
_WHOSE = (
    "UPDATE license_versions SET licensee_id ="
    " (SELECT l.licensee_id FROM licenses AS l WHERE l.license_id = license_versions.license_id)"
)


def upgrade() -> None:
    op.add_column("license_versions", sa.Column("licensee_id", sa.String(63)))
    op.execute(sa.text(_MISSING))
    op.execute(sa.text(_WHOSE))
    for name, kind in _NEW:
        op.add_column("license_history", sa.Column(name, kind))
    for step, version, condition in _TOLD:
        op.execute(
            sa.text(
                f"UPDATE license_history SET step = {step}, subject_version = {version}"  # noqa: S608
                f" WHERE step IS NULL AND {condition}"
            )
        )
    for change in _ENDED:
        op.execute(sa.text(change))
    op.execute(sa.text("UPDATE license_history SET effective_from_us = changed_at_us WHERE step = 3"))


def downgrade() -> None:
    op.drop_column("license_versions", "licensee_id")
    for name, _ in reversed(_NEW):
        op.drop_column("license_history", name)
