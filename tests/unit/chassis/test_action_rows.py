"""The log of actions is read by indexes, whatever is asked for: it grows as long as there are operators."""

import pytest
from sqlalchemy import MetaData, create_engine, text
from sqlalchemy.dialects import sqlite

from services.chassis.action_pages import Wanted
from services.chassis.action_rows import action_table, entries_wanted


def plan_of(wanted: Wanted) -> str:
    """How SQLite answers it."""
    metadata, engine = MetaData(), create_engine("sqlite://")
    table = action_table(metadata)
    with engine.connect() as connection:
        metadata.create_all(connection)
        compiled = entries_wanted(table, wanted).compile(
            dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
        )
        rows = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
    return " | ".join(str(row[3]) for row in rows)


@pytest.mark.parametrize("oldest_first", [True, False])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "SCAN actions"),
        ({"beyond": 7}, "USING INTEGER PRIMARY KEY"),
        ({"operator": "ada"}, "USING INDEX actions_of_operator (operator=?)"),
        ({"method": "a.S/X"}, "USING INDEX actions_of_method (method=?)"),
        ({"method": "a.S/X", "since_us": 7}, "USING INDEX actions_of_method (method=? AND number>?)"),
        ({"since_us": 7}, "USING INTEGER PRIMARY KEY (rowid>?)"),
    ],
    ids=str,
)
def test_nothing_is_sorted_and_no_more_is_read_than_is_told(
    wanted: dict[str, object], index: str, *, oldest_first: bool
) -> None:
    plan = plan_of(Wanted(100, oldest_first=oldest_first, **wanted))  # type: ignore[arg-type]

    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert ("USING COVERING INDEX actions_by_time (at_us>?)" in plan) == ("since_us" in wanted)
