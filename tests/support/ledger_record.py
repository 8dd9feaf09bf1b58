"""What licensing's own rows say: whether each decision follows the version and the state then in force."""

from dataclasses import dataclass

import psycopg

# Written out, for what the program reads and how is what is in question.
_QUESTION = b"""
SELECT count(*),
       count(*) FILTER (WHERE (d.license_version, d.terms_digest) IS DISTINCT FROM (v.version, v.terms_digest)
                           OR (get_byte(d.reasons, 0) = 10) IS DISTINCT FROM (h.state = 3))
FROM decisions d
LEFT JOIN LATERAL (
    SELECT version, terms_digest FROM license_versions
    WHERE license_id = d.license_id AND effective_from_us <= d.decided_at_us
    ORDER BY effective_from_us DESC LIMIT 1) v ON true
LEFT JOIN LATERAL (
    SELECT state FROM license_history
    WHERE license_id = d.license_id AND changed_at_us <= d.decided_at_us
    ORDER BY ordinal DESC LIMIT 1) h ON true
"""
"""Reason 10 is LICENSE_NOT_ACTIVE, state 3 is SUSPENDED."""


@dataclass(frozen=True)
class OnRecord:
    """How many decisions are in the ledger, and how many of them do not agree with the license's history."""

    decisions: int
    against: int

    def __str__(self) -> str:
        """In a few words."""
        return f"{self.decisions:,} in the ledger, {self.against} of them against its own history"


def decisions_on_record(url: str) -> OnRecord:
    """Reads the database of licensing; its licenses are active or suspended, and their terms last."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_QUESTION).fetchone()
    assert row is not None
    return OnRecord(*row)
