"""How long answers take, and how long a query, a dict or a set would take merely to look the authors up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from bench.stand import QUESTION, Stand, say
from bench.timing import Times, timed, timed_async
from services.consent.domain.batches import Batch

SIZES = (1, 100, 1_000, 10_000)
KERNEL_AIM_NS = 150.0
"""A post, at the largest batch."""


async def ask(stand: Stand) -> None:
    """The kernel with its comparisons, then the whole check, at each size of a batch."""
    members = dict(zip(stand.fixture.subject_ids.tolist(), stand.fixture.profile_ids.tolist(), strict=True))
    denied = {subject for subject, profile in members.items() if profile % 2}
    for size in SIZES:
        say(f"asking for {size:,} posts at a time")
        batches = stand.batches(size)
        _kernel(stand, size, batches, members, denied)
        checks = await timed_async(
            lambda batch: stand.registrar.check(QUESTION, batch), batches, stand.effort.budget
        )
        stand.note(f"whole check with the head read, batch {size:,}", checks.median * 1e6, "us a check")


def _kernel(stand: Stand, size: int, batches: list[Batch], members: dict[int, int], denied: set[int]) -> None:
    view, budget = stand.index.view(), stand.effort.budget
    asked = [np.concatenate((batch.author_ids, batch.embed_author_ids)) for batch in batches]
    kernel = timed(lambda batch: view.reasons(QUESTION, batch), batches, budget)
    lookup = timed(view.subjects.find, asked, budget)
    query = stand.database.read_now(lambda connection: _queries(connection, asked, budget))
    in_dict = timed(lambda ids: [members.get(each, 0) for each in ids.tolist()], asked, budget)
    in_set = timed(lambda ids: [each in denied for each in ids.tolist()], asked, budget)
    aim = KERNEL_AIM_NS if size == SIZES[-1] else None
    stand.note(f"kernel, batch {size:,}", kernel.median * 1e9 / size, "ns a post", aim=aim)
    for what, times in (
        ("of which finding the profiles", lookup),
        ("query for the profiles", query),
        ("dict of the profiles", in_dict),
        ("set of the denied alone", in_set),
    ):
        ratio = times.median / kernel.median
        stand.note(f"  {what}, batch {size:,}", times.median * 1e9 / size, "ns a post", ratio=ratio)


def _queries(connection: Connection, asked: list[NDArray[np.uint64]], budget: float) -> Times:
    """Past SQLAlchemy, whose part in it would not be fair to the database."""
    driver: Any = connection.connection.driver_connection
    query = "SELECT subject_id, profile_id FROM states WHERE subject_id "
    stored = [ids.view(np.int64) for ids in asked]
    if connection.dialect.name == "postgresql":
        # The same as IN (...), which it makes an array of.
        text = query + "= ANY(%s)"
        return timed(lambda ids: driver.execute(text, (ids.tolist(),)).fetchall(), stored, budget)
    texts = {len(ids): f"{query} IN ({', '.join('?' * len(ids))})" for ids in asked}
    return timed(lambda ids: driver.execute(texts[len(ids)], ids.tolist()).fetchall(), stored, budget)
