"""The first answer to a request id is kept and given again."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, MetaData, Table, create_engine

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey, once, replay_table

KEY = ReplayKey("operator:ada", "CreateLicense", "0192f1a0-0000-7000-8000-000000000001", b"d" * 32)


@pytest.fixture
def table() -> Table:
    return replay_table(MetaData())


@pytest.fixture
def connection(table: Table) -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.metadata.create_all(connection)
        yield connection


def never() -> bytes:
    raise AssertionError("a stored answer is not produced again")


def test_a_repeated_request_gets_the_first_answer(connection: Connection, table: Table) -> None:
    first = once(connection, table, KEY, 1, lambda: b"made")

    again = once(connection, table, KEY, 2, never)

    assert (first, again) == (b"made", b"made")


def test_the_same_id_with_other_content_is_refused(connection: Connection, table: Table) -> None:
    once(connection, table, KEY, 1, lambda: b"made")

    with pytest.raises(Refusal) as refused:
        once(connection, table, ReplayKey(KEY.principal, KEY.operation, KEY.request_id, b"e" * 32), 2, never)

    assert refused.value.reason == "REQUEST_ID_REUSED"


def test_the_same_id_of_another_caller_is_another_request(connection: Connection, table: Table) -> None:
    once(connection, table, KEY, 1, lambda: b"made")

    other = ReplayKey("operator:grace", KEY.operation, KEY.request_id, b"e" * 32)

    assert once(connection, table, other, 2, lambda: b"another") == b"another"


def test_a_refused_request_leaves_its_id_free(connection: Connection, table: Table) -> None:
    with pytest.raises(AssertionError):
        once(connection, table, KEY, 1, never)

    assert once(connection, table, KEY, 2, lambda: b"made") == b"made"
