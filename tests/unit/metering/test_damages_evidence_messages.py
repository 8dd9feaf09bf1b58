"""Rows of evidence fit into messages, however long their ids are (D2)."""

import numpy as np

from services.chassis.channels import LARGEST_ANSWER_BYTES
from services.console.damages_rows import in_chunks, rows_of
from services.metering.domain.damages.evidence import Rows
from services.metering.rpc.evidence_messages import MOST_BYTES, evidence_messages


def some_rows(count: int, id_bytes: int) -> Rows:
    numbers = np.arange(count, dtype=np.int64)
    ones = np.ones(count, np.int64)
    ids = [f"{number:0{id_bytes}}" for number in range(count)]
    parties = [f"party-{number % 3}" for number in range(count)]
    sources = ["" if number % 2 else "edge" for number in range(count)]
    return Rows(numbers, numbers, parties, ones, ones, ones, ones, -numbers, sources, ids)


def test_d2_a_chunk_with_long_ids_is_sent_in_messages_that_fit_and_digested_as_one() -> None:
    rows = some_rows(20_000, 1_024)

    messages = evidence_messages(rows)

    assert max(each.ByteSize() for each in messages) < MOST_BYTES + 2_048 < LARGEST_ANSWER_BYTES
    assert len(messages) == 11
    (whole,) = in_chunks(map(rows_of, messages), 65_536)
    assert whole.digest() == rows.digest()


def test_d2_few_rows_are_one_message() -> None:
    (message,) = evidence_messages(some_rows(3, 1))

    assert list(message.ids) == ["0", "1", "2"]


def test_d2_rows_are_regrouped_wherever_messages_end() -> None:
    rows = [rows_of(each) for count in (5, 1, 9) for each in evidence_messages(some_rows(count, 1))]

    chunks = list(in_chunks(rows, 4))

    assert [len(each) for each in chunks] == [4, 4, 4, 3]
    assert [id for each in chunks for id in each.id] == [*"01234", "0", *"012345678"]
