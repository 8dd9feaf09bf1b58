"""What is on record about posts on their own (C5)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from services.chassis.refusals import Refusal
from services.consent.domain.outcomes import Imported, Rejected, rejected
from services.consent.domain.posts import Post, PostMark, PostState
from services.consent.domain.state_changes import StateChange, post_after
from services.consent.domain.withdrawals import of_post
from services.consent.storage.codec import (
    decode_countries,
    decode_times,
    encode_countries,
    encode_times,
    signed,
    unsigned,
)
from services.consent.storage.head import Part, advance, read_head
from services.consent.storage.states import chunks
from services.consent.storage.tables import TABLES
from services.consent.storage.withdrawals import record_withdrawals

_POSTS = TABLES["posts"]
_STATES = TABLES["post_states"]
_BY_ID = select(_STATES.c.post_id, _STATES.c.marks, _STATES.c.withheld, _STATES.c.times).where(
    _STATES.c.post_id.in_(bindparam("ids", expanding=True))
)
_CHANGE = (
    update(_STATES)
    .where(_STATES.c.post_id == bindparam("changed_id"))
    .values({name: bindparam(name) for name in ("marks", "withheld", "times", "revision")})
)


class Row(NamedTuple):
    """A line of an import about a post."""

    line: int
    post_id: int
    change: StateChange


def import_rows(connection: Connection, rows: Sequence[Row], now_us: int, by: str) -> Imported:
    """Records the changes that change something, in their order."""
    stored = read_posts(connection, [row.post_id for row in rows])
    changed: dict[int, Post] = {}
    fresh: list[tuple[Row, PostState, PostState]] = []
    refused: list[Rejected] = []
    for row in rows:
        post = changed.get(row.post_id) or stored.get(row.post_id) or Post()
        try:
            after = post_after(post, row.change, now_us)
        except Refusal as refusal:
            refused.append(rejected(row.line, refusal))
            continue
        if after is not None:
            changed[row.post_id] = after
            fresh.append((row, post.state, after.state))
    unchanged = len(rows) - len(fresh) - len(refused)
    if not fresh:
        return Imported(0, unchanged, tuple(refused), read_head(connection))
    taken = advance(connection, len(fresh), now_us, Part.POSTS)
    numbered = list(enumerate(fresh, start=taken.before.number + 1))
    stamp = {"recorded_us": taken.at_us, "recorded_by": by}
    inserts = [_row(number, row, state, now_us) | stamp for number, (row, _, state) in numbered]
    connection.execute(insert(_POSTS), inserts)
    found = ((number, of_post(row.post_id, before, after)) for number, (row, before, after) in numbered)
    record_withdrawals(connection, {number: each for number, each in found if each}, taken.at_us)
    revision = taken.last(len(fresh))
    _write(connection, changed, stored, revision.number)
    return Imported(len(fresh), unchanged, tuple(refused), revision)


def read_posts(connection: Connection, post_ids: Sequence[int]) -> dict[int, Post]:
    """Those of the posts that have or had a state."""
    found: dict[int, Post] = {}
    for some in chunks(sorted({signed(post_id) for post_id in post_ids})):
        for post_id, marks, withheld, times in connection.execute(_BY_ID, {"ids": some}):
            state = PostState(PostMark(marks), decode_countries(withheld))
            found[unsigned(post_id)] = Post(state, decode_times(times))
    return found


def _write(
    connection: Connection, changed: Mapping[int, Post], stored: Mapping[int, Post], revision: int
) -> None:
    added, moved = [], []
    for post_id, post in changed.items():
        row = {
            "marks": post.state.marks,
            "withheld": encode_countries(post.state.withheld),
            "times": encode_times(post.times_us),
            "revision": revision,
        }
        if post_id in stored:
            moved.append(row | {"changed_id": signed(post_id)})
        else:
            added.append(row | {"post_id": signed(post_id)})
    if added:
        connection.execute(insert(_STATES), added)
    if moved:
        connection.execute(_CHANGE, moved)


def _row(revision: int, row: Row, state: PostState, now_us: int) -> dict[str, Any]:
    return {
        "revision": revision,
        "post_id": signed(row.post_id),
        "marks": state.marks,
        "withheld": encode_countries(state.withheld),
        "kind": row.change.kind,
        "occurred_us": now_us if row.change.occurred_us is None else row.change.occurred_us,
    }
