"""The reckoning: whether the books of licensing and metering add up, read from the two databases themselves.

Each rule is a query that finds what breaks it. Nothing is shared with the services but the names of their
tables. Metering is read before licensing, so a rule between the two holds at any moment, also while both are
written: whatever metering was told had been committed in licensing before.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RELEASED = 1
"""The reason of a post that may go; every other number denies."""


@dataclass(frozen=True)
class Rule:
    """Something that must be so."""

    sentence: str
    breakers: str
    """A query for the ids of what breaks it; licensing is `main`, metering is `metering`."""


ALWAYS = (
    Rule(
        "reserved = still held + settled + freed",
        """SELECT reservation_id FROM metering.reservations
           WHERE posts_reserved <>
                 iif(state = 1, coalesce(posts_kept, posts_reserved), 0) + posts_settled + posts_freed""",
    ),
    Rule(
        "what is reserved is all that was asked for, or nothing (M3)",
        """SELECT reservation_id FROM metering.reservations
           WHERE posts_reserved <> posts_in(held) OR held <> iif(counted_at_us IS NULL, '[]', counts)
              OR (counted_at_us IS NULL AND state IN (1, 2)) OR (counted_at_us IS NOT NULL AND state = 4)""",
    ),
    Rule(
        "what is kept of a hold is a part of it, and not nothing (M2)",
        """SELECT reservation_id FROM metering.reservations
           WHERE (kept IS NULL) <> (posts_kept IS NULL) OR posts_kept < 1
              OR coalesce(posts_kept, posts_reserved) <> posts_in(coalesce(kept, held))
              OR NOT is_part(coalesce(kept, held), held)""",
    ),
    Rule(
        "only what was held is settled, and only by settling (M2)",
        """SELECT reservation_id FROM metering.reservations
           WHERE posts_settled <> posts_in(settled) OR NOT is_part(settled, coalesce(kept, counts))
              OR (state <> 2 AND posts_settled <> 0)""",
    ),
    Rule(
        "a reservation counts once for its party, its group and its license",
        """WITH owners AS (
               SELECT number, 1 AS scope, license_id AS key FROM metering.reservations WHERE license_id <> ''
               UNION ALL SELECT number, 2, party_id FROM metering.reservations
               UNION ALL SELECT number, 3, group_id FROM metering.reservations WHERE group_id <> ''
           ), counted AS (
               SELECT r.reservation_id, o.scope, o.key, r.counted_at_us, r.posts_settled AS used,
                      iif(r.state = 1, coalesce(r.posts_kept, r.posts_reserved), 0) AS held
               FROM metering.reservations r JOIN owners o USING (number) WHERE r.counted_at_us IS NOT NULL
           ), wanted AS (
               SELECT scope, key, counted_at_us, total(used) AS used, total(held) AS held
               FROM counted GROUP BY scope, key, counted_at_us
           ), entered AS (
               SELECT a.scope, a.key, e.counted_at_us, total(e.used) AS used, total(e.held) AS held
               FROM metering.entries e JOIN metering.accounts a ON a.id = e.account_id
               GROUP BY a.scope, a.key, e.counted_at_us
           )
           SELECT scope || ' ' || key FROM (SELECT * FROM wanted EXCEPT SELECT * FROM entered)
           UNION SELECT scope || ' ' || key FROM (SELECT * FROM entered EXCEPT SELECT * FROM wanted)""",
    ),
    Rule(
        "an entry changes the contents as it changes the sum",
        "SELECT number FROM metering.entries WHERE posts_in(counts) <> used + held",
    ),
    Rule(
        "the sums of an account are those of its entries",
        """SELECT t.account_id FROM metering.tallies t
           LEFT JOIN metering.entries e ON e.account_id = t.account_id AND e.counted_at_us > t.tail_us
           GROUP BY t.account_id, t.window_us HAVING (t.used, t.held) <> (total(e.used), total(e.held))""",
    ),
    Rule(
        "no request is settled twice",
        """SELECT request_key FROM metering.reservations WHERE state = 2
           GROUP BY request_key HAVING count(*) > 1""",
    ),
    Rule(
        "a decision is the conclusion of one attempt",
        """SELECT decision_id FROM decisions d
           WHERE (SELECT count(*) FROM attempts a WHERE a.decision_id = d.decision_id) <> 1
           UNION SELECT attempt_id FROM attempts
           WHERE decision_id NOT IN (SELECT decision_id FROM decisions)""",
    ),
    Rule(
        "a request has one decision",
        """SELECT request_id FROM decisions GROUP BY principal_kind, principal, request_id
           HAVING count(*) > 1""",
    ),
    Rule(
        "decisions are numbered without a gap",
        """SELECT next_number FROM head WHERE next_number - 1 <> (SELECT count(*) FROM decisions)
              OR next_number - 1 <> (SELECT coalesce(max(number), 0) FROM decisions)""",
    ),
    Rule(
        "what is released was held by the attempt that concluded it",
        """SELECT d.decision_id FROM decisions d JOIN attempts a USING (decision_id)
           WHERE iif(released_in(d.reasons), a.attempt_id, NULL) IS NOT d.reservation_id
              OR (d.not_after_us IS NULL) <> (released_in(d.reasons) = 0)""",
    ),
    Rule(
        "a release has an open permit or a settlement",
        """SELECT decision_id FROM decisions
           WHERE (decision_id IN (SELECT decision_id FROM open_permits))
               + (decision_id IN (SELECT decision_id FROM settlements)) <> (released_in(reasons) > 0)""",
    ),
    Rule(
        "a settlement is of what was confirmed in time, else of all that was released",
        """SELECT decision_id FROM settlements s JOIN decisions d USING (decision_id)
           LEFT JOIN confirmations c USING (decision_id)
           WHERE NOT iif(c.confirmed_at_us < d.not_after_us,
                         NOT s.by_expiry AND s.posts = c.posts,
                         s.by_expiry AND s.posts = released_in(d.reasons)
                                     AND s.settled_at_us >= d.not_after_us)""",
    ),
    Rule(
        "a confirmation is of released posts and settles them",
        """SELECT decision_id FROM confirmations c JOIN decisions d USING (decision_id)
           WHERE NOT is_delivery(c.delivered, d.reasons) OR c.posts <> bits_in(c.delivered)
              OR decision_id IN (SELECT decision_id FROM open_permits)""",
    ),
    Rule(
        "the sums of decisions are those of the decisions they are made of, each once",
        """WITH made AS (
               SELECT column1, licensee_id, purpose, outcome, count(*), sum(length(reasons)) FROM decisions
               CROSS JOIN (VALUES (60000000), (3600000000), (86400000000))
               WHERE number <= (SELECT number FROM decisions_counted) GROUP BY 1, 2, 3, 4
           ), summed AS (
               SELECT stretch_us, licensee_id, purpose, outcome, sum(iif(reason = 0, count, 0)),
                      sum(iif(reason = 0, 0, count))
               FROM decision_counts WHERE (SELECT number >= 0 FROM decisions_counted) GROUP BY 1, 2, 3, 4
           )
           SELECT licensee_id FROM (SELECT * FROM made EXCEPT SELECT * FROM summed)
           UNION SELECT licensee_id FROM (SELECT * FROM summed EXCEPT SELECT * FROM made)""",
    ),
    Rule("metering has refused nothing", "SELECT seq FROM outbox WHERE parked IS NOT NULL"),
    Rule(
        "reserved is what was released, for the same request and at the same time",
        """SELECT d.decision_id FROM metering.reservations r JOIN decisions d USING (reservation_id)
           WHERE r.request_key <> d.principal_kind || ':' || d.principal || '/decide/' || d.request_id
              OR r.party_id <> d.licensee_id OR r.counted_at_us IS NOT d.counted_at_us
              OR r.counts <> counted(d.kinds, d.media_flags, d.reasons, NULL)""",
    ),
    Rule(
        "released >= settled",
        """SELECT d.decision_id FROM metering.reservations r JOIN decisions d USING (reservation_id)
           WHERE r.posts_settled > released_in(d.reasons)""",
    ),
    Rule(
        "metering has settled what the settlement says",
        """SELECT d.decision_id FROM metering.reservations r JOIN decisions d USING (reservation_id)
           LEFT JOIN settlements s USING (decision_id) LEFT JOIN confirmations c USING (decision_id)
           WHERE r.state = 2 AND (s.posts IS NOT r.posts_settled OR r.settled <>
                 counted(d.kinds, d.media_flags, d.reasons, iif(s.by_expiry, NULL, c.delivered)))""",
    ),
    Rule(
        "tombstoned implies settled 0",
        """SELECT a.attempt_id FROM attempts a JOIN metering.reservations r ON r.reservation_id = a.attempt_id
           WHERE a.decision_id IS NULL AND r.posts_settled <> 0""",
    ),
    Rule(
        "settled implies concluded, cancelled implies tombstoned",
        """SELECT r.reservation_id FROM metering.reservations r
           LEFT JOIN attempts a ON a.attempt_id = r.reservation_id
           WHERE (r.state = 2 AND a.decision_id IS NULL)
              OR (r.state = 3 AND (a.attempt_id IS NULL OR a.decision_id IS NOT NULL))""",
    ),
)
"""Hold at any moment, whichever process has just died."""

AT_REST = (
    Rule("no hold is left", "SELECT reservation_id FROM metering.reservations WHERE state = 1"),
    Rule("metering has been told everything", "SELECT seq FROM outbox WHERE parked IS NULL"),
    Rule("no permit is open", "SELECT decision_id FROM open_permits"),
    Rule(
        "what was released is settled",
        """SELECT d.decision_id FROM decisions d LEFT JOIN metering.reservations r USING (reservation_id)
           WHERE released_in(d.reasons) > 0 AND r.state IS NOT 2""",
    ),
    Rule(
        "what was given up holds nothing and never will",
        """SELECT a.attempt_id FROM attempts a
           LEFT JOIN metering.reservations r ON r.reservation_id = a.attempt_id
           WHERE a.decision_id IS NULL AND (r.state IS NULL OR r.state NOT IN (3, 4))""",
    ),
)
"""Hold besides once outbox and sweeper have done what there was to do."""

_SIGNS_OF_REST = AT_REST[:3]


@dataclass(frozen=True)
class Books:
    """The databases of licensing and metering."""

    licensing: Path
    metering: Path

    def are_at_rest(self) -> bool:
        """Whether outbox and sweeper have done what there was to do."""
        with self._open() as connection:
            return not any(_broken(connection, _SIGNS_OF_REST))

    def violations(self, *, at_rest: bool) -> dict[str, list[str]]:
        """What breaks which rule: the rules' sentences with the ids."""
        with self._open() as connection:
            return dict(_broken(connection, ALWAYS + AT_REST if at_rest else ALWAYS))

    def check(self, *, at_rest: bool) -> None:
        """Fails with all violations."""
        violations = self.violations(at_rest=at_rest)
        assert not violations, "the books do not add up:\n" + json.dumps(violations, indent=2)

    def bills(self, license_id: str) -> "list[Bill]":
        """What each decision under a license released, and what is billed for it, in order of conclusion."""
        with self._open() as connection:
            rows = connection.execute(
                """SELECT d.*, c.delivered, c.confirmed_at_us FROM decisions d
                   LEFT JOIN confirmations c USING (decision_id) WHERE d.license_id = ? ORDER BY number""",
                [license_id],
            ).fetchall()
        return [Bill(**{name: row[name] for name in Bill.__annotations__}) for row in rows]

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Both databases, read-only; of each the snapshot of one moment."""
        path = f"file:{self.licensing}?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("ATTACH ? AS metering", [f"file:{self.metering}?mode=ro"])
            for function, arguments in _FUNCTIONS.items():
                connection.create_function(function.__name__, arguments, function, deterministic=True)
            connection.execute("BEGIN")
            # A snapshot is taken by the first read.
            connection.execute("SELECT number FROM metering.head").fetchall()
            yield connection


@dataclass(frozen=True)
class Bill:
    """One decision, as the ledger has it."""

    decision_id: str
    request_id: str
    reasons: bytes
    not_after_us: int | None
    delivered: bytes | None
    """Bitmap of the confirmation that stands."""
    confirmed_at_us: int | None

    @property
    def released(self) -> list[int]:
        """Positions of the posts that might go."""
        return [position for position, reason in enumerate(self.reasons) if reason == RELEASED]

    @property
    def billed(self) -> list[int]:
        """Positions of the posts that are billed: all that was not confirmed as undelivered (B2)."""
        return self.released if self.delivered is None else positions(self.delivered)


def positions(bitmap: bytes) -> list[int]:
    """The posts that a bitmap names: bit i % 8, from the lowest, of byte i / 8 is post i."""
    return [index for index in range(8 * len(bitmap)) if bitmap[index // 8] >> index % 8 & 1]


def _broken(connection: sqlite3.Connection, rules: tuple[Rule, ...]) -> Iterator[tuple[str, list[str]]]:
    for rule in rules:
        if breakers := [str(row[0]) for row in connection.execute(rule.breakers)]:
            yield rule.sentence, breakers


def posts_in(counts: str) -> int:
    """All posts of a JSON list of [kind, media flags, posts]."""
    return sum(posts for _, _, posts in json.loads(counts))


def is_part(counts: str, whole: str) -> bool:
    """Whether `counts` has no more of any kind than `whole`."""
    limits = {(kind, media): posts for kind, media, posts in json.loads(whole)}
    return all(posts <= limits.get((kind, media), 0) for kind, media, posts in json.loads(counts))


def released_in(reasons: bytes) -> int:
    """Posts that might go."""
    return reasons.count(RELEASED)


def bits_in(bitmap: bytes) -> int:
    """Posts that a bitmap names."""
    return len(positions(bitmap))


def is_delivery(bitmap: bytes, reasons: bytes) -> bool:
    """Whether a bitmap is of the right length and names only posts that might go."""
    named = positions(bitmap)
    return len(bitmap) == (len(reasons) + 7) // 8 and all(
        position < len(reasons) and reasons[position] == RELEASED for position in named
    )


def counted(kinds: bytes, media_flags: bytes, reasons: bytes, bitmap: bytes | None) -> str:
    """The posts that a bitmap names, or all that might go, as metering writes counts."""
    chosen = [at for at, reason in enumerate(reasons) if reason == RELEASED]
    if bitmap is not None:
        chosen = [at for at in positions(bitmap) if at < len(kinds)]
    posts: dict[tuple[int, int], int] = {}
    for at in chosen:
        content = (kinds[at], media_flags[at])
        posts[content] = posts.get(content, 0) + 1
    return json.dumps([[*content, count] for content, count in sorted(posts.items())], separators=(",", ":"))


_FUNCTIONS: dict[Any, int] = {posts_in: 1, is_part: 2, released_in: 1, bits_in: 1, is_delivery: 2, counted: 4}
